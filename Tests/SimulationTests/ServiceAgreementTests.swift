import Simulation
import Testing
import VitalSigns

/// What the generator says of its messages is what the service's own decoder says.
@Suite struct ServiceAgreementTests {
    @Test func `the service accepts and refuses what it is meant to, for the meant reason`() throws {
        var shares = MessageShares.rich
        shares.oversize = 2_000
        var decoder = SliceDecoder(maxMessageBytes: 30_000, maxFutureMilliseconds: 300_000)
        let configuration = try SimulationConfiguration.forTest(seed: 31, shares: shares, oversizeBytes: 30_001)
        var seen: Set<RejectionReason> = []
        generate(20_000, configuration) { streamed in
            let reason = judge(streamed, &decoder)
            if reason?.code != streamed.message.reason?.rawValue {
                Issue.record("\(String(decoding: streamed.payload.prefix(400), as: UTF8.self))")
            }
            if let reason = streamed.message.reason { seen.insert(reason) }
        }
        #expect(seen == Set(RejectionReason.allCases))
    }

    @Test func `no accepted message holds a field that the service does not know, or another key`() throws {
        var decoder = SliceDecoder(maxMessageBytes: 30_000, maxFutureMilliseconds: nil)
        try generate(5_000, .forTest(seed: 32)) { streamed in
            let outcome = decode(streamed, &decoder).outcome
            #expect(outcome.acceptedCount == 1 && outcome.unknownFields == 0 && outcome.keyMismatches == 0)
        }
    }

    @Test func `the service reads nothing from a duplicate that its original did not say`() throws {
        var decoder = SliceDecoder(maxMessageBytes: 30_000, maxFutureMilliseconds: nil)
        var shares = MessageShares()
        shares.duplicate = 500_000
        var stored: [Int64: [Reading]] = [:]
        try generate(5_000, .forTest(seed: 33, slotMilliseconds: 1, shares: shares)) { streamed in
            let reading = decode(streamed, &decoder).reading
            #expect(reading.time == streamed.message.eventTime)
            guard streamed.message.kind == .duplicate else {
                stored[reading.time, default: []].append(reading)
                return
            }
            let original = try #require(stored[reading.time]?.first { $0.patientLow == reading.patientLow })
            #expect(reading.presence & ~original.presence == 0)
            for vital in 0..<Reading.numericCount where reading.presence & 1 << UInt8(vital) != 0 {
                #expect(reading.values[vital] == original.values[vital])
            }
        }
    }

    private func judge(_ streamed: StreamedMessage, _ decoder: inout SliceDecoder) -> RejectReason? {
        let outcome = decode(streamed, &decoder).outcome
        return outcome.rejectedCount == 0 ? nil : decoder.rejection(at: 0).reason
    }

    private func decode(
        _ streamed: StreamedMessage, _ decoder: inout SliceDecoder
    ) -> (outcome: SliceOutcome, reading: Reading) {
        var reading = Reading()
        let outcome = streamed.payload.withUnsafeBytes { payload in
            streamed.key.withUnsafeBytes { key in
                let message = RawMessage(
                    payload: payload.baseAddress, payloadLength: payload.count, key: key.baseAddress,
                    keyLength: key.count, offset: 0, timestampMilliseconds: streamClock, partition: 0)
                return withUnsafePointer(to: message) { pointer in
                    decoder.decode(UnsafeBufferPointer(start: pointer, count: 1), into: &reading)
                }
            }
        }
        return (outcome, reading)
    }
}
