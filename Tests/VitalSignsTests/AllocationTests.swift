import CMallocCounter
import Testing
import VitalSigns

@Suite struct AllocationTests {
    @Test(.enabled(if: malloc_counter_available(), "a sanitizer has its own malloc"))
    func `decoding allocates nothing after its first slice, whatever the messages are`() {
        let padding = String(repeating: "x", count: 9000)
        let kinds = [
            vitals("\"heartRate\":60,\"temperature\":36.6,\"oxygenSaturation\":97,\"large_data\":\"\""),
            vitals("\"heartRate\":60,\"facilityId\":\"f\\u00e9\",\"sectorId\":\"s\",\"deviceId\":\"d\""),
            vitals("\"systolicPressure\":1.2345678901234567890123e2,\"large_data\":\"\(padding)\""),
            vitals("\"heartRate\":1e400,\"x\":[{\"y\":1}]"), "{\"", "[]", "",
        ]
        let slice = Slice((0..<512).map { Array(kinds[$0 % kinds.count].utf8) })
        var decoder = SliceDecoder(maxMessageBytes: 8_388_608, maxFutureMilliseconds: 300_000)
        var readings: [Reading] = []
        _ = slice.decode(with: &decoder, into: &readings)
        let messages = slice.messages
        let count = messages.withUnsafeBufferPointer { messages in
            readings.withUnsafeMutableBufferPointer { readings in
                guard let first = readings.baseAddress else { preconditionFailure("room for 512 readings") }
                // The first round is the warm-up: it also makes what Swift makes once per type.
                _ = allocations(of: messages, with: &decoder, into: first)
                return allocations(of: messages, with: &decoder, into: first)
            }
        }
        #expect(count.allocations == 0)
    }

    /// Ten slices, with everything read that a lane reads of them.
    private func allocations(
        of messages: UnsafeBufferPointer<RawMessage>, with decoder: inout SliceDecoder,
        into readings: UnsafeMutablePointer<Reading>
    ) -> malloc_count {
        var bytes = 0
        malloc_counter_begin()
        for _ in 0..<10 {
            let outcome = decoder.decode(messages, into: readings)
            for index in 0..<outcome.rejectedCount {
                bytes += decoder.rejection(at: index).messageIndex
                bytes += decoder.withDetail(at: index) { $0.count }
            }
            for index in 0..<decoder.originCount {
                bytes += decoder.originReadingIndex(index)
                bytes += decoder.withOriginTexts(index) { facility, _, _ in facility?.count ?? 0 }
            }
        }
        let count = malloc_counter_end()
        #expect(bytes > 0)
        return count
    }

    @Test(.enabled(if: malloc_counter_available(), "a sanitizer has its own malloc"))
    func `the counter counts, so that a zero means something`() {
        malloc_counter_begin()
        let room = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 1)
        let count = malloc_counter_end()
        room.deallocate()
        #expect(count.allocations == 1)
        #expect(count.bytes == 100)
    }
}
