internal import Postgres

/// Rows in binary COPY format, built column by column in one growing buffer: for tables that get few rows a batch.
struct CopyRows {
    /// Header and rows so far.
    private(set) var bytes = CopyRowEncoder.header
    /// Rows so far.
    private(set) var count = 0

    /// Begins a row of so many columns; exactly as many calls of `add` follow.
    mutating func begin(columns: Int) {
        put(Int16(columns))
        count += 1
    }

    /// A text; nil is NULL.
    mutating func add(_ text: String?) {
        guard let text else { return addNull() }
        add(bytes: text.utf8)
    }

    /// A smallint; nil is NULL.
    mutating func add(smallint value: Int?) {
        guard let value else { return addNull() }
        put(Int32(2))
        put(Int16(value))
    }

    /// An integer; nil is NULL.
    mutating func add(integer value: Int?) {
        guard let value else { return addNull() }
        put(Int32(4))
        put(Int32(value))
    }

    /// A bigint; nil is NULL.
    mutating func add(bigint value: Int64?) {
        guard let value else { return addNull() }
        put(Int32(8))
        put(value)
    }

    /// A double precision; nil is NULL.
    mutating func add(double value: Double?) {
        guard let value else { return addNull() }
        put(Int32(8))
        put(value.bitPattern)
    }

    /// A boolean.
    mutating func add(boolean value: Bool) {
        put(Int32(1))
        bytes.append(value ? 1 : 0)
    }

    /// A timestamptz in milliseconds since 1970-01-01Z; nil is NULL.
    mutating func add(time milliseconds: Int64?) {
        add(bigint: milliseconds.map(Wire.timestamp))
    }

    /// A uuid.
    mutating func add(uuidHigh high: UInt64, low: UInt64) {
        put(Int32(16))
        put(high)
        put(low)
    }

    /// A text in UTF-8, or a bytea.
    mutating func add(bytes value: some Collection<UInt8>) {
        put(Int32(value.count))
        bytes.append(contentsOf: value)
    }

    /// A jsonb, whose wire form is a version number before the text.
    mutating func add(json text: String) {
        put(Int32(text.utf8.count + 1))
        bytes.append(1)
        bytes.append(contentsOf: text.utf8)
    }

    /// NULL.
    mutating func addNull() {
        put(Int32(-1))
    }

    /// All of it, with the trailer.
    consuming func finished() -> [UInt8] {
        bytes + CopyRowEncoder.trailer
    }

    private mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }
}
