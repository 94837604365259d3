/// Which events of a batch are new, and what they change: the first of three steps from a batch to window rows.
///
/// 1. The store is asked for the events that it holds under the batch's event ids, in any facility; that and the
///    batch make a `FlowBatch`.
/// 2. For each facility in `changes`, the store is asked for its frontier and for all stored events of the visits in
///    `visits`; that makes a `FacilityFold`.
/// 3. For each fold, the store is asked for the events of other visits in `FacilityFold.ranges`; that gives the rows.
///
/// All three are pure: the same values in, the same values out, however the log is cut into batches.
public struct FlowBatch: Sendable {
    /// What became of one event.
    public enum Outcome: Sendable, Equatable {
        /// Its id is new: it is stored, and the predictor hears of it.
        case inserted
        /// Its id is known from this or a lower place in the log: nothing changes.
        case duplicate
        /// Its id is known from a higher place in the log: it takes the stored event's place. For the ledger a
        /// duplicate; the predictor hears nothing.
        case replaced
    }

    /// What one event does to a facility.
    public struct Change: Sendable, Equatable {
        /// An event that is stored no longer.
        public var removed: FlowEvent?
        /// An event that is stored now.
        public var added: FlowEvent?

        /// Whether it is the first event of its id, the only kind that can raise a revision.
        public var isNew: Bool

        /// A change.
        public init(removed: FlowEvent? = nil, added: FlowEvent?, isNew: Bool) {
            self.removed = removed
            self.added = added
            self.isNew = isNew
        }
    }

    /// For each event of the batch, in its order.
    public private(set) var outcomes: [Outcome] = []
    /// Rows of `silver.patient_flow_event` to write, one an id: inserted, or put in the place of the stored one.
    public private(set) var stored: [FlowEvent] = []
    /// What is new for the predictor, in log order.
    public private(set) var inserted: [FlowEvent] = []
    /// What changes in each facility, in log order.
    public private(set) var changes: [FlowName: [Change]] = [:]
    /// Ids whose stored events are replaced or moved, by the facility that they are stored in.
    public private(set) var replacedIDs: [FlowName: Set<EventID>] = [:]

    /// Judges events in log order; `known` are the stored events that have one of their ids, in any order.
    /// - Complexity: linear.
    public init(_ events: [FlowEvent], known: [FlowEvent]) {
        var current: [EventID: FlowEvent] = [:]
        for event in known { current[event.eventID] = event }
        let before = current
        var order: [EventID] = []
        for event in events {
            guard let old = current[event.eventID] else {
                outcomes.append(.inserted)
                inserted.append(event)
                order.append(event.eventID)
                current[event.eventID] = event
                changes[event.facility, default: []].append(Change(added: event, isNew: true))
                continue
            }
            guard event.position < old.position else {
                outcomes.append(.duplicate)
                continue
            }
            outcomes.append(.replaced)
            order.append(event.eventID)
            current[event.eventID] = event
            replace(old, event, wasStored: before[event.eventID] != nil)
        }
        var written: Set<EventID> = []
        for id in order where written.insert(id).inserted {
            if let event = current[id] { stored.append(event) }
        }
    }

    /// The visits that change; all their stored events are needed for the folds.
    public var visits: Set<VisitID> {
        var visits: Set<VisitID> = []
        for change in changes.values.joined() {
            for event in [change.removed, change.added] {
                if let event { visits.insert(event.visitID) }
            }
        }
        return visits
    }

    private mutating func replace(_ old: FlowEvent, _ new: FlowEvent, wasStored: Bool) {
        if wasStored { replacedIDs[old.facility, default: []].insert(old.eventID) }
        if old.facility == new.facility {
            changes[new.facility, default: []].append(Change(removed: old, added: new, isNew: false))
        } else {
            changes[old.facility, default: []].append(Change(removed: old, added: nil, isNew: false))
            changes[new.facility, default: []].append(Change(added: new, isNew: false))
        }
    }
}
