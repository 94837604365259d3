internal import Glibc

/// All that is learnt: heads, mixtures, residuals, calibration. Everything is in roots of minutes.
struct Learner {
    static let levels = QuantileHeads.levels
    static let median = 3
    private static let rates = QuantileHeads.rates.count
    /// Simple experts, least squares, all heads, the spread at each level, the neural heads.
    static let voices = SimpleExperts.count + 1 + QuantileHeads.count + 2 * levels.count
    private static let spreadBase = SimpleExperts.count + 1 + QuantileHeads.count
    private static let neuralBase = spreadBase + levels.count
    static let width = Features.count + 1

    var leastSquares = LeastSquares(width: width)
    var heads = QuantileHeads(width: width)
    var neural = NeuralHeads(width: width)
    var mixtures = levels.indices.map { Mixture(experts: experts(of: $0).count, level: levels[$0]) }
    var spread = Ring<Float>(capacity: 200)
    /// Mean absolute residual, in roots of minutes and in minutes: the units in which is learnt.
    var deviation = 0.5
    var deviationMinutes = 1.0
    var calibration = Calibration()
    var labels = 0

    init() {}

    /// Which voices the mixture of a level hears: the median all that speak of the middle, the others their heads and
    /// the spread around the median.
    static func experts(of level: Int) -> [Int] {
        let base = SimpleExperts.count + 1 + level * rates
        let own = Array(base..<base + rates)
        let wide = own + [neuralBase + level]
        return level == median ? Array(0..<SimpleExperts.count + 1) + wide : wide + [spreadBase + level]
    }
    private static let expertsOfLevels = levels.indices.map(experts)

    /// The experts of the median mixture, by name.
    static let expertNames =
        SimpleExperts.names + ["least_squares"] + QuantileHeads.rates.map { "median_rate_\($0)" } + ["neural"]
    var expertWeights: [Double] { mixtures[Self.median].weights }

    /// The three features that moved the learnt experts of the median most, by their weights.
    func movers(_ row: [Double]) -> [WaitPrediction.Mover] {
        let weights = expertWeights
        let learnt = SimpleExperts.count
        let bent = neural.slopes(row.map(Float.init), output: Self.median)
        var best: [WaitPrediction.Mover] = []
        for place in 0..<Features.count {
            var slope = weights[learnt] * leastSquares.weights[place] + weights[weights.count - 1] * Double(bent[place])
            for rate in 0..<Self.rates {
                let head = Self.median * Self.rates + rate
                slope += weights[learnt + 1 + rate] * Double(heads.weights[head * Self.width + place])
            }
            let shift = slope * row[place]
            let rank = best.firstIndex { abs($0.shift) < abs(shift) } ?? best.count
            guard rank < 3 else { continue }
            best.insert(WaitPrediction.Mover(feature: place, shift: shift), at: rank)
            if best.count > 3 { best.removeLast() }
        }
        return best
    }

    /// What every expert says, and the mixtures, for a standardised row.
    func speak(_ row: [Double], simple: SimpleExperts) -> (voices: [Double], mixed: [Double]) {
        var voices: [Double] = []
        voices.reserveCapacity(Self.voices)
        for minutes in simple.values { voices.append(minutes.squareRoot()) }
        voices.append(Self.bounded(leastSquares.predict(row)))
        let narrow = row.map(Float.init)
        for head in 0..<QuantileHeads.count { voices.append(Self.bounded(heads.predict(narrow, head: head))) }
        let spreadPlace = voices.count
        for _ in Self.levels { voices.append(0) }
        for value in neural.predict(narrow) { voices.append(Self.bounded(value)) }
        let middle = mix(Self.median, voices)
        let residuals = spread.inOrder.sorted()
        for level in Self.levels.indices {
            voices[spreadPlace + level] = Self.bounded(middle + Self.quantile(Self.levels[level], residuals))
        }
        var mixed: [Double] = []
        for level in Self.levels.indices { mixed.append(level == Self.median ? middle : mix(level, voices)) }
        return (voices, mixed)
    }

    private func mix(_ level: Int, _ voices: [Double]) -> Double {
        let experts = Self.expertsOfLevels[level]
        let weights = mixtures[level].weights
        var sum = 0.0
        for place in experts.indices { sum += weights[place] * voices[experts[place]] * voices[experts[place]] }
        return sum.squareRoot()
    }

    private static func quantile(_ level: Double, _ sorted: [Float]) -> Double {
        guard sorted.count >= 10 else { return (level - 0.5) * 2 }
        return Double(sorted[min(sorted.count - 1, Int(level * Double(sorted.count)))])
    }

    private static func bounded(_ root: Double) -> Double { min(max(root, 0), Limits.longestMinutes.squareRoot()) }

    /// Quantiles and intervals of what the mixtures said: in order, and calibrated.
    func shape(_ mixed: [Double], acuity: Int) -> (quantiles: [Double], bounds: [Double]) {
        let middle = mixed[Self.median]
        var quantiles = mixed
        for level in (0..<Self.median).reversed() { quantiles[level] = min(quantiles[level], quantiles[level + 1]) }
        for level in Self.median + 1..<mixed.count { quantiles[level] = max(quantiles[level], quantiles[level - 1]) }
        var bounds: [Double] = []
        var inner = (lower: middle, upper: middle)
        for coverage in Calibration.coverages.indices {
            let factor = calibration.factor(coverage, acuity: acuity)
            // Levels stand in order: the interval of 50 % lies between the third and the fifth.
            let least = 0.02 * deviation
            let below = (middle - quantiles[2 - coverage] + least) * factor
            let above = (quantiles[4 + coverage] - middle + least) * factor
            inner = (min(inner.lower, Self.bounded(middle - below)), max(inner.upper, Self.bounded(middle + above)))
            bounds += [Self.told(inner.lower, .down), Self.told(inner.upper, .up)]
        }
        return (quantiles, bounds)
    }

    /// A bound as it is told, in whole steps outwards: calibration has to count as a hit what a reader does, above all
    /// a lower bound of nothing for those who do not wait.
    private static func told(_ root: Double, _ rule: FloatingPointRoundingRule) -> Double {
        ((root * root * Told.steps).rounded(rule) / Told.steps).squareRoot()
    }

    /// Learns one wait; the only place where anything is learnt from a label.
    mutating func learn(_ pending: Pending, minutes: Double) {
        let target = min(max(minutes, 0), Limits.longestMinutes).squareRoot()
        if labels == 0 {
            leastSquares.begin(at: target)
            heads.begin(at: target)
            neural.begin(at: target)
        }
        labels += 1
        let voices = pending.voices.map(Packed.root)
        let mixed = pending.mixed.map(Packed.root)
        let unit = max(deviationMinutes, 0.05)
        for level in Self.levels.indices {
            let heard = Self.expertsOfLevels[level].map { voices[$0] * voices[$0] / unit }
            mixtures[level].learn(heard, mixed: mixed[level] * mixed[level] / unit, target: target * target / unit)
        }
        let residual = target - mixed[Self.median]
        spread.append(Float(residual))
        let share = 1 / Double(min(labels, 500) + 1)
        deviation += (abs(residual) - deviation) * share
        let missed = abs(target * target - mixed[Self.median] * mixed[Self.median])
        deviationMinutes += (missed - deviationMinutes) * share
        // Bounds and target go through the same rounding, so that a bound of exactly the wait holds it.
        let rounded = Packed.pack(root: target)
        let inside = Calibration.coverages.indices.map {
            (pending.bounds[2 * $0]...pending.bounds[2 * $0 + 1]).contains(rounded)
        }
        calibration.learn(inside, acuity: pending.acuity)
        let row = pending.features.map(Packed.feature) + [1]
        leastSquares.learn(row, target: target)
        let narrow = row.map(Float.init)
        let scale = max(deviation, 0.05)
        heads.learn(narrow, target: target, scale: scale)
        neural.learn(narrow, target: target, scale: scale)
    }
}
