internal import Postgres
internal import VitalSigns

/// Walks the fields of one piece of a binary COPY, which is one row.
///
/// Borrows the piece: it ends with the closure that lent it. Trusts the server's format; a piece that is cut traps.
struct TableRowReader {
    /// How many fields the row has; nil for the file's trailer and for a header that came alone.
    let fieldCount: Int?
    private var rest: UnsafeRawBufferPointer

    private static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]

    init(_ piece: UnsafeRawBufferPointer) {
        rest = piece
        if rest.count >= 19, rest.prefix(Self.signature.count).elementsEqual(Self.signature) {
            let extensionLength = Int(
                UnsafeRawBufferPointer(rebasing: rest[15...]).loadUnaligned(as: Int32.self).bigEndian)
            rest = UnsafeRawBufferPointer(rebasing: rest[(19 + extensionLength)...])
        }
        guard rest.count >= 2 else {
            fieldCount = nil
            return
        }
        let count = Int(rest.loadUnaligned(as: Int16.self).bigEndian)
        fieldCount = count < 0 ? nil : count
        rest = UnsafeRawBufferPointer(rebasing: rest[2...])
    }

    /// The bytes of the next field, nil for NULL.
    mutating func next() -> UnsafeRawBufferPointer? {
        let length = Int(rest.loadUnaligned(as: Int32.self).bigEndian)
        rest = UnsafeRawBufferPointer(rebasing: rest[4...])
        guard length >= 0 else { return nil }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[length...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<length])
    }
}

extension UnsafeRawBufferPointer {
    /// A big-endian integer of PostgreSQL's wire; the field must have its size.
    func wireInteger<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type) -> Value {
        precondition(count == MemoryLayout<Value>.size, "a field of another type")
        return loadUnaligned(as: Value.self).bigEndian
    }
}

/// A row of `silver.vital_reading` exactly as it is stored, also where no service would have written it so.
struct TableReading {
    /// The row; `origin` stays 0, partition is cut to 16 bits.
    var reading = Reading()
    /// `source_partition` as stored.
    var partition: Int32 = 0
    /// `suspect` as stored.
    var suspect: Int16 = 0
    /// `origin_id`, nil for NULL.
    var originID: Int32?
    /// Whether the time is a whole number of milliseconds, as every reading's is.
    var hasWholeMilliseconds = true

    /// The columns that `set` expects, in its order.
    static let columns = """
        patient_id, recorded_at, heart_rate, temperature, oxygen_saturation, respiratory_rate, systolic_pressure, \
        diastolic_pressure, consciousness, supplemental_oxygen, suspect, source_partition, source_offset, origin_id
        """
    /// How many there are.
    static let columnCount = 14
    /// The same from `silver.vital_reading_history`, whose rows have no suspect bits and no origin.
    static let historyColumns = """
        patient_id, recorded_at, heart_rate, temperature, oxygen_saturation, respiratory_rate, systolic_pressure, \
        diastolic_pressure, consciousness, supplemental_oxygen, 0::smallint, replaced_by_partition, \
        replaced_by_offset, NULL::integer
        """

    /// Takes one field in binary form, nil for NULL.
    mutating func set(_ column: Int, _ bytes: UnsafeRawBufferPointer?) {
        guard let bytes else { return }
        switch column {
        case 0:
            precondition(bytes.count == 16, "a uuid has 16 bytes")
            reading.patientHigh = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
            reading.patientLow = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        case 1:
            let timestamp = bytes.wireInteger(Int64.self)
            reading.time = Wire.milliseconds(timestamp: timestamp)
            hasWholeMilliseconds = Wire.timestamp(milliseconds: reading.time) == timestamp
        case 2...7:
            reading.values[column - 2] = Float(bitPattern: bytes.wireInteger(UInt32.self))
            reading.presence |= 1 << UInt8(column - 2)
        case 8:
            reading.presence |= Reading.consciousnessBit
            reading.categorical |= Self.code(ofConsciousness: bytes.first ?? 0)
        case 9:
            reading.presence |= Reading.supplementalOxygenBit
            if bytes.first != 0 { reading.categorical |= Reading.supplementalOxygenValue }
        case 10: suspect = bytes.wireInteger(Int16.self)
        case 11:
            partition = bytes.wireInteger(Int32.self)
            reading.partition = UInt16(truncatingIfNeeded: partition)
        case 12: reading.offset = bytes.wireInteger(Int64.self)
        case 13: originID = bytes.wireInteger(Int32.self)
        default: preconditionFailure("no such column")
        }
    }

    /// A whole row of a binary COPY of `columns`.
    init(_ row: consuming TableRowReader) {
        precondition(row.fieldCount == Self.columnCount, "a COPY of other columns")
        for column in 0..<Self.columnCount { set(column, row.next()) }
    }

    /// A row of a binary result whose columns from `first` on are `columns`.
    init(_ result: borrowing ResultSet, row: Int, from first: Int) {
        for column in 0..<Self.columnCount where !result.isNull(row, first + column) {
            result.withBytes(row, first + column) { bytes in set(column, bytes) }
        }
    }

    /// 6 and 7 stand for letters that no service writes, so that they never equal one.
    private static func code(ofConsciousness letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "A"): 1
        case UInt8(ascii: "C"): 2
        case UInt8(ascii: "V"): 3
        case UInt8(ascii: "P"): 4
        case UInt8(ascii: "U"): 5
        default: 7
        }
    }
}
