// The public signatures are made of their values.
public import Kafka

/// A 64-bit digest of a message's timestamp, key and payload: tells whether the log under a stored offset is still
/// the same log. Not cryptographic; stored as `ops.partition_progress.last_message_hash`, so it never changes.
public enum MessageHash {
    /// The digest of a message. One multiplication per eight bytes.
    public static func of(_ record: MessageRecord) -> Int64 {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        mix(UInt64(bitPattern: record.timestampMilliseconds), into: &state)
        unsafe mix(record.key, record.keyLength, into: &state)
        unsafe mix(record.payload, record.payloadLength, into: &state)
        state ^= state >> 32
        // Meant to wrap: it mixes.
        state = state &* 0xD6E8_FEB8_6659_FD93
        state ^= state >> 29
        return Int64(bitPattern: state)
    }

    private static func mix(_ word: UInt64, into state: inout UInt64) {
        // Meant to wrap: it mixes.
        state = (state ^ word) &* 0x9FB2_1C65_1E98_DF25
        state ^= state >> 28
    }

    private static func mix(_ bytes: UnsafeRawPointer?, _ length: Int, into state: inout UInt64) {
        // The length enters first, so that key and payload cannot trade bytes; a null payload is not an empty one.
        mix(unsafe bytes == nil ? UInt64.max : UInt64(length), into: &state)
        guard let bytes = unsafe bytes else { return }
        var offset = 0
        while offset + 8 <= length {
            mix(unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian, into: &state)
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < length {
            rest = rest << 8 | UInt64(unsafe bytes.load(fromByteOffset: offset, as: UInt8.self))
            offset += 1
        }
        mix(rest, into: &state)
    }
}
