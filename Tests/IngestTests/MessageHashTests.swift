import Ingest
import Kafka
import Testing

/// The digest that is stored in the ledger: it never changes, and it tells messages apart.
@Suite struct MessageHashTests {
    private func hash(_ payload: [UInt8]?, key: [UInt8]? = nil, time: Int64 = 0, shift: Int = 0) -> Int64 {
        let bytes = [UInt8](repeating: 0xEE, count: shift) + (key ?? []) + (payload ?? []) + [0xEE]
        return bytes.withUnsafeBytes { bytes in
            let start = bytes.baseAddress.map { $0 + shift }
            return MessageHash.of(
                MessageRecord(
                    payload: payload == nil ? nil : start.map { $0 + (key?.count ?? 0) },
                    payloadLength: payload?.count ?? 0, key: key == nil ? nil : start, keyLength: key?.count ?? 0,
                    offset: 7, timestampMilliseconds: time, partition: 3, topicIndex: 0, timestampIsLogAppend: true))
        }
    }

    /// Values stored by earlier versions; whoever changes one makes every partition of every user stop.
    @Test func `it is the same for ever`() {
        #expect(hash(nil, time: -1) == 1_792_746_001_974_735_101)
        #expect(hash([], key: [], time: 0) == -5_698_014_183_397_796_735)
        let payload = Array("{\"patientId\":\"8a1c6f8e-0000-4000-8000-000000000001\"}".utf8)
        #expect(hash(payload, key: Array("8a1c6f8e".utf8), time: 1_767_225_600_000) == -8_430_086_543_049_503_848)
    }

    @Test func `it does not depend on where the message lies, nor on its offset`() {
        let payload = (0..<77).map { UInt8($0) }
        let hashes = (0..<16).map { hash(payload, key: [1, 2, 3], shift: $0) }
        #expect(Set(hashes).count == 1)
    }

    @Test func `a byte, its place, the key, the time and absence all count`() {
        var seen: Set<Int64> = []
        var made = 0
        func add(_ value: Int64) {
            seen.insert(value)
            made += 1
        }
        for length in 0...40 {
            // Lengths alone, then every single bit.
            let zeros = [UInt8](repeating: 0, count: length)
            add(hash(zeros))
            for bit in 0..<length * 8 {
                var payload = zeros
                payload[bit / 8] = 1 << UInt8(bit % 8)
                add(hash(payload))
            }
            if length > 0 { add(hash(zeros, key: zeros)) }
        }
        // Key and payload cannot trade bytes; null is not empty.
        for split in 0...8 {
            add(hash([UInt8](repeating: 9, count: 8 - split), key: [UInt8](repeating: 9, count: split)))
        }
        add(hash(nil))
        add(hash(nil, key: []))
        add(hash([], key: []))
        for bit in 0..<63 { add(hash([1], time: 1 << Int64(bit))) }
        #expect(seen.count == made)
    }
}
