/// What the events of a batch do to one facility: its frontier, its visits and, in a second step, its windows.
///
/// The store is asked twice. For `init`: the facility's frontier, and every stored event of the visits that the batch
/// changes (`FlowBatch.visits`). For `windows`: every stored event of each *other* visit of the facility that has
/// `arrival_at < range.upperBound AND greatest(present_until, treatment_start_at) >= range.lowerBound` for one of
/// `ranges` (visits whose `present_until` is NULL count nowhere), and, only if `frontierFell`, the keys of the stored
/// rows whose start lies after `frontier`.
public struct FacilityFold: Sendable {
    /// Where the facility's event time stands before the batch, as the store has it.
    public struct StoredFrontier: Sendable {
        /// The greatest `occurred_at` of its stored events; nil without any.
        public var greatest: Int64?
        /// The same without the events of `FlowBatch.replacedIDs`; read only when there are any.
        public var greatestOfOthers: Int64?

        /// A frontier; `greatestOfOthers` need only be asked for when the batch replaces stored events.
        public init(greatest: Int64?, greatestOfOthers: Int64?) {
            self.greatest = greatest
            self.greatestOfOthers = greatestOfOthers
        }
    }

    /// A row of `gold.occupancy_window` to write.
    public struct WindowUpdate: Sendable, Equatable {
        /// Its values.
        public var window: OccupancyWindow
        /// What is added to its revision (0 for a row that is not there yet): the late events that changed it.
        public var revisionRaise: Int
    }

    /// Which facility.
    public let facility: FlowName
    /// The lengths of its windows in minutes, ascending.
    public let lengths: [Int]
    /// The frontier after the batch; nil when no event is left.
    public private(set) var frontier: Int64?

    /// Before the batch.
    let frontierBefore: Int64?
    /// The visits that the batch changes, as they are after it.
    private(set) var visitsByName: [FlowName: VisitState] = [:]
    /// Rows to write besides those that the frontier opens, with their raises: they started at or before the frontier
    /// before the batch, or were changed late within it.
    private(set) var touched: [WindowKey: Int] = [:]

    private let frontierOfOthers: Int64?
    /// Times of the batch's events, and of those that it replaces while they are stored.
    private var times: [EventID: Int64] = [:]

    /// Folds the changes, one after the other. `stored` are the stored events of all visits that they change, in any
    /// order; `lengths` are 1 to 1,440 minutes, at most 8 of them.
    ///
    /// - Complexity: for each change, the events of its visit and the windows in which that visit looks different.
    public init(
        facility: FlowName, lengths: [Int], frontier stored: StoredFrontier, events: [FlowEvent],
        changes: [FlowBatch.Change]
    ) {
        precondition(
            !lengths.isEmpty && lengths.count <= 8 && lengths.allSatisfy { (1...1440).contains($0) },
            "windows have 1 to 1,440 minutes, and at most 8 lengths")
        self.facility = facility
        self.lengths = Set(lengths).sorted()
        frontierBefore = stored.greatest
        frontier = stored.greatest
        let removed = Set(changes.compactMap { $0.removed?.eventID })
        var replacesStored = false
        for event in events where event.facility == facility {
            visitsByName[event.visit, default: VisitState()].events.append(event)
            if removed.contains(event.eventID) {
                replacesStored = true
                times[event.eventID] = event.occurredAt
            }
        }
        frontierOfOthers = replacesStored ? stored.greatestOfOthers : stored.greatest
        for name in visitsByName.keys { visitsByName[name]?.fold() }
        for change in changes { apply(change) }
    }

    /// Whether a replaced event took the newest time away: rows that start after `frontier` become zero.
    public var frontierFell: Bool {
        guard let frontierBefore else { return false }
        return frontier.map { $0 < frontierBefore } ?? true
    }

    /// Rows of `silver.patient_visit` to write, ordered by visit.
    public var visits: [Visit] {
        visitsByName.values.compactMap { VisitFold.visit(of: $0.events) }.sorted { $0.id < $1.id }
    }

    /// Visits whose last event was replaced by another visit's: their rows are to be deleted.
    public var emptiedVisits: [VisitID] {
        visitsByName.filter { $0.value.events.isEmpty }.keys.sorted().map {
            VisitID(facility: facility, visit: $0)
        }
    }

    private mutating func apply(_ change: FlowBatch.Change) {
        let before = frontier
        var names = [change.removed, change.added].compactMap { $0?.visit }
        if names.count == 2 && names[0] == names[1] { names.removeLast() }
        let old = names.map { visitsByName[$0] ?? VisitState() }
        if let removed = change.removed {
            times[removed.eventID] = nil
            visitsByName[removed.visit]?.events.removeAll { $0.eventID == removed.eventID }
        }
        if let added = change.added {
            times[added.eventID] = added.occurredAt
            visitsByName[added.visit, default: VisitState()].events.append(added)
            frontier = max(frontier ?? added.occurredAt, added.occurredAt)
        }
        if change.removed != nil {
            frontier = times.values.reduce(frontierOfOthers) { max($0 ?? $1, $1) }
        }
        let moments = [change.removed, change.added].compactMap { $0?.occurredAt }
        for (name, old) in zip(names, old) {
            visitsByName[name]?.fold()
            compare(old, visitsByName[name] ?? VisitState(), at: moments, before: before, raises: change.isNew)
        }
    }

    /// Notes the windows in which a visit looks different after an event.
    private mutating func compare(
        _ old: VisitState, _ new: VisitState, at moments: [Int64], before: Int64?, raises: Bool
    ) {
        guard let last = [before, frontier].compactMap({ $0 }).max() else { return }
        let ranges = VisitTimeline.changes(from: old.timeline, to: new.timeline) + moments.map { $0...$0 }
        let sectors = old.sectors.union(new.sectors)
        for minutes in lengths {
            for start in WindowRanges.starts(in: ranges, minutes: minutes, upTo: last) {
                let end = start + Int64(minutes) * 60_000
                let late = before.map { end <= $0 } ?? false
                guard late || (frontierBefore.map { start <= $0 } ?? false) else { continue }
                for sector in sectors {
                    let key = WindowKey(sector: sector, minutes: minutes, start: start)
                    if old.picture(key) != new.picture(key) {
                        touched[key, default: 0] += late && raises ? 1 : 0
                    } else if old.endsSilently(at: key) != new.endsSilently(at: key) {
                        touched[key, default: 0] += 0
                    }
                }
            }
        }
    }
}

/// A visit of the facility while its events change.
struct VisitState: Sendable {
    var events: [FlowEvent] = []
    private(set) var timeline: VisitTimeline?

    /// After its events changed.
    mutating func fold() {
        timeline = VisitTimeline(of: events)
    }

    /// Every sector that its events name; the only ones that it can be in.
    var sectors: Set<FlowName> {
        Set(events.flatMap { [$0.sector, $0.sectorAfter] })
    }

    /// Whether a stay ends at the window's very start. It counts just before it, but when nobody departed (the patient
    /// is given up) it is no reason for the row: the value changes, and neither picture nor revision does.
    func endsSilently(at key: WindowKey) -> Bool {
        timeline?.stays.contains { $0.to == key.start && $0.sector == key.sector } ?? false
    }

    /// What the row would say if the visit were alone; nil when it is no reason for the row to be there.
    func picture(_ key: WindowKey) -> OccupancyWindow? {
        guard WindowFold.hasReason(key, timeline, naming: events) else { return nil }
        return WindowFold.row(key, CollectionOfOne(timeline).compactMap { $0 })
    }
}
