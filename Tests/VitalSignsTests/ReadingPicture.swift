import TestSupport
import VitalSigns

/// Readings as a line of text, so that a table of tests can be read: `H60 T37.5 cA o1 @2:17 #4`.
///
/// H heart rate, T temperature, S saturation, R respiration, Y systolic, D diastolic; `c` and the letter of
/// consciousness; `o` and 1 or 0 for oxygen; `@partition:offset`; `#` and the origin.
enum ReadingPicture {
    private static let letters = Array("HTSRYD")
    private static let consciousness = Array("-ACVPU")

    /// The reading that a picture shows, of one patient at one instant.
    static func reading(_ picture: String) -> Reading {
        var reading = Reading()
        (reading.patientHigh, reading.patientLow, reading.time) = (1, 2, 1_767_225_600_000)
        for word in picture.split(separator: " ") { add(word, to: &reading) }
        return reading
    }

    private static func add(_ word: Substring, to reading: inout Reading) {
        guard let letter = word.first else { return }
        let rest = String(word.dropFirst())
        switch letter {
        case "@":
            let parts = rest.split(separator: ":")
            reading.partition = UInt16(parts[0]) ?? .max
            reading.offset = Int64(parts[1]) ?? -1
        case "#": reading.origin = Int32(rest) ?? -1
        case "c":
            reading.presence |= Reading.consciousnessBit
            reading.categorical |= UInt8(consciousness.firstIndex(of: rest.first ?? "-") ?? 0)
        case "o":
            reading.presence |= Reading.supplementalOxygenBit
            if rest == "1" { reading.categorical |= Reading.supplementalOxygenValue }
        default:
            guard let index = letters.firstIndex(of: letter), let value = Float(rest) else {
                preconditionFailure("no such vital sign: \(word)")
            }
            reading.values[index] = value
            reading.presence |= 1 << UInt8(index)
        }
    }

    /// The picture of a reading: every field but patient and time.
    static func of(_ reading: Reading) -> String {
        var words: [String] = []
        for index in 0..<Reading.numericCount where reading.presence & (1 << UInt8(index)) != 0 {
            let value = reading.values[index]
            words.append("\(letters[index])\(value == value.rounded() ? "\(Int(value))" : "\(value)")")
        }
        if reading.presence & Reading.consciousnessBit != 0 {
            words.append("c\(consciousness[Int(reading.categorical & Reading.consciousnessMask)])")
        }
        if reading.presence & Reading.supplementalOxygenBit != 0 {
            words.append(reading.categorical & Reading.supplementalOxygenValue != 0 ? "o1" : "o0")
        }
        words.append("@\(reading.partition):\(reading.offset)")
        if reading.origin != 0 { words.append("#\(reading.origin)") }
        return words.joined(separator: " ")
    }

    /// The letters of presence bits: `HTc`.
    static func names(ofPresence bits: UInt8) -> String {
        var names = ""
        for (index, letter) in (letters + ["c", "o"]).enumerated() where bits & (1 << UInt8(index)) != 0 {
            names.append(letter)
        }
        return names
    }

    /// Whether the fields that no presence bit covers are 0, as the layout promises.
    static func hasCleanAbsences(_ reading: Reading) -> Bool {
        for index in 0..<Reading.numericCount where reading.presence & (1 << UInt8(index)) == 0 {
            if reading.values[index].bitPattern != 0 { return false }
        }
        if reading.presence & Reading.consciousnessBit == 0, reading.categorical & Reading.consciousnessMask != 0 {
            return false
        }
        if reading.presence & Reading.supplementalOxygenBit == 0,
            reading.categorical & Reading.supplementalOxygenValue != 0
        {
            return false
        }
        return reading.categorical & 0b1111_0000 == 0
    }
}

extension SeededNumbers {
    /// A reading with few possible values, so that keys collide, agree and disagree often.
    mutating func reading(patients: Int, instants: Int, partition: UInt16, offset: Int64) -> Reading {
        var reading = Reading()
        let patient = UInt64(below(patients))
        // Pairs of patients share their first half, so that the second half has to tell them apart.
        (reading.patientHigh, reading.patientLow) = ((patient / 2) << 40 | 7, patient * 3)
        reading.time = 1_767_225_600_000 + Int64(below(instants)) * 1_000
        (reading.partition, reading.offset) = (partition, offset)
        while reading.presence == 0 {
            for index in 0..<Reading.numericCount where oneIn(3) {
                reading.values[index] = Float(60 + below(2))
                reading.presence |= 1 << UInt8(index)
            }
            if oneIn(4) {
                reading.presence |= Reading.consciousnessBit
                reading.categorical |= UInt8(1 + below(5))
            }
            if oneIn(4) {
                reading.presence |= Reading.supplementalOxygenBit
                if oneIn(2) { reading.categorical |= Reading.supplementalOxygenValue }
            }
        }
        if oneIn(3) { reading.origin = Int32(1 + below(3)) }
        return reading
    }
}
