import Ingest
import Kafka
import Testing
import VitalSigns

/// The letters of one batch: facts in a list, bytes in one arena.
@Suite struct DeadLetterBufferTests {
    private func append(
        _ buffer: DeadLetterBuffer, _ offset: Int64, _ payload: [UInt8]?, reason: RejectReason = .malformedJSON,
        detail: String = "", headers: String = ""
    ) {
        let detail = Array(detail.utf8)
        detail.withUnsafeBufferPointer { detail in
            func add(_ payload: UnsafeRawBufferPointer?) {
                buffer.append(
                    position: TopicPartitionOffset(topic: "vitals", partition: 2, offset: offset), reason: reason,
                    receivedAtMilliseconds: 5, detail: detail, payload: payload
                ) { $0 += Array(headers.utf8) }
            }
            if let payload { payload.withUnsafeBytes { add($0) } } else { add(nil) }
        }
    }

    private func bytes(_ range: Range<Int>?, _ buffer: DeadLetterBuffer) -> [UInt8]? {
        range.map { buffer.withBytes($0) { Array($0) } }
    }

    @Test func `each letter has its own bytes`() {
        let buffer = DeadLetterBuffer()
        append(buffer, 1, nil, reason: .emptyPayload, detail: "empty_payload")
        append(buffer, 2, [], reason: .emptyPayload)
        append(buffer, 3, [1, 2, 3], detail: "malformed_json", headers: "[[\"a\",null]]")
        append(buffer, 4, [4], headers: "")
        let letters = buffer.letters
        #expect(letters.map(\.position.offset) == [1, 2, 3, 4])
        #expect(letters.map { bytes($0.payload, buffer) } == [nil, [], [1, 2, 3], [4]])
        #expect(
            letters.map { bytes($0.detail, buffer).map { String(decoding: $0, as: UTF8.self) } } == [
                "empty_payload", "", "malformed_json", "",
            ])
        #expect(letters.map { $0.headers != nil } == [false, false, true, false])
        #expect(bytes(letters[2].headers, buffer) == Array("[[\"a\",null]]".utf8))
        #expect(buffer.byteCount > 40)
    }

    @Test func `of an oversize payload the first 64 KiB are kept, of any other all`() {
        let buffer = DeadLetterBuffer()
        let long = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        append(buffer, 1, long, reason: .oversize)
        append(buffer, 2, long, reason: .malformedJSON)
        append(buffer, 3, [9], reason: .oversize)
        #expect(bytes(buffer.letters[0].payload, buffer) == Array(long.prefix(DeadLetterBuffer.oversizeKeptBytes)))
        #expect(bytes(buffer.letters[1].payload, buffer) == long)
        #expect(bytes(buffer.letters[2].payload, buffer) == [9])
    }

    @Test func `a reset forgets all, and what a burst has taken is given back`() {
        let buffer = DeadLetterBuffer()
        for offset in 0..<3_000 as Range<Int64> { append(buffer, offset, Array(repeating: 1, count: 1_000)) }
        #expect(buffer.byteCount > 3_000_000)
        buffer.reset()
        #expect(buffer.count == 0 && buffer.byteCount == 0)
        append(buffer, 7, [1])
        #expect(buffer.count == 1 && buffer.byteCount < 1_000)
        #expect(bytes(buffer.letters[0].payload, buffer) == [1])
    }
}
