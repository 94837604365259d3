import PatientFlow
import Testing

/// Which events of a batch are new, known, or take a stored one's place.
@Suite struct FlowBatchTests {
    /// The same id at another place of the log, perhaps with other content.
    private func again(_ event: FlowEvent, _ partition: Int32, _ offset: Int64, visit: FlowName? = nil) -> FlowEvent {
        var event = event
        event.partition = partition
        event.offset = offset
        event.visit = visit ?? event.visit
        return event
    }

    @Test func `an id counts once, within the batch and against the store`() {
        let (one, two) = (event(.arrival, "10:00", 1), event(.triage, "10:01", 2))
        let batch = FlowBatch([one, two, again(two, 1, 7), again(one, 1, 8), again(two, 2, 0)], known: [one])
        #expect(batch.outcomes == [.duplicate, .inserted, .duplicate, .duplicate, .duplicate])
        #expect(batch.stored == [two] && batch.inserted == [two])
        #expect(batch.changes == ["north": [FlowBatch.Change(added: two, isNew: true)]])
        #expect(batch.visits == [VisitID(facility: "north", visit: "v")] && batch.replacedIDs.isEmpty)
        #expect(batch.changes["north"]?.first?.isNew == true)
    }

    @Test func `a lower place takes the row over, and is no news`() {
        let stored = event(.arrival, "10:00", 9)
        let lower = again(stored, 1, 3, visit: "w")
        let lowest = again(stored, 0, 99, visit: "x")
        let batch = FlowBatch([lower, lowest, stored], known: [stored])
        #expect(batch.outcomes == [.replaced, .replaced, .duplicate])
        #expect(batch.stored == [lowest] && batch.inserted.isEmpty)
        #expect(batch.replacedIDs == ["north": [stored.eventID]])
        #expect(Set(batch.visits.map(\.visit)) == ["v", "w", "x"])
        let changes = batch.changes["north"] ?? []
        #expect(changes.map(\.removed) == [stored, lower] && changes.map(\.added) == [lower, lowest])
        #expect(changes.allSatisfy { !$0.isNew })
    }

    @Test func `what is replaced before it was stored is written once, and heard of as it came first`() {
        let first = event(.arrival, "10:00", 9)
        let lower = again(first, 0, 1)
        let batch = FlowBatch([first, lower], known: [])
        #expect(batch.outcomes == [.inserted, .replaced])
        #expect(batch.stored == [lower] && batch.inserted == [first] && batch.replacedIDs.isEmpty)
    }

    @Test func `an event that moves to another facility leaves the first`() {
        let stored = event(.arrival, "10:00", 9)
        var moved = again(stored, 0, 1)
        moved.facility = "south"
        let batch = FlowBatch([moved], known: [stored])
        #expect(batch.replacedIDs == ["north": [stored.eventID]] && batch.stored == [moved])
        #expect(batch.changes["north"]?.map(\.removed) == [stored] && batch.changes["north"]?.map(\.added) == [nil])
        #expect(batch.changes["south"]?.map(\.added) == [moved] && batch.changes["south"]?.map(\.removed) == [nil])
        #expect(batch.changes.values.joined().allSatisfy { !$0.isNew })
        let fold = FacilityFold(
            facility: "north", lengths: [5], frontier: .init(greatest: at("10:00"), greatestOfOthers: nil),
            events: [stored], changes: batch.changes["north"] ?? [])
        #expect(fold.frontier == nil && fold.frontierFell)
        #expect(fold.visits.isEmpty && fold.emptiedVisits == [stored.visitID])
        let beyond = WindowKey(sector: "ed", minutes: 5, start: at("09:00"))
        #expect(
            fold.windows(others: [], existing: [beyond]).map(\.window) == [
                OccupancyWindow(key: beyond),
                OccupancyWindow(key: WindowKey(sector: "ed", minutes: 5, start: at("10:00"))),
            ])
    }

    @Test func `nothing in, nothing out`() {
        let batch = FlowBatch([], known: [])
        #expect(batch.outcomes.isEmpty && batch.stored.isEmpty && batch.changes.isEmpty && batch.visits.isEmpty)
    }
}
