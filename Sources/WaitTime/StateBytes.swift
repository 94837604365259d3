/// Why stored state cannot be used.
public enum StateError: Error, Equatable, Sendable {
    /// It begins with another version; the model starts anew or an older program is used.
    case unknownVersion(UInt32)
    /// It ends too early, is longer than it says, or holds a value that cannot be.
    case damaged
}

/// Writes state as bytes: fixed widths, little-endian, floating point by its bits.
struct StateWriter {
    private(set) var bytes: [UInt8] = []

    init(version: UInt32) {
        put(UInt64(version), width: 4)
    }

    mutating func put(_ value: UInt64, width: Int = 8) {
        for place in 0..<width { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * place))) }
    }

    mutating func put(_ value: Int64) { put(UInt64(bitPattern: value)) }
    mutating func put(_ value: Double) { put(value.bitPattern) }
    mutating func put(_ value: Float) { put(UInt64(value.bitPattern), width: 4) }
    mutating func put(_ key: VisitKey) {
        put(key.high)
        put(key.low)
    }

    mutating func put(count: Int) { put(UInt64(count), width: 4) }
    mutating func put(byte: Int) { put(UInt64(byte), width: 1) }

    /// A row of numbers whose length both sides know.
    mutating func put(_ values: [Double]) {
        for value in values { put(value) }
    }

    mutating func put(_ values: [Float]) {
        for value in values { put(value) }
    }

    mutating func put<Element>(_ elements: [Element], each: (inout StateWriter, Element) -> Void) {
        put(count: elements.count)
        for element in elements { each(&self, element) }
    }

    mutating func put<Element>(_ ring: Ring<Element>, each: (inout StateWriter, Element) -> Void) {
        put(ring.inOrder, each: each)
    }
}

/// Reads what `StateWriter` wrote; every read is checked, so damaged bytes throw and never trap.
struct StateReader {
    private let bytes: [UInt8]
    private var place = 0

    /// Bytes that begin with this version; throws when it is another.
    init(_ bytes: [UInt8], version: UInt32) throws(StateError) {
        self.bytes = bytes
        let found = UInt32(try unsigned(width: 4))
        guard found == version else { throw .unknownVersion(found) }
    }

    mutating func unsigned(width: Int = 8) throws(StateError) -> UInt64 {
        guard bytes.count - place >= width else { throw .damaged }
        var value: UInt64 = 0
        for step in 0..<width { value |= UInt64(bytes[place + step]) << UInt64(8 * step) }
        place += width
        return value
    }

    mutating func int64() throws(StateError) -> Int64 { Int64(bitPattern: try unsigned()) }
    mutating func double() throws(StateError) -> Double { Double(bitPattern: try unsigned()) }
    mutating func float() throws(StateError) -> Float { Float(bitPattern: UInt32(try unsigned(width: 4))) }
    mutating func key() throws(StateError) -> VisitKey { VisitKey(high: try unsigned(), low: try unsigned()) }
    mutating func byte() throws(StateError) -> Int { Int(try unsigned(width: 1)) }

    mutating func count(atMost most: Int) throws(StateError) -> Int {
        let count = Int(try unsigned(width: 4))
        guard count <= most else { throw .damaged }
        return count
    }

    mutating func doubles(_ count: Int) throws(StateError) -> [Double] {
        var values: [Double] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try double()) }
        return values
    }

    mutating func floats(_ count: Int) throws(StateError) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try float()) }
        return values
    }

    mutating func elements<Element>(
        atMost most: Int, each: (inout StateReader) throws(StateError) -> Element
    ) throws(StateError) -> [Element] {
        let count = try count(atMost: most)
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try each(&self)) }
        return elements
    }

    mutating func ring<Element>(
        capacity: Int, each: (inout StateReader) throws(StateError) -> Element
    ) throws(StateError) -> Ring<Element> {
        var ring = Ring<Element>(capacity: capacity)
        for element in try elements(atMost: capacity, each: each) { ring.append(element) }
        return ring
    }

    /// Throws unless all was read.
    func end() throws(StateError) {
        guard place == bytes.count else { throw .damaged }
    }
}
