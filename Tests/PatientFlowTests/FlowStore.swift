import PatientFlow

/// A store in memory that answers exactly the questions that the folds' comments ask, and writes what they say.
struct FlowStore {
    let lengths: [Int]
    private(set) var events: [EventID: FlowEvent] = [:]
    private(set) var visits: [VisitID: Visit] = [:]
    private(set) var windows: [NaiveFlow.Place: OccupancyWindow] = [:]
    private(set) var revisions: [NaiveFlow.Place: Int] = [:]
    private(set) var outcomes: [FlowBatch.Outcome] = []
    private(set) var inserted: [FlowEvent] = []
    /// Events that were read for windows; to see that not everything is.
    private(set) var eventsRead = 0

    init(lengths: [Int]) {
        self.lengths = lengths
    }

    mutating func take(_ log: [FlowEvent]) {
        let ids = Set(log.map(\.eventID))
        let batch = FlowBatch(log, known: events.values.filter { ids.contains($0.eventID) })
        let folds = batch.changes.keys.sorted().map { fold($0, batch) }
        outcomes += batch.outcomes
        inserted += batch.inserted
        for event in batch.stored { events[event.eventID] = event }
        for fold in folds { write(fold) }
    }

    private func fold(_ facility: FlowName, _ batch: FlowBatch) -> FacilityFold {
        let own = events.values.filter { $0.facility == facility }
        let others = own.filter { !batch.replacedIDs[facility, default: []].contains($0.eventID) }
        let frontier = FacilityFold.StoredFrontier(
            greatest: own.map(\.occurredAt).max(),
            greatestOfOthers: batch.replacedIDs[facility] == nil ? nil : others.map(\.occurredAt).max())
        return FacilityFold(
            facility: facility, lengths: lengths, frontier: frontier,
            events: own.filter { batch.visits.contains($0.visitID) }, changes: batch.changes[facility] ?? [])
    }

    private mutating func write(_ fold: FacilityFold) {
        let ranges = fold.ranges
        // Rows of visits as they were before this fold: what a query in the transaction sees of the others.
        let read = visits.values.filter { visit in
            guard visit.id.facility == fold.facility, let until = visit.presentUntil, let arrival = visit.arrivalAt
            else { return false }
            return ranges.contains {
                arrival < $0.upperBound && max(until, visit.treatmentStartAt ?? until) >= $0.lowerBound
            }
        }
        let wanted = Set(read.map(\.id)).subtracting(fold.visits.map(\.id))
        let others = events.values.filter { wanted.contains($0.visitID) }
        eventsRead += others.count
        let beyond = windows.keys.filter { place in
            place.facility == fold.facility && (fold.frontier.map { place.key.start > $0 } ?? true)
        }
        let updates = fold.windows(others: others, existing: fold.frontierFell ? beyond.map(\.key) : [])
        for visit in fold.visits { visits[visit.id] = visit }
        for visit in fold.emptiedVisits { visits[visit] = nil }
        for update in updates {
            let place = NaiveFlow.Place(facility: fold.facility, key: update.window.key)
            windows[place] = update.window
            revisions[place, default: 0] += update.revisionRaise
        }
    }
}
