internal import Glibc

/// A count some hours ahead: its middle and quantiles.
public struct CountForecast: Sendable, Equatable {
    /// The expected count.
    public let mean: Double
    /// The middle of the root of count + 3/8, and the quantiles of what was missed there lately.
    let root: Double
    let residuals: [Double]
    /// The variance of the count; nil where its spread is measured instead.
    let variance: Double?

    /// The count that so large a share of outcomes does not exceed.
    public func quantile(_ level: Double) -> Double {
        if let variance { return NegativeBinomial(mean: mean, variance: variance).quantile(level) }
        guard residuals.count >= 20 else { return max(0, mean + (level - 0.5) * mean.squareRoot() * 2) }
        let value = max(0, root + Percentile.of(residuals, level))
        return max(0, value * value - 0.375)
    }

    /// The same for several levels, ascending.
    public func quantiles(_ levels: [Double]) -> [Double] { levels.map(quantile) }
}

/// Forecasts an hourly series at fixed horizons: recursive least squares on the root of count + 3/8, one model a
/// horizon, learnt as hours become known, in their order.
public struct CountForecaster: Sendable {
    /// Counts of events within an hour are spread like a negative binomial; how many are present has a spread that is
    /// measured.
    public enum Kind: UInt8, Sendable {
        /// Arrivals: events in an hour.
        case events = 1
        /// Occupancy: who is present.
        case level
    }

    static let width = 41
    static let kept = 400

    let kind: Kind
    /// Hours ahead, ascending.
    public let horizons: [Int]
    var history = HourlyHistory()
    var models: [LeastSquares]
    var spreads: [Ring<Float>]
    /// Per horizon: mean squared miss in roots, and of the count beyond Poisson.
    var rootVariance: [Double]
    var excess: [Double]
    var labels: [Int]
    /// Rows that wait for their hour, per horizon, the oldest first.
    var open: [[(hour: Int64, row: [Double], said: Double, mean: Double)]]
    /// What was forecast from the newest hour, a forecast for each horizon; nil before the first hour.
    public internal(set) var newest: [CountForecast]?

    /// A series of which nothing is known. Horizons are whole hours, 1 to 48.
    public init(_ kind: Kind, horizons: [Int]) {
        precondition(horizons.allSatisfy { (1...48).contains($0) }, "a horizon is 1 to 48 hours")
        self.kind = kind
        self.horizons = horizons
        models = horizons.map { _ in LeastSquares(width: Self.width, forgetting: 0.9998, ridge: 1) }
        spreads = horizons.map { _ in Ring(capacity: Self.kept) }
        rootVariance = horizons.map { _ in 0.25 }
        excess = horizons.map { _ in 0 }
        labels = horizons.map { _ in 0 }
        open = horizons.map { _ in [] }
    }

    /// Takes an hour's count, nil where it is missing; hours come in their order, and gaps count as missing. Then
    /// forecasts from it.
    /// - Parameter hour: since 1970 UTC.
    /// - Returns: a forecast for each horizon, counted from this hour: 1 is the next hour.
    public mutating func observe(_ count: Double?, hour: Int64) -> [CountForecast] {
        precondition(history.newest.map { $0 < hour } ?? true, "hours come in order")
        for place in horizons.indices { learn(count, hour: hour, horizon: place) }
        history.add(count, hour: hour)
        var forecasts: [CountForecast] = []
        for place in horizons.indices {
            let (forecast, row) = forecast(hour: hour, horizon: place)
            open[place].append((hour + Int64(horizons[place]), row, forecast.root, forecast.mean))
            forecasts.append(forecast)
        }
        newest = forecasts
        return forecasts
    }

    private mutating func learn(_ count: Double?, hour: Int64, horizon: Int) {
        while let first = open[horizon].first, first.hour <= hour {
            open[horizon].removeFirst()
            guard first.hour == hour, let count else { continue }
            let target = HourlyHistory.root(count)
            let missed = target - first.said
            labels[horizon] += 1
            let share = 1 / Double(min(labels[horizon], 2_000) + 5)
            if labels[horizon] > 168 {
                rootVariance[horizon] += (missed * missed - rootVariance[horizon]) * share
                let error = count - first.mean
                let beyond = (error * error - first.mean) / max(1, first.mean * first.mean)
                excess[horizon] += (min(beyond, 4) - excess[horizon]) * share
                spreads[horizon].append(Float(missed))
            }
            models[horizon].learn(first.row, target: target)
        }
    }

    /// What is expected some hours after the newest one, and the row that says so.
    func forecast(hour: Int64, horizon: Int) -> (told: CountForecast, row: [Double]) {
        let recent = [Int64(1), 3, 6, 24, 168].map { history.recent($0) ?? (1, 0, 0) }
        let row = row(hour: hour, ahead: horizons[horizon], recent: recent)
        let naive = row[0]
        // Until a week has taught it, the profile speaks.
        let said = max(0.4, labels[horizon] < 168 ? naive : models[horizon].predict(row))
        let mean = max(0.02, said * said - 0.375 + min(rootVariance[horizon], 4))
        // Beyond that the sum of probabilities would begin below the least number.
        let isCounted = kind == .events && mean <= 300
        let variance = isCounted ? mean + max(0, excess[horizon]) * mean * mean : nil
        let residuals = isCounted ? [] : spreads[horizon].inOrder.map(Double.init).sorted()
        return (CountForecast(mean: mean, root: said, residuals: residuals, variance: variance), row)
    }

    /// What the model sees of an hour that lies ahead.
    private func row(hour: Int64, ahead: Int, recent: [(level: Double, deviation: Double, slow: Double)]) -> [Double] {
        let target = hour + Int64(ahead)
        let now = recent[0].level
        let daily = history.daily(at: target) ?? now
        let profile = history.profile(at: target) ?? daily
        var row = [profile, daily, history.root(at: target - 168) ?? profile, now]
        row.append(history.profile(at: hour) ?? now)
        for part in recent { row.append(part.deviation) }
        row.append(history.slowProfile(at: target) ?? profile)
        for part in recent[2...] { row.append(part.slow) }
        row.append(recent[3].level)
        row.append(recent[4].level)
        row.append(history.root(at: target - Int64((ahead + 23) / 24 * 24)) ?? daily)
        // Where it was lately, and how it went on from here yesterday and a week ago.
        for back in [Int64(1), 2, 3, 24, 168] { row.append(history.root(at: hour - back) ?? now) }
        row.append(history.slowProfile(at: hour) ?? now)
        let day = 2 * Double.pi * Double((target % 24 + 24) % 24) / 24
        for harmonic in 1...4 {
            row.append(sin(Double(harmonic) * day))
            row.append(cos(Double(harmonic) * day))
        }
        let year = 2 * Double.pi * Double(target) / 8_766
        for harmonic in 1...2 {
            row.append(sin(Double(harmonic) * year))
            row.append(cos(Double(harmonic) * year))
        }
        // 1970-01-01 was a Thursday.
        let weekday = ((target / 24 + 3) % 7 + 7) % 7
        for name in 0..<5 { row.append(Int64(name) == weekday ? 1 : 0) }
        row.append(1)
        return row
    }
}

/// Counts whose variance is at least their mean.
struct NegativeBinomial {
    let mean: Double
    let variance: Double

    /// The least count whose cumulated probability reaches the level.
    func quantile(_ level: Double) -> Double {
        let limit = Int(mean + 12 * variance.squareRoot()) + 20
        var count = 0
        var probability: Double
        let isPoisson = variance <= mean * 1.000_001
        let size = isPoisson ? 0 : mean * mean / (variance - mean)
        let miss = isPoisson ? 0 : mean / variance
        probability = isPoisson ? exp(-mean) : exp(size * log(miss))
        var sum = probability
        while sum < level, count < limit {
            count += 1
            let step = isPoisson ? mean : (size + Double(count) - 1) * (1 - miss)
            probability *= step / Double(count)
            sum += probability
        }
        return Double(count)
    }
}
