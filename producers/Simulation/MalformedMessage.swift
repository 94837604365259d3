/// A way in which a message can be unusable, each with exactly one fault, so that its reason is beyond doubt.
enum MalformedMessage: Int, CaseIterable {
    case empty, truncated, binary, invalidUTF8, utf16, notANumber, trailing, deeplyNested
    case array, nullText, patientMissing, timestampMissing, numberAsText, patientNotUUID, timestampZero
    case fahrenheit, heartRateTooHigh, numberTooLarge, pressureInverted, vitalsMissing

    /// The reason by CONTRACT's list.
    var reason: RejectionReason {
        switch self {
        case .empty: .emptyPayload
        case .truncated, .binary, .invalidUTF8, .utf16, .notANumber, .trailing, .deeplyNested: .malformedJSON
        case .array, .nullText: .notAnObject
        case .patientMissing, .timestampMissing: .missingField
        case .numberAsText: .wrongType
        case .patientNotUUID: .invalidPatientID
        case .timestampZero: .invalidTimestamp
        case .fahrenheit: .fahrenheitSuspected
        case .heartRateTooHigh, .numberTooLarge: .outOfRange
        case .pressureInverted: .pressureInverted
        case .vitalsMissing: .noVitalSign
        }
    }

    /// Replaces the buffer's content by a message of this kind about one patient at one time.
    func write(patientText: UnsafePointer<UInt8>, time: Int64, into buffer: inout MessageBuffer) {
        buffer.removeAll()
        switch self {
        case .empty: return
        case .binary: for value in 0..<64 { buffer.append(byte: UInt8(255 - value)) }
        case .nullText: buffer.append("null")
        case .utf16: Self.writeUTF16(time: time, into: &buffer)
        case .array:
            buffer.append("[")
            Self.writeObject(patientText, time, ",\"heartRate\":80", into: &buffer)
            buffer.append("]")
        case .patientMissing:
            buffer.append("{\"heartRate\":80,\"timestamp\":")
            buffer.append(decimal: Int(time))
            buffer.append("}")
        case .patientNotUUID:
            buffer.append("{\"patientId\":\"bed-7\",\"heartRate\":80,\"timestamp\":")
            buffer.append(decimal: Int(time))
            buffer.append("}")
        case .timestampMissing:
            VitalsMessageWriter.open(patientText, into: &buffer)
            buffer.append(",\"heartRate\":80}")
        case .timestampZero: Self.writeObject(patientText, 0, ",\"heartRate\":80", into: &buffer)
        case .truncated:
            Self.writeObject(patientText, time, ",\"heartRate\":80", into: &buffer)
            buffer.truncate(to: buffer.count - 3)
        case .trailing:
            Self.writeObject(patientText, time, ",\"heartRate\":80", into: &buffer)
            buffer.append("}")
        case .invalidUTF8:
            VitalsMessageWriter.open(patientText, into: &buffer)
            buffer.append(",\"heartRate\":80,\"large_data\":\"")
            buffer.append(byte: 0xFF)
            buffer.append("\",\"timestamp\":")
            buffer.append(decimal: Int(time))
            buffer.append("}")
        case .deeplyNested: Self.writeNested(patientText, time, into: &buffer)
        case .notANumber: Self.writeObject(patientText, time, ",\"heartRate\":NaN", into: &buffer)
        case .numberAsText: Self.writeObject(patientText, time, ",\"heartRate\":\"80\"", into: &buffer)
        case .fahrenheit: Self.writeObject(patientText, time, ",\"temperature\":98.6", into: &buffer)
        case .heartRateTooHigh: Self.writeObject(patientText, time, ",\"heartRate\":301", into: &buffer)
        case .numberTooLarge: Self.writeObject(patientText, time, ",\"heartRate\":1e400", into: &buffer)
        case .pressureInverted:
            let pressures: StaticString = ",\"systolicPressure\":80,\"diastolicPressure\":120"
            Self.writeObject(patientText, time, pressures, into: &buffer)
        case .vitalsMissing: Self.writeObject(patientText, time, ",\"heartRate\":null", into: &buffer)
        }
    }

    private static func writeObject(
        _ patientText: UnsafePointer<UInt8>, _ time: Int64, _ fields: StaticString,
        into buffer: inout MessageBuffer
    ) {
        VitalsMessageWriter.open(patientText, into: &buffer)
        buffer.append(fields)
        buffer.append(",\"timestamp\":")
        buffer.append(decimal: Int(time))
        buffer.append(",\"large_data\":\"\"}")
    }

    /// Arrays inside arrays, left open: unusable at any limit of depth.
    private static func writeNested(
        _ patientText: UnsafePointer<UInt8>, _ time: Int64, into buffer: inout MessageBuffer
    ) {
        VitalsMessageWriter.open(patientText, into: &buffer)
        buffer.append(",\"heartRate\":80,\"timestamp\":")
        buffer.append(decimal: Int(time))
        buffer.append(",\"unknown\":")
        buffer.append(repeating: UInt8(ascii: "["), count: 2_000)
    }

    /// Every other byte zero, with the byte order mark of little-endian UTF-16.
    private static func writeUTF16(time: Int64, into buffer: inout MessageBuffer) {
        buffer.append(byte: 0xFF)
        buffer.append(byte: 0xFE)
        let text: StaticString = "{\"heartRate\":80}"
        for place in 0..<text.utf8CodeUnitCount {
            buffer.append(byte: text.utf8Start[place])
            buffer.append(byte: 0)
        }
    }
}
