internal import Postgres
internal import VitalSigns

/// Reads a stored reading back from a binary result: thirteen columns from `first` on, in `StoreSQL`'s order.
enum StoredRow {
    static func reading(_ result: borrowing ResultSet, row: Int, from first: Int) -> Reading {
        var reading = Reading()
        (reading.patientHigh, reading.patientLow) = result.uuid(row, first)
        reading.time = result.int64(row, first + 1)
        for index in 0..<Reading.numericCount where !result.isNull(row, first + 2 + index) {
            // real to double and back is exact.
            reading.values[index] = Float(result.double(row, first + 2 + index))
            reading.presence |= 1 << UInt8(index)
        }
        if !result.isNull(row, first + 8) {
            reading.presence |= Reading.consciousnessBit
            let letter = unsafe result.withBytes(row, first + 8) { unsafe $0.first ?? 0 }
            reading.categorical |= code(ofConsciousness: letter)
        }
        if !result.isNull(row, first + 9) {
            reading.presence |= Reading.supplementalOxygenBit
            if result.boolean(row, first + 9) { reading.categorical |= Reading.supplementalOxygenValue }
        }
        reading.partition = UInt16(truncatingIfNeeded: result.int64(row, first + 10))
        reading.offset = result.int64(row, first + 11)
        reading.origin = Int32(truncatingIfNeeded: result.int64IfPresent(row, first + 12) ?? 0)
        return reading
    }

    private static func code(ofConsciousness letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "A"): 1
        case UInt8(ascii: "C"): 2
        case UInt8(ascii: "V"): 3
        case UInt8(ascii: "P"): 4
        case UInt8(ascii: "U"): 5
        default: 0
        }
    }
}
