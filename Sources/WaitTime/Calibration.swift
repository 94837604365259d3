internal import Glibc

/// Intervals that hold what they say: adaptive conformal inference (Gibbs and Candès, "Adaptive conformal inference
/// under distribution shift", NeurIPS 2021, arXiv:2106.00170). Each miss widens the intervals that follow, each hit
/// narrows them a little; per acuity once it has enough waits, pooled before.
struct Calibration {
    /// What an interval is to hold.
    static let coverages = [0.5, 0.8, 0.9]
    static let least = 60
    static let step = 0.03
    /// Logarithm of the factor on the half-widths: pooled first, then acuity 1 to 5, each per coverage.
    private var factors = [Double](repeating: 0, count: 6 * coverages.count)
    private var counts = [Int](repeating: 0, count: 5)

    init() {}

    /// What the half-widths of an interval are multiplied by.
    func factor(_ coverage: Int, acuity: Int) -> Double {
        let row = counts[acuity - 1] >= Self.least ? acuity : 0
        return exp(factors[row * Self.coverages.count + coverage])
    }

    /// Whether each interval held the wait, in the order of `coverages`.
    mutating func learn(_ inside: [Bool], acuity: Int) {
        for (coverage, isInside) in zip(Self.coverages.indices, inside) {
            let change = Self.step * ((isInside ? 0 : 1) - (1 - Self.coverages[coverage]))
            // A sector's own factors begin where the pooled ones are.
            let own = acuity * Self.coverages.count + coverage
            factors[coverage] = min(max(factors[coverage] + change, -4), 4)
            factors[own] = counts[acuity - 1] < Self.least ? factors[coverage] : min(max(factors[own] + change, -4), 4)
        }
        counts[acuity - 1] = min(counts[acuity - 1] + 1, 1_000_000)
    }

    func write(to writer: inout StateWriter) {
        writer.put(factors)
        for count in counts { writer.put(count: count) }
    }

    init(from reader: inout StateReader) throws(StateError) {
        factors = try reader.doubles(factors.count)
        for place in counts.indices { counts[place] = try reader.count(atMost: 1_000_000) }
    }
}
