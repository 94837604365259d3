/// One sector's queue and all that has been learnt about its waits.
public struct SectorPredictor: Sendable {
    static let mostPending = 96

    var queue = SectorQueue()
    var learner = Learner()
    var standardiser = Standardiser(width: Features.count)
    var pending: [Pending] = []

    /// A sector of which nothing is known.
    public init() {}

    /// Takes an event in the order of the log, transfers excepted.
    /// - Parameter newest: the newest event time so far, by which who has been there for too long is taken off; the
    ///   event's own where it is not given.
    /// - Returns: the prediction made, when it was a visit's first arrival; and the wait that is now known, to be given
    ///   to `learn`.
    public mutating func observe(
        _ step: FlowStep, newest: Int64? = nil
    ) -> (prediction: WaitPrediction?, label: WaitLabel?) {
        var prediction: WaitPrediction?
        if step.kind == .arrival { prediction = predictArrival(step) }
        if step.kind == .cancelled { forget(step.visit) }
        let label = queue.take(step)
        queue.expire(at: newest ?? step.timestamp)
        return (prediction, label)
    }

    private mutating func predictArrival(_ step: FlowStep) -> WaitPrediction? {
        guard !remembers(step.visit), !queue.knowsArrival(step.visit) else { return nil }
        let acuity = step.acuity ?? 3
        let experts = SimpleExperts(queue, acuity: acuity, at: step.timestamp)
        var raw: [Double] = []
        Features.fill(&raw, queue, acuity: acuity, at: step.timestamp, experts: experts)
        standardiser.add(raw)
        var row: [Double] = []
        standardiser.standardise(raw, into: &row)
        let said = learner.speak(row, simple: experts)
        let (quantiles, bounds) = learner.shape(said.mixed, acuity: acuity)
        keep(
            Pending(
                visit: step.visit, acuity: acuity, features: row.dropLast().map(Packed.pack(feature:)),
                voices: said.voices.map(Packed.pack(root:)), mixed: said.mixed.map(Packed.pack(root:)),
                bounds: bounds.map(Packed.pack(root:))))
        return prediction(step.visit, acuity, step.timestamp, row: row, quantiles: quantiles, bounds: bounds)
    }

    /// From roots of minutes to what is told, nothing of it below so many minutes.
    func prediction(
        _ visit: VisitKey?, _ acuity: Int, _ time: Int64, row: [Double], quantiles: [Double], bounds: [Double],
        atLeast waited: Double = 0
    ) -> WaitPrediction {
        let told = quantiles.map { Told.minutes(ofRoot: $0, atLeast: waited) }
        return WaitPrediction(
            visit: visit, timestamp: time, acuity: acuity, predictedMinutes: told[Learner.median],
            intervals: Calibration.coverages.indices.map {
                // A bound and the median may be the same number before they are rounded.
                let lower = min(told[Learner.median], Told.minutes(ofRoot: bounds[2 * $0], atLeast: waited))
                let upper = max(told[Learner.median], Told.minutes(ofRoot: bounds[2 * $0 + 1], atLeast: waited))
                return lower...upper
            },
            quantiles: told, expertWeights: learner.expertWeights, movers: learner.movers(row))
    }

    /// Room is made by who left first, and if nobody did, by who came first.
    private mutating func keep(_ new: Pending) {
        if pending.count == Self.mostPending {
            let place = pending.firstIndex { queue.waitingPlace($0.visit) == nil } ?? 0
            pending.remove(at: place)
        }
        pending.append(new)
    }

    /// Learns a wait, once; a label without a kept prediction, or one longer than 12 hours, teaches nothing.
    /// - Returns: whether anything was learnt.
    @discardableResult
    public mutating func learn(_ label: WaitLabel) -> Bool {
        guard let place = pending.firstIndex(where: { $0.visit == label.visit }) else { return false }
        let known = pending.remove(at: place)
        let minutes = Double(label.waitMilliseconds) / 60_000
        guard minutes <= Limits.longestMinutes else { return false }
        learner.learn(known, minutes: minutes)
        return true
    }

    /// Whether the visit waits or is treated here.
    func holds(_ visit: VisitKey) -> Bool {
        queue.waitingPlace(visit) != nil || queue.treated.contains { $0.visit == visit }
    }

    /// Whether the visit's wait was predicted here and is not learnt yet.
    func remembers(_ visit: VisitKey) -> Bool { pending.contains { $0.visit == visit } }

    mutating func forget(_ visit: VisitKey) { pending.removeAll { $0.visit == visit } }

    mutating func release(_ visit: VisitKey) -> (waiting: WaitingVisit?, treated: TreatedVisit?) {
        queue.remove(visit)
    }

    mutating func accept(_ moved: (waiting: WaitingVisit?, treated: TreatedVisit?)) {
        if let visit = moved.waiting { queue.insert(visit) }
        if let visit = moved.treated { queue.insert(visit) }
    }
}
