internal import CSimdJSON

extension SliceDecoder {
    /// Whether `Reading` and `RawMessage` lie in memory as their C structs do; C writes the one and reads the other.
    static var layoutsAgree: Bool {
        let readings =
            MemoryLayout<Reading>.stride == MemoryLayout<vs_reading>.stride
            && MemoryLayout<Reading>.alignment == MemoryLayout<vs_reading>.alignment
            && same(\Reading.patientHigh, \vs_reading.patient_high)
            && same(\Reading.patientLow, \vs_reading.patient_low)
            && same(\Reading.time, \vs_reading.time_ms)
            && same(\Reading.values, \vs_reading.values)
            && same(\Reading.offset, \vs_reading.offset)
            && same(\Reading.origin, \vs_reading.origin)
            && same(\Reading.partition, \vs_reading.partition)
            && same(\Reading.presence, \vs_reading.presence)
            && same(\Reading.categorical, \vs_reading.categorical)
        let messages =
            unsafe MemoryLayout<RawMessage>.stride == MemoryLayout<vs_message>.stride
            && same(\RawMessage.payload, \vs_message.payload)
            && same(\RawMessage.payloadLength, \vs_message.payload_length)
            && same(\RawMessage.key, \vs_message.key)
            && same(\RawMessage.keyLength, \vs_message.key_length)
            && same(\RawMessage.offset, \vs_message.offset)
            && same(\RawMessage.timestampMilliseconds, \vs_message.timestamp_ms)
            && same(\RawMessage.partition, \vs_message.partition)
        return readings && messages
    }

    private static func same<Swift, SwiftField, C, CField>(
        _ field: KeyPath<Swift, SwiftField>, _ counterpart: KeyPath<C, CField>
    ) -> Bool {
        guard let place = MemoryLayout<Swift>.offset(of: field) else { return false }
        return place == MemoryLayout<C>.offset(of: counterpart)
            && MemoryLayout<SwiftField>.size == MemoryLayout<CField>.size
    }
}
