import FoundationEssentials  // JSON of another reader than ours
import Simulation
import Testing

@Suite struct FlowMessageTests {
    @Test func `the same seed gives the same bytes, another seed other hospitals`() throws {
        var shares = FlowShares()
        (shares.late, shares.reordered, shares.duplicate, shares.cancelled) = (20_000, 30_000, 50_000, 20_000)
        let first = streamed(try .forTest(seed: 11, facilities: 3, shares: shares))
        #expect(first.count > 10_000)
        #expect(try streamed(.forTest(seed: 11, facilities: 3, shares: shares)) == first)
        let other = streamed(try .forTest(seed: 12, facilities: 3, shares: shares))
        #expect(Set(try first.map { try $0.told.visitId }).isDisjoint(with: try other.map { try $0.told.visitId }))
    }

    @Test func `a facility's messages do not depend on how many facilities there are`() throws {
        let alone = streamed(try .forTest(seed: 3, facilities: 1))
        let together = streamed(try .forTest(seed: 3, facilities: 4)).filter { $0.key == "facility-1" }
        #expect(alone.map(\.payload) == together.map(\.payload))
    }

    @Test func `every message is one of CONTRACT's, its key the facility`() throws {
        let names: Set<String> = [
            "eventId", "facilityId", "sectorId", "visitId", "patientId", "event", "acuity", "timestamp", "toSectorId",
        ]
        var shares = FlowShares()
        shares.cancelled = 20_000
        var kinds: Set<String> = []
        var facilities: Set<String> = []
        var withPatient: Set<String> = []
        for message in streamed(try .forTest(seed: 4, facilities: 3, shares: shares)) {
            let event = try message.told
            let fields = try JSONDecoder().decode([String: AnyField].self, from: Data(message.payload)).keys
            #expect(names.isSuperset(of: fields))
            #expect(message.key == event.facilityId)
            #expect(UUID(uuidString: event.eventId) != nil && !event.visitId.isEmpty && !event.sectorId.isEmpty)
            #expect(event.patientId.map { UUID(uuidString: $0) != nil } ?? true)
            #expect((event.event == "transfer") == (event.toSectorId != nil))
            #expect(event.acuity.map((1...5).contains) ?? !["arrival", "triage"].contains(event.event))
            #expect((flowStart..<flowStart + 14 * flowDay).contains(event.timestamp))
            kinds.insert(event.event)
            facilities.insert(event.facilityId)
            if event.patientId != nil { withPatient.insert(event.facilityId) }
        }
        #expect(
            kinds == [
                "arrival", "triage", "treatment_start", "transfer", "departure", "left_without_being_seen", "cancelled",
            ])
        #expect(facilities == ["facility-1", "facility-2", "facility-3"])
        // Systems differ: one of the three leaves out what is optional.
        #expect(withPatient == ["facility-1", "facility-2"])
    }

    @Test func `the clock never goes back, and no event is told before it happens`() throws {
        var shares = FlowShares()
        (shares.late, shares.reordered, shares.duplicate) = (100_000, 100_000, 100_000)
        var clock = Int64.min
        for message in streamed(try .forTest(seed: 5, facilities: 3, shares: shares)) {
            #expect(message.clock >= clock && message.message.event.time <= message.clock)
            clock = message.clock
        }
    }

    @Test func `impossible configurations are refused`() throws {
        var shares = FlowShares()
        (shares.late, shares.reordered) = (600_000, 400_000)
        _ = try FlowConfiguration.forTest(shares: shares)
        shares.late += 1
        #expect(throws: SimulationError.flowShares) { try FlowConfiguration.forTest(shares: shares) }
        shares = FlowShares()
        shares.duplicate = 900_001
        #expect(throws: SimulationError.flowShares) { try FlowConfiguration.forTest(shares: shares) }
        #expect(throws: SimulationError.outOfRange("facilities")) { try FlowConfiguration.forTest(facilities: 1_001) }
        #expect(throws: SimulationError.outOfRange("days")) { try FlowConfiguration.forTest(days: 0) }
    }

    /// Any value: only the names count.
    private struct AnyField: Decodable {
        init(from decoder: any Decoder) {}
    }
}
