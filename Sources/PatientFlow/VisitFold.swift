/// Folds the events of one visit into its row; the order of the events does not matter.
public enum VisitFold {
    /// For how long after their last event somebody without a departure is counted as present: 60 days.
    public static let givenUpAfterMilliseconds: Int64 = 60 * 86_400_000

    /// Nobody is counted as present for longer than this: 366 days. A message with seconds for milliseconds would
    /// otherwise make a stay of half a century.
    public static let longestPresenceMilliseconds: Int64 = 366 * 86_400_000

    /// The row of a visit; nil without events. All events are of one visit, each event id stands once.
    /// - Complexity: linear in the events.
    public static func visit(of events: [FlowEvent]) -> Visit? {
        guard let first = events.first else { return nil }
        let cancelled = events.contains { $0.kind == .cancelled }
        let arrival = earliest(.arrival, events)
        let triage = earliest(.triage, events)
        let treatment = earliest(.treatmentStart, events)
        let departed = earliest(.departure, events)
        let unseen = treatment == nil ? earliest(.leftWithoutBeingSeen, events) : nil
        let last = events.reduce(first.occurredAt) { max($0, $1.occurredAt) }
        var visit = Visit(
            id: first.visitID, sector: sector(of: events) ?? first.sector,
            patient: latest(events) { $0.patient != nil }?.patient,
            acuity: latest(events) { $0.acuity != nil }?.acuity, arrivalAt: arrival, triageAt: triage,
            treatmentStartAt: treatment, departureAt: [departed, unseen].compactMap { $0 }.min(),
            disposition: .inProgress, revision: events.count, impossible: [], lastEventAt: last, presentUntil: nil)
        if cancelled {
            visit.disposition = .cancelled
        } else if unseen != nil {
            visit.disposition = .leftWithoutBeingSeen
        } else if departed != nil {
            visit.disposition = .departed
        }
        visit.impossible = impossible(visit, happened: events.contains { $0.kind != .cancelled })
        visit.presentUntil = presentUntil(visit)
        return visit
    }

    /// The end of presence in windows: the departure, never before the arrival; without one, a limit.
    private static func presentUntil(_ visit: Visit) -> Int64? {
        guard let arrival = visit.arrivalAt, visit.disposition != .cancelled else { return nil }
        let end = visit.departureAt.map { max(arrival, $0) } ?? visit.lastEventAt + givenUpAfterMilliseconds
        return min(end, arrival + longestPresenceMilliseconds)
    }

    /// Where the latest event leaves the patient; a cancellation moves nobody, unless there is nothing else.
    private static func sector(of events: [FlowEvent]) -> FlowName? {
        let moving = latest(events) { $0.kind != .cancelled }
        return (moving ?? latest(events) { _ in true })?.sectorAfter
    }

    private static func impossible(_ visit: Visit, happened: Bool) -> Visit.Impossible {
        func before(_ one: Int64?, _ other: Int64?) -> Bool {
            guard let one, let other else { return false }
            return one < other
        }
        var bits: Visit.Impossible = []
        if before(visit.departureAt, visit.arrivalAt) { bits.insert(.departureBeforeArrival) }
        if before(visit.treatmentStartAt, visit.arrivalAt) { bits.insert(.treatmentBeforeArrival) }
        if before(visit.triageAt, visit.arrivalAt) { bits.insert(.triageBeforeArrival) }
        if before(visit.departureAt, visit.treatmentStartAt) { bits.insert(.departureBeforeTreatment) }
        if visit.arrivalAt == nil && happened { bits.insert(.noArrival) }
        return bits
    }

    private static func earliest(_ kind: FlowKind, _ events: [FlowEvent]) -> Int64? {
        events.reduce(nil as Int64?) { least, event in
            event.kind == kind ? min(least ?? event.occurredAt, event.occurredAt) : least
        }
    }

    private static func latest(_ events: [FlowEvent], where counts: (FlowEvent) -> Bool) -> FlowEvent? {
        var latest: FlowEvent?
        for event in events where counts(event) {
            if let found = latest, event.moment < found.moment { continue }
            latest = event
        }
        return latest
    }
}
