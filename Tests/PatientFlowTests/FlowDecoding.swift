import PatientFlow
import VitalSigns

let instant: Int64 = 1_767_225_600_000

/// The members of a good arrival, in the contract's order; each test replaces or drops what it is about.
let arrivalMembers: [(name: String, value: String)] = [
    ("eventId", "\"00112233-4455-6677-8899-aabbccddeeff\""), ("facilityId", "\"north\""), ("sectorId", "\"ed\""),
    ("visitId", "\"v-1\""), ("event", "\"arrival\""), ("timestamp", "1767225600000"),
]

/// A good arrival with some members replaced, added (at the end) or, with nil, left out.
func message(_ changes: [String: String?] = [:]) -> String {
    var members = arrivalMembers
    for (name, value) in changes.sorted(by: { $0.key < $1.key }) {
        if let place = members.firstIndex(where: { $0.name == name }) {
            if let value { members[place].value = value } else { members.remove(at: place) }
        } else if let value {
            members.append((name, value))
        }
    }
    return "{" + members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}"
}

/// Decodes payloads (nil: a tombstone) as one slice; their offsets are 100, 101 and so on.
func decode(
    _ payloads: [[UInt8]?], key: String? = "north", brokerTime: Int64 = instant, maxMessageBytes: Int = 8_388_608,
    maxFutureMilliseconds: Int64? = 300_000
) -> FlowSlice {
    var decoder = FlowDecoder(maxMessageBytes: maxMessageBytes, maxFutureMilliseconds: maxFutureMilliseconds)
    return decode(payloads, with: &decoder, key: key, brokerTime: brokerTime)
}

/// Each payload lies in a block of exactly its size, so that a sanitizer sees a read past its end.
func decode(
    _ payloads: [[UInt8]?], with decoder: inout FlowDecoder, key: String? = "north", brokerTime: Int64 = instant
) -> FlowSlice {
    var blocks: [UnsafeMutableRawBufferPointer] = []
    defer { for block in blocks { block.deallocate() } }
    func lend(_ bytes: [UInt8]?) -> UnsafeRawPointer? {
        guard let bytes else { return nil }
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 1)
        block.copyBytes(from: bytes)
        blocks.append(block)
        return UnsafeRawPointer(block.baseAddress)
    }
    let keyBytes = key.map { Array($0.utf8) }
    let messages = payloads.enumerated().map { index, payload in
        RawMessage(
            payload: lend(payload), payloadLength: payload?.count ?? 0, key: lend(keyBytes),
            keyLength: keyBytes?.count ?? 0, offset: 100 + Int64(index), timestampMilliseconds: brokerTime,
            partition: 3)
    }
    return messages.withUnsafeBufferPointer { decoder.decode($0) }
}

func decode(_ text: String, key: String? = "north", brokerTime: Int64 = instant) -> FlowSlice {
    decode([Array(text.utf8)], key: key, brokerTime: brokerTime)
}

/// The detail of a single rejected message, "accepted" for an event.
func verdict(_ text: String, brokerTime: Int64 = instant) -> String {
    let slice = decode(text, brokerTime: brokerTime)
    guard let rejected = slice.rejected.first else { return "accepted" }
    return rejected.detail
}
