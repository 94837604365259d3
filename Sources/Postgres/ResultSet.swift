internal import CLibPQ

/// Rows and command tag of one finished statement; owns libpq's memory.
///
/// Reads text results (simple queries) and binary results (`send(_:parameters:)`) alike. Rows and columns count
/// from 0; an index outside the result or a type that does not fit is a defect of the caller and traps.
@safe public struct ResultSet: ~Copyable {
    // libpq-fe.h: a PGresult is independent of its connection and belongs to whoever got it until PQclear.
    private let result: OpaquePointer
    /// Number of rows.
    public let rowCount: Int
    /// Number of columns.
    public let columnCount: Int

    init(owning result: OpaquePointer) {
        unsafe self.result = result
        rowCount = Int(unsafe PQntuples(result))
        columnCount = Int(unsafe PQnfields(result))
    }

    deinit {
        unsafe PQclear(result)
    }

    /// Name of a column as the statement gives it.
    public func columnName(_ column: Int) -> String {
        precondition(column >= 0 && column < columnCount, "no such column")
        guard let name = unsafe PQfname(result, Int32(column)) else { return "" }
        return unsafe String(cString: name)
    }

    /// The command tag, for example `INSERT 0 3`.
    public var commandTag: String {
        unsafe String(cString: PQcmdStatus(result))
    }

    /// Rows that the command read or changed; 0 where the tag carries no number.
    public var affectedRows: Int {
        unsafe Int(String(cString: PQcmdTuples(result))) ?? 0
    }

    /// Whether the value is NULL.
    public func isNull(_ row: Int, _ column: Int) -> Bool {
        check(row, column)
        return unsafe PQgetisnull(result, Int32(row), Int32(column)) == 1
    }

    /// Lends the value's bytes as they came over the wire; empty for NULL. They end with the closure.
    public func withBytes<Result, Failure: Error>(
        _ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        check(row, column)
        let length = unsafe Int(PQgetlength(result, Int32(row), Int32(column)))
        let start = unsafe PQgetvalue(result, Int32(row), Int32(column))
        return try unsafe body(UnsafeRawBufferPointer(start: start, count: length))
    }

    /// The value as text; NULL gives "". Binary integers, booleans and uuids are written as the server would.
    public func text(_ row: Int, _ column: Int) -> String {
        if isNull(row, column) { return "" }
        guard isBinary(column) else { return rawText(row, column) }
        switch type(column) {
        case .int2, .int4, .int8: return String(int64(row, column))
        case .float4: return String(Float(bitPattern: UInt32(truncatingIfNeeded: bigEndian(row, column))))
        case .float8: return String(double(row, column))
        case .boolean: return boolean(row, column) ? "t" : "f"
        case .uuid:
            let (high, low) = uuid(row, column)
            return Self.uuidText(high: high, low: low)
        default: return rawText(row, column)
        }
    }

    /// The value as text, nil for NULL.
    public func textIfPresent(_ row: Int, _ column: Int) -> String? {
        isNull(row, column) ? nil : text(row, column)
    }

    /// An integer of any width; of a binary timestamptz its milliseconds since 1970-01-01Z. Traps on NULL.
    public func int64(_ row: Int, _ column: Int) -> Int64 {
        precondition(!isNull(row, column), "NULL where an integer is expected")
        if isBinary(column) {
            let value = bigEndian(row, column)
            switch type(column) {
            case .int2: return Int64(Int16(truncatingIfNeeded: value))
            case .int4: return Int64(Int32(truncatingIfNeeded: value))
            case .int8: return Int64(bitPattern: value)
            case .timestamp: return Wire.milliseconds(timestamp: Int64(bitPattern: value))
            default: preconditionFailure("not an integer column")
            }
        }
        guard let value = Int64(rawText(row, column)) else { preconditionFailure("not an integer column") }
        return value
    }

    /// An integer as `int64(_:_:)` gives it, nil for NULL.
    public func int64IfPresent(_ row: Int, _ column: Int) -> Int64? {
        isNull(row, column) ? nil : int64(row, column)
    }

    /// A real, double precision or (in text) numeric value. Traps on NULL.
    public func double(_ row: Int, _ column: Int) -> Double {
        precondition(!isNull(row, column), "NULL where a number is expected")
        if isBinary(column) {
            let value = bigEndian(row, column)
            switch type(column) {
            case .float4: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: value)))
            case .float8: return Double(bitPattern: value)
            default: return Double(int64(row, column))
            }
        }
        guard let value = Double(rawText(row, column)) else { preconditionFailure("not a numeric column") }
        return value
    }

    /// A boolean. Traps on NULL.
    public func boolean(_ row: Int, _ column: Int) -> Bool {
        precondition(!isNull(row, column), "NULL where a boolean is expected")
        return isBinary(column) ? bigEndian(row, column) != 0 : rawText(row, column) == "t"
    }

    /// A uuid of a binary result, as two big-endian halves. Traps on NULL and on text results.
    public func uuid(_ row: Int, _ column: Int) -> (high: UInt64, low: UInt64) {
        unsafe withBytes(row, column) { bytes in
            precondition(isBinary(column) && bytes.count == 16, "not a binary uuid")
            return unsafe (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    private func check(_ row: Int, _ column: Int) {
        precondition(row >= 0 && row < rowCount && column >= 0 && column < columnCount, "outside the result")
    }

    private func isBinary(_ column: Int) -> Bool {
        unsafe PQfformat(result, Int32(column)) == 1
    }

    private func type(_ column: Int) -> TypeID {
        TypeID(rawValue: unsafe PQftype(result, Int32(column)))
    }

    private func rawText(_ row: Int, _ column: Int) -> String {
        unsafe withBytes(row, column) { bytes in unsafe String(decoding: bytes, as: UTF8.self) }
    }

    /// Up to eight bytes as one unsigned number.
    private func bigEndian(_ row: Int, _ column: Int) -> UInt64 {
        unsafe withBytes(row, column) { bytes in
            precondition(bytes.count <= 8, "too long for a number")
            return unsafe bytes.reduce(0) { value, byte in value << 8 | UInt64(byte) }
        }
    }

    private static func uuidText(high: UInt64, low: UInt64) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append(UInt8(ascii: "-")) }
            let half = index < 16 ? high : low
            text.append(digits[Int(half >> UInt64(60 - 4 * (index % 16)) & 0xf)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
