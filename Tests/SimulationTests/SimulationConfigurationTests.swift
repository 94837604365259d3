import Simulation
import Testing

@Suite struct SimulationConfigurationTests {
    @Test func `a pace that would read a patient twice in a millisecond is refused`() throws {
        // 100,000 messages a second are 10 µs apart.
        #expect(throws: SimulationError.tooFewPatients(least: 800)) {
            try SimulationConfiguration(
                seed: 1, patientCount: 799, startMilliseconds: streamStart, slotNanoseconds: 10_000)
        }
        let least = try SimulationConfiguration(
            seed: 1, patientCount: 800, startMilliseconds: streamStart, slotNanoseconds: 10_000, shares: .rich)
        var newest: [[UInt8]: Int64] = [:]
        generate(30_000, least) { streamed in
            guard streamed.message.kind == .reading else { return }
            #expect(streamed.message.eventTime > newest[streamed.key, default: 0])
            newest[streamed.key] = streamed.message.eventTime
        }
    }

    @Test func `shares beyond the whole are refused`() throws {
        var shares = MessageShares()
        shares.duplicate = 600_000
        shares.merge = 400_000
        _ = try SimulationConfiguration.forTest(shares: shares)
        shares.late = 1
        #expect(throws: SimulationError.sharesExceedWhole) { try SimulationConfiguration.forTest(shares: shares) }
        shares.late = -1
        #expect(throws: SimulationError.sharesExceedWhole) { try SimulationConfiguration.forTest(shares: shares) }
    }

    @Test func `an ordinary message may not be as long as an oversize one`() throws {
        #expect(throws: SimulationError.outOfRange("large data")) {
            try SimulationConfiguration.forTest(largeDataBytes: 9_000, oversizeBytes: 10_000)
        }
    }

    @Test func `half of the patients are read in each round, a quarter in every second, a quarter in every fourth`() {
        #expect(WardSchedule(patientCount: 8).readingsPerRound == 5.5)
        #expect(WardSchedule(patientCount: 1).readingsPerRound == 1)
        let slot = SimulationConfiguration.slotNanoseconds(interval: 1.1, schedule: WardSchedule(patientCount: 8))
        #expect(slot == 200_000_000)
    }
}
