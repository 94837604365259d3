import Simulation
import Testing

@Suite struct FlowDeliveryTests {
    private static let rich: FlowShares = {
        var shares = FlowShares()
        (shares.late, shares.reordered, shares.duplicate, shares.cancelled) = (40_000, 60_000, 100_000, 30_000)
        return shares
    }()

    /// What a reader of the messages counts, without looking at what the generator says of them.
    private struct Reader {
        var bytes: [String: [UInt8]] = [:]
        var newest: [String: Int64] = [:]
        var duplicates = 0
        var late = 0
        var reordered = 0
        var kinds: [String: Int] = [:]
        var otherBytes = 0

        mutating func read(_ message: StreamedFlow) throws {
            let event = try message.told
            if let known = bytes.updateValue(message.payload, forKey: event.eventId) {
                duplicates += 1
                if known != message.payload { otherBytes += 1 }
                return
            }
            kinds[event.event, default: 0] += 1
            let newest = newest[event.facilityId] ?? .min
            if event.timestamp < newest {
                if newest - event.timestamp > 600_000 { late += 1 } else { reordered += 1 }
            }
            self.newest[event.facilityId] = max(newest, event.timestamp)
        }
    }

    @Test func `the counts are those of a reader who looks at the messages alone, and the shares are kept`() throws {
        var counts = FlowCounts()
        var reader = Reader()
        for message in streamed(try .forTest(seed: 21, facilities: 2, days: 60, shares: Self.rich)) {
            counts.add(message.message, bytes: message.payload.count)
            try reader.read(message)
        }
        #expect(reader.duplicates == counts.duplicates && reader.otherBytes == 0)
        #expect(reader.late == counts.late && reader.reordered == counts.reordered)
        for kind in FlowEventKind.allCases { #expect(reader.kinds[kind.rawValue, default: 0] == counts.events(kind)) }
        #expect(counts.events == reader.bytes.count && counts.messages == counts.events + reader.duplicates)
        #expect(counts.events > 60_000)
        let events = Double(counts.events)
        // More than five standard deviations of chance to either side; what is to be reordered may find nothing newer
        // within ten minutes, and what would be reordered may come while another already waits.
        #expect(abs(Double(counts.duplicates) / Double(counts.messages) - 0.1) < 0.008)
        #expect(abs(Double(counts.late) / events - 0.04) < 0.005)
        #expect((0.04...0.065).contains(Double(counts.reordered) / events))
        #expect(abs(Double(counts.events(.cancelled)) / Double(counts.events(.arrival)) - 0.03) < 0.008)
    }

    @Test func `held back and repeated messages are the same events as without`() throws {
        var shares = Self.rich
        shares.cancelled = 0
        let plain = happened(try .forTest(seed: 22, facilities: 3))
        let disturbed = happened(try .forTest(seed: 22, facilities: 3, shares: shares))
        #expect(disturbed.count > plain.count)
        #expect(Set(disturbed) == Set(plain))
        #expect(plain.count == Set(plain).count)
    }

    @Test func `without shares everything comes once and in order`() throws {
        var counts = FlowCounts()
        var last = Int64.min
        for message in streamed(try .forTest(seed: 23, facilities: 3)) {
            counts.add(message.message, bytes: message.payload.count)
            #expect(message.message.event.time >= last)
            last = message.message.event.time
        }
        #expect(counts.duplicates == 0 && counts.late == 0 && counts.reordered == 0)
        #expect(counts.events(.cancelled) == 0)
    }
}
