internal import Postgres
internal import VitalSigns

/// Writes rows in PostgreSQL's binary COPY format into raw memory: no allocation, no bounds that the caller has not
/// made sure of with `longestStep`.
@safe struct CopyRowEncoder {
    /// The file header: signature, flags, no extension.
    static let header: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8)
    /// The file trailer.
    static let trailer: [UInt8] = [0xFF, 0xFF]
    /// How many readings `appendReadings` takes at a time.
    static let readingsPerStep = 64
    /// Nothing that one call appends is longer than this many bytes, the header and the trailer besides: a reading has
    /// at most 130, a change 242.
    static let longestStep = readingsPerStep * 144

    private static let consciousnessCodes: InlineArray<8, UInt8> = [
        0, UInt8(ascii: "A"), UInt8(ascii: "C"), UInt8(ascii: "V"), UInt8(ascii: "P"), UInt8(ascii: "U"), 0, 0,
    ]

    /// Where the next byte goes.
    private(set) var cursor: UnsafeMutableRawPointer

    init(at start: UnsafeMutableRawPointer) {
        unsafe cursor = unsafe start
    }

    /// Bytes as they are: header or trailer.
    mutating func append(_ bytes: [UInt8]) {
        for byte in bytes { put(byte) }
    }

    /// The next rows of `silver.vital_reading`, at most `readingsPerStep`.
    /// - Parameter room: where they are collected, of that size.
    /// - Returns: how many.
    mutating func appendReadings(
        of inserts: InsertRows, from start: Int, through room: UnsafeMutableBufferPointer<Reading>
    ) -> Int {
        let copied = unsafe inserts.copy(from: start, into: room)
        for index in 0..<copied { appendReading(unsafe room[index]) }
        return copied
    }

    /// A row of `silver.vital_reading`, 14 columns.
    @inline(__always)
    mutating func appendReading(_ reading: Reading) {
        put(Int16(14))
        appendKey(reading)
        appendVitals(reading, presence: reading.presence)
        appendBooks(reading)
    }

    /// A row of `stage_change`: the key, the twelve new values, the twelve old ones.
    mutating func appendChange(_ change: RowChange) {
        put(Int16(26))
        appendKey(change.new)
        appendVitals(change.new, presence: change.new.presence)
        appendBooks(change.new)
        appendVitals(change.old, presence: change.old.presence)
        appendBooks(change.old)
    }

    /// A row of `silver.vital_reading_history`: the key, the values replaced, who replaced them.
    mutating func appendReplacement(_ replacement: Replacement) {
        put(Int16(12))
        appendKey(replacement.before)
        appendVitals(replacement.before, presence: replacement.replaced)
        put(Int32(4))
        put(Int32(replacement.partition))
        put(Int32(8))
        put(replacement.offset)
    }

    @inline(__always)
    private mutating func appendKey(_ reading: Reading) {
        put(Int32(16))
        put(reading.patientHigh)
        put(reading.patientLow)
        put(Int32(8))
        put(Wire.timestamp(milliseconds: reading.time))
    }

    @inline(__always)
    private mutating func appendVitals(_ reading: Reading, presence: UInt8) {
        for index in 0..<Reading.numericCount {
            if presence & (1 << UInt8(index)) != 0 {
                put(Int32(4))
                put(reading.values[index].bitPattern)
            } else {
                put(Int32(-1))
            }
        }
        if presence & Reading.consciousnessBit != 0 {
            put(Int32(1))
            put(Self.consciousnessCodes[Int(reading.categorical & Reading.consciousnessMask)])
        } else {
            put(Int32(-1))
        }
        if presence & Reading.supplementalOxygenBit != 0 {
            put(Int32(1))
            put(reading.categorical & Reading.supplementalOxygenValue != 0 ? 1 : 0 as UInt8)
        } else {
            put(Int32(-1))
        }
    }

    /// Suspect bits, source and origin.
    @inline(__always)
    private mutating func appendBooks(_ reading: Reading) {
        put(Int32(2))
        put(Int16(Limits.suspectMask(values: reading.values, presence: reading.presence)))
        put(Int32(4))
        put(Int32(reading.partition))
        put(Int32(8))
        put(reading.offset)
        if reading.origin != 0 {
            put(Int32(4))
            put(reading.origin)
        } else {
            put(Int32(-1))
        }
    }

    @inline(__always)
    private mutating func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        unsafe cursor.storeBytes(of: value.bigEndian, as: Value.self)
        unsafe cursor += MemoryLayout<Value>.size
    }
}
