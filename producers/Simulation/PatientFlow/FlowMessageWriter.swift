/// Writes one event as CONTRACT's JSON object for topic `patient-flow`.
///
/// Hospitals' systems differ: every third facility names no patient, and acuity only where it is told.
enum FlowMessageWriter {
    /// Replaces the buffer's content by the message.
    static func write(_ event: FlowEvent, into buffer: inout MessageBuffer) {
        let isTerse = event.facility % 3 == 2
        buffer.removeAll()
        buffer.append("{\"eventId\":\"")
        append(event.identifier, to: &buffer)
        buffer.append("\",\"facilityId\":\"")
        appendFacility(event.facility, to: &buffer)
        buffer.append("\",\"sectorId\":\"")
        append(event.sector.rawValue, to: &buffer)
        buffer.append("\",\"visitId\":\"")
        append(event.visit, to: &buffer)
        if !isTerse {
            buffer.append("\",\"patientId\":\"")
            append(event.patient, to: &buffer)
        }
        buffer.append("\"")
        if !isTerse || event.kind == .arrival || event.kind == .triage {
            buffer.append(",\"acuity\":")
            buffer.append(decimal: event.acuity)
        }
        buffer.append(",\"event\":\"")
        append(event.kind.rawValue, to: &buffer)
        if let destination = event.destination {
            buffer.append("\",\"toSectorId\":\"")
            append(destination.rawValue, to: &buffer)
        }
        buffer.append("\",\"timestamp\":")
        buffer.append(decimal: Int(event.time))
        buffer.append("}")
    }

    /// The facility's name, which is also the key of its messages.
    static func appendFacility(_ facility: Int, to buffer: inout MessageBuffer) {
        buffer.append("facility-")
        buffer.append(decimal: facility + 1)
    }

    private static func append(_ text: String, to buffer: inout MessageBuffer) {
        for byte in text.utf8 { buffer.append(byte: byte) }
    }

    private static func append(_ identifier: RandomIdentifier, to buffer: inout MessageBuffer) {
        for digit in 0..<32 {
            if digit == 8 || digit == 12 || digit == 16 || digit == 20 { buffer.append(byte: UInt8(ascii: "-")) }
            let word = digit < 16 ? identifier.high : identifier.low
            let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (digit % 16))) & 15
            buffer.append(byte: value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10)
        }
    }
}
