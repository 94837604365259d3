/// How good one predictor was over the scored waits. Minutes.
public struct WaitScore: Sendable {
    /// Which predictor.
    public let name: String
    /// Scored waits.
    public var count = 0
    /// Mean absolute error.
    public var meanAbsoluteError = 0.0
    /// Median absolute error.
    public var medianAbsoluteError = 0.0
    /// Root of the mean squared error.
    public var rootMeanSquaredError = 0.0
    /// Mean pinball loss over the seven quantiles; a predictor without intervals says its point for each.
    public var pinball = 0.0
    /// Share of waits that were longer than predicted.
    public var underestimated = 0.0
    /// Share of waits within the intervals of 80 and 90 %; nil without intervals.
    public var coverage: (of80: Double, of90: Double)?
    /// Mean width of the intervals of 80 and 90 %.
    public var width: (of80: Double, of90: Double)?
    /// Least share of a week with 100 waits or more within the interval of 90 %.
    public var worstWeek: Double?
    /// The mean absolute error by acuity, 1 to 5; nil without a wait.
    public var byAcuity: [Double?] = []
    /// The service's mean absolute error divided by this one's, with its interval of 95 %.
    public var ratio: (value: Double, lower: Double, upper: Double)?
}

/// One arrival that was predicted.
public struct PredictedArrival: Sendable {
    /// The visit's own id.
    public let visitID: String
    /// What the service said.
    public let prediction: WaitPrediction
    /// What the baselines said, in the order of `Baselines.names`.
    public let baselines: [Double]
    /// The wait in minutes, once known.
    public var actualMinutes: Double?

    /// An arrival whose wait is not known yet, or is.
    public init(visitID: String, prediction: WaitPrediction, baselines: [Double], actualMinutes: Double? = nil) {
        self.visitID = visitID
        self.prediction = prediction
        self.baselines = baselines
        self.actualMinutes = actualMinutes
    }
}

/// Scores over the test part of a run.
public struct WaitScores {
    /// Longer waits are not scored, minutes.
    public static let longestMinutes = Limits.longestMinutes

    private let rows: [PredictedArrival]
    private let points: [[Double]]
    private let names: [String]

    /// - Parameters:
    ///   - arrivals: all of them, the warm-up included.
    ///   - testFrom: the first instant whose arrivals are scored, milliseconds.
    public init(_ arrivals: [PredictedArrival], testFrom: Int64) {
        let served = arrivals.filter { ($0.actualMinutes ?? .infinity) <= Self.longestMinutes }
        rows = served.filter { $0.prediction.timestamp >= testFrom }
        let before = served.filter { $0.prediction.timestamp < testFrom }.compactMap(\.actualMinutes)
        let constant = Percentile.median(before)
        names = ["service", "constant_median"] + Baselines.names
        points = rows.map { [$0.prediction.predictedMinutes, constant] + $0.baselines }
    }

    /// The service first, then every baseline.
    public func table() -> [WaitScore] {
        names.indices.map { number in
            var score = pointScore(number)
            if number == 0 { addIntervals(&score) } else { score.ratio = ratio(to: number) }
            return score
        }
    }

    private func pointScore(_ number: Int) -> WaitScore {
        var score = WaitScore(name: names[number])
        var errors: [Double] = []
        var squares = 0.0
        var acuity = [(sum: Double, count: Int)](repeating: (0, 0), count: 5)
        for (row, point) in zip(rows, points) {
            let actual = row.actualMinutes ?? 0
            let error = abs(actual - point[number])
            errors.append(error)
            squares += error * error
            if actual > point[number] { score.underestimated += 1 }
            acuity[row.prediction.acuity - 1].sum += error
            acuity[row.prediction.acuity - 1].count += 1
            for (place, level) in QuantileHeads.levels.enumerated() {
                let said = number == 0 ? row.prediction.quantiles[place] : point[number]
                score.pinball += max(level * (actual - said), (level - 1) * (actual - said))
            }
        }
        let count = Double(max(1, rows.count))
        score.count = rows.count
        score.meanAbsoluteError = errors.reduce(0, +) / count
        score.medianAbsoluteError = Percentile.median(errors)
        score.rootMeanSquaredError = (squares / count).squareRoot()
        score.pinball /= count * Double(QuantileHeads.levels.count)
        score.underestimated /= count
        score.byAcuity = acuity.map { $0.count == 0 ? nil : $0.sum / Double($0.count) }
        return score
    }

    private func addIntervals(_ score: inout WaitScore) {
        var coverage = (of80: 0.0, of90: 0.0)
        var width = (of80: 0.0, of90: 0.0)
        for row in rows {
            let intervals = row.prediction.intervals
            if intervals[1].contains(row.actualMinutes ?? -1) { coverage.of80 += 1 }
            if intervals[2].contains(row.actualMinutes ?? -1) { coverage.of90 += 1 }
            width.of80 += intervals[1].upperBound - intervals[1].lowerBound
            width.of90 += intervals[2].upperBound - intervals[2].lowerBound
        }
        let count = Double(max(1, rows.count))
        score.coverage = (coverage.of80 / count, coverage.of90 / count)
        score.width = (width.of80 / count, width.of90 / count)
        score.worstWeek = coverageOver(7 * 86_400_000).filter { $0.count >= 100 }.map(\.share).min()
    }

    /// The share within the interval of 90 % in each stretch of so many milliseconds, in order of time.
    public func coverageOver(_ stretch: Int64) -> [(start: Int64, count: Int, share: Double)] {
        var cells: [Int64: (inside: Int, count: Int)] = [:]
        for row in rows {
            let key = row.prediction.timestamp / stretch
            var cell = cells[key] ?? (0, 0)
            cell.count += 1
            if row.prediction.intervals[2].contains(row.actualMinutes ?? -1) { cell.inside += 1 }
            cells[key] = cell
        }
        return cells.keys.sorted().compactMap { key in
            cells[key].map { (key * stretch, $0.count, Double($0.inside) / Double($0.count)) }
        }
    }

    /// Predicted and actual minutes of the scored waits, in order of time.
    public var pairs: [(predicted: Double, actual: Double)] {
        rows.map { ($0.prediction.predictedMinutes, $0.actualMinutes ?? 0) }
    }

    /// The service's error divided by a baseline's. The interval draws whole days with replacement, since the waits of
    /// one day hang together; the draws are the same in every run.
    private func ratio(to number: Int) -> (value: Double, lower: Double, upper: Double) {
        var days: [Int64: (service: Double, baseline: Double)] = [:]
        for (row, point) in zip(rows, points) {
            let actual = row.actualMinutes ?? 0
            var day = days[row.prediction.timestamp / 86_400_000] ?? (0, 0)
            day.service += abs(actual - point[0])
            day.baseline += abs(actual - point[number])
            days[row.prediction.timestamp / 86_400_000] = day
        }
        return BlockBootstrap.ratio(days.sorted { $0.key < $1.key }.map { ($0.value.service, $0.value.baseline) })
    }
}

/// The ratio of two sums over blocks, with the interval of 95 % from 1,000 draws of blocks with replacement.
enum BlockBootstrap {
    static func ratio(_ blocks: [(Double, Double)]) -> (value: Double, lower: Double, upper: Double) {
        var generator = FixedGenerator(state: 9)
        var ratios: [Double] = []
        guard !blocks.isEmpty else { return (.nan, .nan, .nan) }
        for _ in 0..<1_000 {
            var above = 0.0
            var below = 0.0
            for _ in blocks {
                let block = blocks[Int.random(in: blocks.indices, using: &generator)]
                above += block.0
                below += block.1
            }
            ratios.append(above / below)
        }
        ratios.sort()
        let value = blocks.reduce(0) { $0 + $1.0 } / blocks.reduce(0) { $0 + $1.1 }
        return (value, Percentile.of(ratios, 0.025), Percentile.of(ratios, 0.975))
    }
}

/// splitmix64: the same numbers in every run.
struct FixedGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        // Sums and products are meant to wrap.
        state = state &+ 0x9e37_79b9_7f4a_7c15
        var bits = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
