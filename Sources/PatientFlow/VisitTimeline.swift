/// When a visit's patient was where, waiting or in treatment: what windows are made of.
///
/// ```
/// arrival A      treatment start S        departure E
///     ├── waiting [A, W) ──┼── treatment [S, E) ──┤
///     ├──── stay in ed ────────────┼ stay in ward ┤
/// ```
/// All intervals are half-open, none is empty. Instants are milliseconds since 1970 UTC.
public struct VisitTimeline: Sendable, Equatable {
    /// A time in one sector.
    public struct Stay: Sendable, Equatable {
        /// Where.
        public var sector: FlowName
        /// The first instant.
        public var from: Int64
        /// The first instant no more there.
        public var to: Int64

        /// A stay.
        public init(sector: FlowName, from: Int64, to: Int64) {
            self.sector = sector
            self.from = from
            self.to = to
        }
    }

    /// Something that is counted in the window that its time falls into.
    public struct Instant: Sendable, Equatable {
        /// What is counted.
        public enum Kind: Sendable, Equatable {
            /// The patient came.
            case arrival
            /// Came from another sector.
            case transferIn
            /// Went to another sector.
            case transferOut
            /// A wait of so many milliseconds ended.
            case treatmentStart(waitedMilliseconds: Int64)
            /// The patient went after so many milliseconds.
            case departure(stayedMilliseconds: Int64)
            /// Went unseen after so many milliseconds.
            case leftWithoutBeingSeen(stayedMilliseconds: Int64)
        }

        /// What is counted.
        public var kind: Kind
        /// When.
        public var time: Int64
        /// Where.
        public var sector: FlowName
    }

    /// A: when presence begins.
    public let arrival: Int64
    /// S: when treatment began, never before the arrival; nil when nothing is known of it.
    public let treatmentStart: Int64?
    /// E: when presence ends: the departure, or 60 days after the last event; 366 days after the arrival at most.
    public let end: Int64
    /// W: when waiting ends.
    public let waitEnd: Int64
    /// From arrival to end without a gap, neighbours in different sectors; none when both are one instant.
    public let stays: [Stay]
    /// What is counted, in no particular order.
    public let instants: [Instant]

    /// The timeline of a visit's events; nil when it is cancelled or nobody arrived: such a visit counts in no window.
    /// - Complexity: O(n log n) of the events.
    public init?(of events: [FlowEvent]) {
        guard let visit = VisitFold.visit(of: events) else { return nil }
        self.init(visit, events)
    }

    /// As above, with the visit folded already.
    init?(_ visit: Visit, _ events: [FlowEvent]) {
        guard let arrival = visit.arrivalAt, let end = visit.presentUntil else { return nil }
        let start = visit.treatmentStartAt.map { max(arrival, $0) }
        let path = Path(events, arrival: arrival, end: end)
        var instants = [Instant(kind: .arrival, time: arrival, sector: path.first)]
        if let start {
            let sector = path.stays.first { $0.from <= start && start < $0.to }?.sector ?? path.last
            instants.append(
                Instant(kind: .treatmentStart(waitedMilliseconds: start - arrival), time: start, sector: sector))
        }
        if visit.departureAt != nil {
            let kind: Instant.Kind =
                visit.disposition == .leftWithoutBeingSeen
                ? .leftWithoutBeingSeen(stayedMilliseconds: end - arrival)
                : .departure(stayedMilliseconds: end - arrival)
            instants.append(Instant(kind: kind, time: end, sector: path.last))
        }
        for (left, entered) in zip(path.stays, path.stays.dropFirst()) {
            instants.append(Instant(kind: .transferOut, time: left.to, sector: left.sector))
            instants.append(Instant(kind: .transferIn, time: entered.from, sector: entered.sector))
        }
        self.arrival = arrival
        treatmentStart = start
        self.end = end
        waitEnd = min(start ?? end, end)
        stays = path.stays
        self.instants = instants
    }

    /// The last instant at which the visit counts anywhere: its end, or a treatment start that came after it.
    public var reach: Int64 { max(end, treatmentStart ?? end) }

    /// The stay in which treatment began; nil without one, or when the visit was over by then.
    public var treatmentStay: Stay? {
        guard let treatmentStart else { return nil }
        return stays.first { $0.from <= treatmentStart && treatmentStart < $0.to }
    }

    /// The way through the sectors.
    private struct Path {
        /// Of the arrival.
        let first: FlowName
        /// Of the last stay; of the arrival without a stay.
        var last: FlowName
        var stays: [Stay] = []

        /// The sector at an instant is that of the latest event up to it, so of the events of one instant the
        /// greatest id decides.
        init(_ events: [FlowEvent], arrival: Int64, end: Int64) {
            let ordered = events.sorted { $0.moment < $1.moment }
            // The arrival is one of the events, so there is a latest one up to it.
            let split = ordered.firstIndex { $0.occurredAt > arrival } ?? ordered.count
            var sector = ordered[split - 1].sectorAfter
            first = sector
            last = sector
            guard arrival < end else { return }
            var from = arrival
            for index in split..<ordered.count {
                let time = ordered[index].occurredAt
                guard time < end else { break }
                let next = ordered[index].sectorAfter
                let decides = index + 1 == ordered.count || ordered[index + 1].occurredAt > time
                guard decides, next != sector else { continue }
                stays.append(Stay(sector: sector, from: from, to: time))
                (sector, from) = (next, time)
            }
            stays.append(Stay(sector: sector, from: from, to: end))
            last = sector
        }
    }
}
