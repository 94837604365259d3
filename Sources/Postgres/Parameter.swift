/// An object identifier of a PostgreSQL data type, as `pg_type` has it (fixed for built-in types).
public struct TypeID: Hashable, Sendable {
    /// The number in `pg_type.oid`.
    public let rawValue: UInt32

    /// Wraps a number of `pg_type.oid`.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Lets the server infer the type.
    public static let unspecified = TypeID(rawValue: 0)
    /// boolean
    public static let boolean = TypeID(rawValue: 16)
    /// bytea
    public static let bytes = TypeID(rawValue: 17)
    /// "char", one byte
    public static let character = TypeID(rawValue: 18)
    /// bigint
    public static let int8 = TypeID(rawValue: 20)
    /// smallint
    public static let int2 = TypeID(rawValue: 21)
    /// integer
    public static let int4 = TypeID(rawValue: 23)
    /// text
    public static let text = TypeID(rawValue: 25)
    /// real
    public static let float4 = TypeID(rawValue: 700)
    /// double precision
    public static let float8 = TypeID(rawValue: 701)
    /// timestamptz
    public static let timestamp = TypeID(rawValue: 1184)
    /// uuid
    public static let uuid = TypeID(rawValue: 2950)

    /// The type of a one-dimensional array of this type, for the types above.
    public var array: TypeID {
        switch self {
        case .boolean: TypeID(rawValue: 1000)
        case .bytes: TypeID(rawValue: 1001)
        case .character: TypeID(rawValue: 1002)
        case .int2: TypeID(rawValue: 1005)
        case .int4: TypeID(rawValue: 1007)
        case .text: TypeID(rawValue: 1009)
        case .int8: TypeID(rawValue: 1016)
        case .float4: TypeID(rawValue: 1021)
        case .float8: TypeID(rawValue: 1022)
        case .timestamp: TypeID(rawValue: 1185)
        case .uuid: TypeID(rawValue: 2951)
        default: .unspecified
        }
    }
}

/// One value for a `$n` of a parameterised statement.
public enum Parameter: Sendable {
    /// SQL NULL; the server infers the type.
    case null
    /// Text form of any type; the server infers the type.
    case text(String)
    /// bigint
    case int64(Int64)
    /// integer
    case int32(Int32)
    /// boolean
    case boolean(Bool)
    /// uuid, as two big-endian halves.
    case uuid(high: UInt64, low: UInt64)
    /// timestamptz, in milliseconds since 1970-01-01Z.
    case timestamp(milliseconds: Int64)
    /// bytea
    case bytes([UInt8])
    /// Binary form of the named type, for example from `BinaryArrayEncoder`.
    case binary(TypeID, [UInt8])
}

/// Microseconds between 1970-01-01 and 2000-01-01, where PostgreSQL's timestamps start.
public let postgresEpochOffsetMicroseconds: Int64 = 946_684_800_000_000

/// Binary wire values, appended to byte arrays; all integers are big-endian.
public enum Wire {
    /// PostgreSQL's binary timestamptz of milliseconds since 1970-01-01Z; the years 1 to 9999 cannot overflow.
    public static func timestamp(milliseconds: Int64) -> Int64 {
        milliseconds &* 1000 &- postgresEpochOffsetMicroseconds
    }

    /// Milliseconds since 1970-01-01Z of a binary timestamptz, rounded down.
    public static func milliseconds(timestamp: Int64) -> Int64 {
        let microseconds = timestamp &+ postgresEpochOffsetMicroseconds
        let quotient = microseconds / 1000
        return microseconds % 1000 < 0 ? quotient - 1 : quotient
    }

    static func append<Value: FixedWidthInteger>(_ value: Value, to bytes: inout [UInt8]) {
        var shift = Value.bitWidth
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}

/// Builds a one-dimensional array parameter in binary form (`uuid[]`, `timestamptz[]`, ...), element by element.
///
/// Reuse one encoder for many statements: `removeAll` keeps the memory.
/// - Complexity: amortised constant per element, no allocation below the capacity reserved.
public struct BinaryArrayEncoder: Sendable {
    private let elementType: TypeID
    private var bytes: [UInt8]
    private var hasNull = false
    /// Elements appended so far.
    public private(set) var count = 0

    /// - Parameters:
    ///   - elementType: one of the types that `TypeID.array` knows.
    ///   - capacityBytes: memory to reserve; an element takes 4 bytes and its own size.
    public init(elementType: TypeID, capacityBytes: Int = 1024) {
        precondition(elementType.array != .unspecified, "no array type known for this element type")
        self.elementType = elementType
        bytes = []
        bytes.reserveCapacity(Self.headerBytes + capacityBytes)
        removeAll()
    }

    /// Forgets all elements and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: repeatElement(0, count: Self.headerBytes))
        count = 0
        hasNull = false
    }

    /// Appends a NULL.
    public mutating func appendNull() {
        Wire.append(Int32(-1), to: &bytes)
        hasNull = true
        count += 1
    }

    /// Appends an element of uuid[].
    public mutating func append(uuidHigh: UInt64, low: UInt64) {
        precondition(elementType == .uuid)
        Wire.append(Int32(16), to: &bytes)
        Wire.append(uuidHigh, to: &bytes)
        Wire.append(low, to: &bytes)
        count += 1
    }

    /// Appends an element of timestamptz[], in milliseconds since 1970-01-01Z.
    public mutating func append(milliseconds: Int64) {
        precondition(elementType == .timestamp)
        Wire.append(Int32(8), to: &bytes)
        Wire.append(Wire.timestamp(milliseconds: milliseconds), to: &bytes)
        count += 1
    }

    /// Appends an element of bigint[].
    public mutating func append(_ value: Int64) {
        precondition(elementType == .int8)
        Wire.append(Int32(8), to: &bytes)
        Wire.append(value, to: &bytes)
        count += 1
    }

    /// Appends an element of integer[].
    public mutating func append(_ value: Int32) {
        precondition(elementType == .int4)
        Wire.append(Int32(4), to: &bytes)
        Wire.append(value, to: &bytes)
        count += 1
    }

    /// Appends an element of text[] (UTF-8) or bytea[].
    public mutating func append(bytes element: some Collection<UInt8>) {
        precondition(elementType == .text || elementType == .bytes)
        Wire.append(Int32(element.count), to: &bytes)
        bytes.append(contentsOf: element)
        count += 1
    }

    /// The parameter as built so far; the encoder can go on.
    public mutating func parameter() -> Parameter {
        // An empty array has no dimension at all.
        var header: [UInt8] = []
        header.reserveCapacity(Self.headerBytes)
        Wire.append(Int32(count == 0 ? 0 : 1), to: &header)
        Wire.append(Int32(hasNull ? 1 : 0), to: &header)
        Wire.append(elementType.rawValue, to: &header)
        if count == 0 { return .binary(elementType.array, header) }
        Wire.append(Int32(count), to: &header)
        Wire.append(Int32(1), to: &header)
        bytes.replaceSubrange(0..<Self.headerBytes, with: header)
        return .binary(elementType.array, bytes)
    }

    /// Dimensions, NULL flag, element type, length, lower bound.
    private static let headerBytes = 20
}
