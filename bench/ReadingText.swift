/// Writes messages of topic `vitals` into one buffer that is used again and again.
struct ReadingText {
    private(set) var bytes: [UInt8] = []
    /// The patient's UUID as text, which is the message's key.
    private(set) var key = [UInt8](repeating: 0, count: 36)
    private let padding: [UInt8]

    private static let digits = Array("0123456789abcdef".utf8)

    /// - Parameter paddingBytes: length of `large_data`; 0 leaves the field out.
    init(paddingBytes: Int = 0) {
        padding = [UInt8](repeating: UInt8(ascii: "x"), count: paddingBytes)
        bytes.reserveCapacity(512 + paddingBytes)
    }

    /// Replaces `bytes` and `key`.
    mutating func write(_ reading: BenchReading, isBad: Bool = false) {
        bytes.removeAll(keepingCapacity: true)
        writeKey(Workload.identifier(ofPatient: reading.patient))
        put("{\"patientId\":\"")
        bytes += key
        put("\",\"timestamp\":")
        put(Int(reading.time))
        put(",\"heartRate\":")
        // Out of range: a dead letter.
        if isBad { put(999) } else { put(hundredths: reading.hundredths.0) }
        if reading.hasTemperature {
            put(",\"temperature\":")
            put(hundredths: reading.hundredths.1)
        }
        put(",\"oxygenSaturation\":")
        put(hundredths: reading.hundredths.2)
        if reading.format == .full { writeRest(reading) }
        if !padding.isEmpty {
            put(",\"large_data\":\"")
            bytes += padding
            put("\"")
        }
        put("}")
    }

    /// The fields that existing producers do not send.
    private mutating func writeRest(_ reading: BenchReading) {
        put(",\"respiratoryRate\":")
        put(hundredths: reading.hundredths.3)
        put(",\"systolicPressure\":")
        put(hundredths: reading.hundredths.4)
        put(",\"diastolicPressure\":")
        put(hundredths: reading.hundredths.5)
        put(",\"consciousness\":\"")
        bytes.append(reading.consciousness)
        put(reading.oxygen ? "\",\"supplementalOxygen\":true" : "\",\"supplementalOxygen\":false")
        let bed = reading.patient % 10_000
        put(",\"facilityId\":\"facility-")
        put(bed / 100 + 1)
        put("\",\"sectorId\":\"sector-")
        put(bed / 20 + 1)
        put("\",\"deviceId\":\"monitor-")
        put(bed + 1)
        put("\"")
    }

    private mutating func writeKey(_ identifier: (high: UInt64, low: UInt64)) {
        var place = 0
        for nibble in 0..<32 {
            if place == 8 || place == 13 || place == 18 || place == 23 {
                key[place] = UInt8(ascii: "-")
                place += 1
            }
            let half = nibble < 16 ? identifier.high : identifier.low
            key[place] = Self.digits[Int(half >> UInt64(60 - nibble % 16 * 4) & 15)]
            place += 1
        }
    }

    private mutating func put(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private mutating func put(_ number: Int) {
        var power = 1
        while number / power >= 10 { power *= 10 }
        while power > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / power % 10))
            power /= 10
        }
    }

    private mutating func put(hundredths: Int) {
        put(hundredths / 100)
        guard hundredths % 100 != 0 else { return }
        bytes.append(UInt8(ascii: "."))
        bytes.append(UInt8(ascii: "0") + UInt8(hundredths / 10 % 10))
        if hundredths % 10 != 0 { bytes.append(UInt8(ascii: "0") + UInt8(hundredths % 10)) }
    }
}
