/// A number with its name and what is asked of it.
struct Figure {
    /// Which way is better.
    enum Direction: String {
        case higher, lower
    }

    let name: String
    let unit: String
    let value: Double
    var direction = Direction.higher
    var must: Double?
    var goal: Double?

    /// Whether the value is at least as good as a bound.
    func meets(_ bound: Double) -> Bool { direction == .higher ? value >= bound : value <= bound }

    /// `must` and `goal` in a word or two.
    var verdict: String {
        guard let must else { return "" }
        if let goal, meets(goal) { return "goal" }
        return meets(must) ? "must" : "MISSED"
    }
}

/// What a scenario found.
struct ScenarioResult {
    let name: String
    var figures: [Figure] = []
    /// Remarks such as what limited it.
    var notes: [String] = []
}

/// Two measurements of the same limit, before and after.
struct Limit {
    let before: Double
    let after: Double

    /// What is compared with.
    var mean: Double { (before + after) / 2 }
    /// How far they are apart, as a share of the mean.
    var spread: Double { mean > 0 ? abs(before - after) / mean : 0 }

    /// Beyond this the run says that it is noisy.
    static let noisySpread = 0.15

    /// One line for the report.
    func note(_ name: String, _ unit: String) -> String {
        let noisy = spread > Self.noisySpread ? " - NOISY: the machine did something else as well" : ""
        return "\(name): \(before.grouped) \(unit) before, \(after.grouped) after, "
            + "spread \((spread * 100).formatted(0)) %\(noisy)"
    }
}

extension Double {
    /// With so many digits after the point.
    func formatted(_ digits: Int) -> String {
        guard isFinite else { return "-" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (abs(self) * scale).rounded()
        guard scaled < 9e15 else { return "\(self)" }
        let whole = Int(scaled)
        let sign = self < 0 && whole > 0 ? "-" : ""
        if digits == 0 { return sign + "\(whole)" }
        let fraction = "\(whole % Int(scale))"
        return sign + "\(whole / Int(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// Four significant digits or whole, thousands apart.
    var grouped: String {
        guard abs(self) >= 100 else { return formatted(abs(self) >= 10 ? 1 : 3) }
        var digits = formatted(0)[...]
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = digits.dropLast(3)
        }
        return ([digits] + groups).joined(separator: ",")
    }
}
