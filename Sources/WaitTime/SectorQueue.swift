/// A patient who waits in the sector.
struct WaitingVisit {
    var visit: VisitKey
    var arrivedAt: Int64
    /// 1 to 5; 3 until it is known.
    var acuity: Int
    /// How many waited before this one at the arrival, by priority.
    var ahead: Int
    /// The visit's own id; nil where none was given, or where it would have been too much text for one sector.
    var visitID: String?
}

/// A patient who is treated in the sector.
struct TreatedVisit {
    var visit: VisitKey
    var startedAt: Int64
    /// Nil while the arrival has not been seen.
    var arrivedAt: Int64?
    var acuity: Int
}

/// A wait that has ended with treatment.
struct EndedWait {
    var endedAt: Int64
    var wait: Int64
    var acuity: Int
    /// How many waited before it when it began.
    var ahead: Int
}

/// A wait that ended, to be learnt once its event is committed.
public struct WaitLabel: Sendable, Equatable {
    /// Whose wait.
    public let visit: VisitKey
    /// From arrival to start of treatment, milliseconds, at least 0.
    public let waitMilliseconds: Int64

    /// A wait of this visit.
    public init(visit: VisitKey, waitMilliseconds: Int64) {
        self.visit = visit
        self.waitMilliseconds = waitMilliseconds
    }
}

/// Who waits and who is treated in one sector, and what has happened lately: all that features are made of.
/// It follows events in the order of the log; event time may go back a little. All lists are bounded: who has been
/// there for too long is taken off by `expire`.
struct SectorQueue {
    static let mostWaiting = 256
    static let mostTreated = 256
    /// How many bytes of visit ids are kept: 64 for each who waits where so many wait.
    static let mostNameBytes = 16_384
    /// A wait without an end for so long was not recorded: the visit is taken off the queue.
    static let longestWait: Int64 = 24 * 3_600_000
    static let longestStay: Int64 = 7 * 24 * 3_600_000

    var waiting: [WaitingVisit] = []
    var treated: [TreatedVisit] = []
    var ended = Ring<EndedWait>(capacity: 256)
    /// Waits by acuity, 1 to 5, milliseconds.
    var endedByAcuity = [Ring<Int64>](repeating: Ring(capacity: 32), count: 5)
    var arrivals = Ring<Int64>(capacity: 256)
    var departures = Ring<Int64>(capacity: 128)
    var treatments = Ring<Int64>(capacity: 50)
    /// Who has gone, so that an arrival told late does not wait for ever.
    var gone = Ring<VisitKey>(capacity: 64)
    var hourly = HourlyMedians()
    var pace = ServicePace()

    /// How many are here, waiting or in treatment.
    var present: Int { waiting.count + treated.count }

    /// Takes a step of this sector. A transfer is taken by `remove` and `insert`.
    /// - Returns: the wait that is now known from beginning to end, if any.
    mutating func take(_ step: FlowStep) -> WaitLabel? {
        switch step.kind {
        case .arrival: return arrive(step)
        case .triage: setAcuity(step)
        case .treatmentStart: return start(step)
        case .departure: depart(step)
        case .leftWithoutBeingSeen:
            // A start of treatment beats it.
            if let place = waitingPlace(step.visit) {
                waiting.remove(at: place)
                gone.append(step.visit)
            }
        case .cancelled: cancel(step.visit)
        case .transfer: break
        }
        return nil
    }

    private mutating func arrive(_ step: FlowStep) -> WaitLabel? {
        arrivals.append(step.timestamp)
        if let place = treated.firstIndex(where: { $0.visit == step.visit }) {
            guard treated[place].arrivedAt == nil else { return nil }
            treated[place].arrivedAt = step.timestamp
            if let acuity = step.acuity { treated[place].acuity = acuity }
            return end(of: treated[place], ahead: 0)
        }
        guard waitingPlace(step.visit) == nil, !isGone(step.visit) else { return nil }
        let acuity = step.acuity ?? 3
        insert(
            WaitingVisit(
                visit: step.visit, arrivedAt: step.timestamp, acuity: acuity,
                ahead: ahead(ofAcuity: acuity, arrivedAt: step.timestamp), visitID: step.visitID))
        return nil
    }

    private mutating func setAcuity(_ step: FlowStep) {
        guard let acuity = step.acuity else { return }
        if let place = waitingPlace(step.visit) {
            waiting[place].acuity = acuity
        } else if let place = treated.firstIndex(where: { $0.visit == step.visit }) {
            treated[place].acuity = acuity
        }
    }

    private mutating func start(_ step: FlowStep) -> WaitLabel? {
        guard !treated.contains(where: { $0.visit == step.visit }) else { return nil }
        let place = waitingPlace(step.visit)
        let visit = place.map { waiting[$0] }
        if let place { waiting.remove(at: place) }
        if treated.count == Self.mostTreated { treated.removeFirst() }
        let treatedVisit = TreatedVisit(
            visit: step.visit, startedAt: step.timestamp, arrivedAt: visit?.arrivedAt,
            acuity: step.acuity ?? visit?.acuity ?? 3)
        treated.append(treatedVisit)
        pace.start(at: step.timestamp, waitingBehind: waiting.count, inTreatment: treated.count)
        return end(of: treatedVisit, ahead: visit?.ahead ?? 0)
    }

    /// Books the end of a wait whose arrival and start are both known.
    private mutating func end(of visit: TreatedVisit, ahead: Int) -> WaitLabel? {
        guard let arrivedAt = visit.arrivedAt else { return nil }
        let wait = max(0, visit.startedAt - arrivedAt)
        ended.append(EndedWait(endedAt: visit.startedAt, wait: wait, acuity: visit.acuity, ahead: ahead))
        endedByAcuity[visit.acuity - 1].append(wait)
        hourly.add(wait: wait, acuity: visit.acuity, arrivedAt: arrivedAt)
        return WaitLabel(visit: visit.visit, waitMilliseconds: wait)
    }

    private mutating func depart(_ step: FlowStep) {
        if let place = waitingPlace(step.visit) { waiting.remove(at: place) }
        if let place = treated.firstIndex(where: { $0.visit == step.visit }) {
            departures.append(step.timestamp)
            treatments.append(max(0, step.timestamp - treated[place].startedAt))
            treated.remove(at: place)
        }
        gone.append(step.visit)
    }

    private mutating func cancel(_ visit: VisitKey) {
        if let place = waitingPlace(visit) { waiting.remove(at: place) }
        if let place = treated.firstIndex(where: { $0.visit == visit }) { treated.remove(at: place) }
        gone.append(visit)
    }

    /// Takes a patient in, from another sector too.
    mutating func insert(_ visit: WaitingVisit) {
        // The oldest has most likely gone unnoticed.
        if waiting.count == Self.mostWaiting { waiting.removeFirst() }
        var kept = visit
        let bytes = waiting.reduce(visit.visitID?.utf8.count ?? 0) { $0 + ($1.visitID?.utf8.count ?? 0) }
        if bytes > Self.mostNameBytes { kept.visitID = nil }
        waiting.append(kept)
    }

    mutating func insert(_ visit: TreatedVisit) {
        if treated.count == Self.mostTreated { treated.removeFirst() }
        treated.append(visit)
    }

    /// Takes a patient out for another sector.
    mutating func remove(_ visit: VisitKey) -> (waiting: WaitingVisit?, treated: TreatedVisit?) {
        if let place = waitingPlace(visit) { return (waiting.remove(at: place), nil) }
        guard let place = treated.firstIndex(where: { $0.visit == visit }) else { return (nil, nil) }
        return (nil, treated.remove(at: place))
    }

    func waitingPlace(_ visit: VisitKey) -> Int? { waiting.firstIndex { $0.visit == visit } }

    private func isGone(_ visit: VisitKey) -> Bool {
        for age in 0..<gone.count where gone[age: age] == visit { return true }
        return false
    }

    /// How many wait before a patient of this acuity: the more urgent ones, and of the same those who came earlier.
    func ahead(ofAcuity acuity: Int, arrivedAt: Int64) -> Int {
        waiting.reduce(0) {
            $0 + ($1.acuity < acuity || ($1.acuity == acuity && $1.arrivedAt <= arrivedAt) ? 1 : 0)
        }
    }

    /// Takes off who has been there for longer than anybody waits or stays, seen from the newest event time.
    /// - Returns: whether anybody was.
    @discardableResult
    mutating func expire(at newest: Int64) -> Bool {
        let before = present
        if let first = waiting.first, newest - first.arrivedAt > Self.longestWait {
            waiting.removeAll { newest - $0.arrivedAt > Self.longestWait }
        }
        if let first = treated.first, newest - first.startedAt > Self.longestStay {
            treated.removeAll { newest - $0.startedAt > Self.longestStay }
        }
        return present != before
    }

    /// Whether an arrival of this visit says nothing new: it waits, its arrival is known, or it has gone.
    func knowsArrival(_ visit: VisitKey) -> Bool {
        if waitingPlace(visit) != nil || isGone(visit) { return true }
        return treated.contains { $0.visit == visit && $0.arrivedAt != nil }
    }
}
