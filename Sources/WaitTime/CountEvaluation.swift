/// How well counts at one horizon would have been forecast.
public struct CountScore: Sendable {
    /// Hours ahead; nil: all together.
    public let horizon: Int?
    /// Scored hours.
    public var count = 0
    /// Mean absolute error of the median.
    public var meanAbsoluteError = 0.0
    /// Mean pinball loss over the quantiles 0.05, 0.1 ... 0.95.
    public var pinball = 0.0
    /// Share within the interval of 90 %.
    public var coverage90 = 0.0
    /// Mean absolute error of the same hour a week before.
    public var naiveError = 0.0
    /// Mean absolute error of the mean of the same hour in the eight weeks before.
    public var profileError = 0.0
    /// The service's error divided by theirs, with intervals of 95 % over days.
    public var naiveRatio = (value: Double.nan, lower: Double.nan, upper: Double.nan)
    /// As above.
    public var profileRatio = (value: Double.nan, lower: Double.nan, upper: Double.nan)
}

/// Runs an hourly series through the forecaster, hour by hour, and keeps what was forecast and what came.
public struct CountEvaluation {
    private static let levels = (1...19).map { Double($0) / 20 }

    private let values: [Double?]
    private let firstHour: Int64
    private let testFrom: Int
    private let horizons: [Int]
    /// Per horizon and day: errors of the service, the naive, the profile.
    private var days: [[Int64: [Double]]]
    private var scores: [CountScore]

    /// - Parameters:
    ///   - values: one an hour, nil where it is missing.
    ///   - firstHour: since 1970 UTC.
    ///   - warmUp: share of the period that is not scored; what kind of series it is is judged there.
    ///   - horizons: hours ahead, ascending.
    public init(_ values: [Double?], firstHour: Int64, warmUp: Double, horizons: [Int]) {
        self.values = values
        self.firstHour = firstHour
        self.horizons = horizons
        testFrom = Int((Double(values.count) * warmUp).rounded(.up))
        days = horizons.map { _ in [:] }
        scores = horizons.map { CountScore(horizon: $0) }
        let kind = Self.kind(values[..<max(testFrom, min(values.count, 1_344))])
        var forecaster = CountForecaster(kind, horizons: horizons)
        for place in values.indices {
            let forecasts = forecaster.observe(values[place], hour: firstHour + Int64(place))
            for horizon in horizons.indices { score(forecasts[horizon], from: place, horizon: horizon) }
        }
    }

    /// Independent counts differ from hour to hour by 1.13 roots of their mean, on average; who is present stays.
    static func kind(_ values: ArraySlice<Double?>) -> CountForecaster.Kind {
        var changes = 0.0
        var sum = 0.0
        var count = 0.0
        for place in values.indices.dropFirst() {
            guard let value = values[place], let before = values[place - 1] else { continue }
            changes += abs(value - before)
            sum += value
            count += 1
        }
        return count > 0 && changes / count < 0.8 * (sum / count).squareRoot() ? .level : .events
    }

    private mutating func score(_ forecast: CountForecast, from place: Int, horizon: Int) {
        let target = place + horizons[horizon]
        guard target >= testFrom, target < values.count, let actual = values[target] else { return }
        let weeks = (1...8).compactMap { target >= $0 * 168 ? values[target - $0 * 168] : nil }
        guard !weeks.isEmpty, target >= 168, let naive = values[target - 168] else { return }
        let said = forecast.quantiles(Self.levels)
        var pinball = 0.0
        for (level, value) in zip(Self.levels, said) {
            pinball += max(level * (actual - value), (level - 1) * (actual - value))
        }
        let profile = weeks.reduce(0, +) / Double(weeks.count)
        let errors = [abs(actual - said[9]), abs(actual - naive), abs(actual - profile)]
        scores[horizon].count += 1
        scores[horizon].meanAbsoluteError += errors[0]
        scores[horizon].naiveError += errors[1]
        scores[horizon].profileError += errors[2]
        scores[horizon].pinball += pinball / Double(Self.levels.count)
        if actual >= said[0], actual <= said[18] { scores[horizon].coverage90 += 1 }
        let day = (firstHour + Int64(target)) / 24
        var sums = days[horizon][day] ?? [0, 0, 0]
        for number in 0..<3 { sums[number] += errors[number] }
        days[horizon][day] = sums
    }

    /// One for each horizon, then one for all together.
    public func table() -> [CountScore] {
        var all = CountScore(horizon: nil)
        var allDays: [Int64: [Double]] = [:]
        for (score, days) in zip(scores, days) {
            all.count += score.count
            all.meanAbsoluteError += score.meanAbsoluteError
            all.pinball += score.pinball
            all.coverage90 += score.coverage90
            all.naiveError += score.naiveError
            all.profileError += score.profileError
            for (day, sums) in days { allDays[day] = zip(allDays[day] ?? [0, 0, 0], sums).map { $0 + $1 } }
        }
        return (zip(scores, days).map { Self.finished($0, $1) }) + [Self.finished(all, allDays)]
    }

    private static func finished(_ sums: CountScore, _ days: [Int64: [Double]]) -> CountScore {
        var score = sums
        let count = Double(max(1, sums.count))
        score.meanAbsoluteError /= count
        score.pinball /= count
        score.coverage90 /= count
        score.naiveError /= count
        score.profileError /= count
        let blocks = days.sorted { $0.key < $1.key }.map(\.value)
        score.naiveRatio = BlockBootstrap.ratio(blocks.map { ($0[0], $0[1]) })
        score.profileRatio = BlockBootstrap.ratio(blocks.map { ($0[0], $0[2]) })
        return score
    }
}
