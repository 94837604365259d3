/// What the predictor is held against: the simple predictors of the literature, each with unlimited memory and written
/// apart from the features and experts of the service, but for the queue itself. Minutes.
public struct Baselines {
    /// In the order of `predict`; the constant median is added when all is known.
    public static let names = [
        "median_acuity_hour", "ra5", "ra10", "ra20", "ra50", "posted_4h", "ra10_acuity", "les", "hol", "ql", "erlang_c",
    ]

    private var queue = SectorQueue()
    private var ended: [(at: Int64, minutes: Double)] = []
    private var byAcuity = [[Double]](repeating: [], count: 5)
    private var byHour = [[Double]](repeating: [], count: 5 * 24)

    /// A sector of which nothing is known.
    public init() {}

    /// What each would have said to a patient who arrives now.
    public func predict(acuity: Int, at time: Int64) -> [Double] {
        let last = ended.last?.minutes ?? 0
        let acuityMean = mean(byAcuity[acuity - 1].suffix(10)) ?? last
        let cell = byHour[(acuity - 1) * 24 + Self.hour(time)].suffix(400)
        let hourly = cell.count >= 10 ? Percentile.median(Array(cell)) : acuityMean
        let experts = SimpleExperts(queue, acuity: acuity, at: time)
        let oldest = queue.waiting.map(\.arrivedAt).min().map { Double(max(0, time - $0)) / 60_000 } ?? 0
        return [
            hourly, rolling(5), rolling(10), rolling(20), rolling(50), posted(at: time) ?? last, acuityMean, last,
            oldest, experts.values[8], experts.values[11],
        ]
    }

    /// Takes an event, after `predict` for an arrival.
    public mutating func observe(_ step: FlowStep) {
        let arrivedAt = queue.waitingPlace(step.visit).map { queue.waiting[$0].arrivedAt } ?? step.timestamp
        let acuity = step.acuity ?? queue.waitingPlace(step.visit).map { queue.waiting[$0].acuity } ?? 3
        let label = queue.take(step)
        queue.expire(at: step.timestamp)
        guard let label else { return }
        let minutes = Double(label.waitMilliseconds) / 60_000
        ended.append((step.timestamp, minutes))
        byAcuity[acuity - 1].append(minutes)
        byHour[(acuity - 1) * 24 + Self.hour(arrivedAt)].append(minutes)
    }

    /// Takes a patient out or in; a transfer.
    mutating func move(_ visit: VisitKey, to other: inout Baselines) {
        other.accept(queue.remove(visit))
    }

    private mutating func accept(_ moved: (waiting: WaitingVisit?, treated: TreatedVisit?)) {
        if let visit = moved.waiting { queue.insert(visit) }
        if let visit = moved.treated { queue.insert(visit) }
    }

    private static func hour(_ time: Int64) -> Int { Int((time % 86_400_000 + 86_400_000) % 86_400_000 / 3_600_000) }

    private func rolling(_ count: Int) -> Double { mean(ended.suffix(count).map(\.minutes)[...]) ?? 0 }

    /// The mean of the waits that ended in the last four hours: what a hospital posts.
    private func posted(at time: Int64) -> Double? {
        var sum = 0.0
        var count = 0
        for wait in ended.reversed() {
            guard wait.at > time - 4 * 3_600_000 else { break }
            sum += wait.minutes
            count += 1
        }
        return count > 0 ? sum / Double(count) : nil
    }

    private func mean(_ values: ArraySlice<Double>) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
}

/// Order statistics of a few numbers.
enum Percentile {
    /// The middle, or the mean of the two in the middle; 0 of nothing.
    static func median(_ values: [Double]) -> Double { of(values.sorted(), 0.5) }

    /// Between the neighbours in a straight line (Hyndman and Fan 1996, type 7); 0 of nothing.
    static func of(_ sorted: [Double], _ share: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        let place = share * Double(sorted.count - 1)
        let lower = Int(place)
        let upper = min(lower + 1, sorted.count - 1)
        return sorted[lower] + (place - Double(lower)) * (sorted[upper] - sorted[lower])
    }
}
