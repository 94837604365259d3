internal import VitalSigns

/// Readings by key, packed: 64 bytes each in chunks of raw memory, and 6 to 12 bytes of index.
///
/// Grows without moving a row, so that its peak is what it holds. One thread only; at most 4 billion rows.
final class LogFoldRows {
    /// What makes two readings the same.
    enum Identity {
        /// Patient and instant: rows of `silver.vital_reading`.
        case key
        /// Those and the message: rows of the history.
        case keyAndMessage
    }

    /// How many there are.
    private(set) var count = 0
    private let identity: Identity
    private var chunks: [UnsafeMutablePointer<Reading>] = []
    /// Open addressing over row numbers counted from 1; 0 is vacant. Its size is a power of two.
    private var slots = [UInt32](repeating: 0, count: 1 << 12)

    private static let chunkRows = 1 << 14

    init(_ identity: Identity) {
        self.identity = identity
    }

    deinit {
        for chunk in chunks { chunk.deallocate() }
    }

    /// Where a row is, until the table goes.
    func pointer(at index: Int) -> UnsafeMutablePointer<Reading> {
        precondition(index >= 0 && index < count, "no such row")
        return chunks[index / Self.chunkRows] + index % Self.chunkRows
    }

    /// The row with the identity of `reading`, nil when there is none.
    func find(_ reading: Reading) -> Int? {
        var slot = place(of: reading)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if isSame(pointer(at: index).pointee, reading) { return index }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds a row whose identity is not there yet.
    func append(_ reading: Reading) {
        if count * 3 >= slots.count * 2 { growIndex() }
        if count == chunks.count * Self.chunkRows { chunks.append(.allocate(capacity: Self.chunkRows)) }
        (chunks[count / Self.chunkRows] + count % Self.chunkRows).initialize(to: reading)
        count += 1
        enter(count - 1)
    }

    private func enter(_ index: Int) {
        var slot = place(of: pointer(at: index).pointee)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt32(index + 1)
    }

    private func growIndex() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for index in 0..<count { enter(index) }
    }

    private func isSame(_ left: Reading, _ right: Reading) -> Bool {
        left.hasSameKey(as: right)
            && (identity == .key || (left.offset == right.offset && left.partition == right.partition))
    }

    /// Multiplications are meant to wrap: the upper bits are the hash.
    private func place(of reading: Reading) -> Int {
        var hash = (reading.patientHigh ^ (reading.patientLow &* 0x9FB2_1C65_1E98_DF25)) &* 0xD6E8_FEB8_6659_FD93
        hash = (hash ^ (hash >> 32) ^ UInt64(bitPattern: reading.time)) &* 0x9E37_79B9_7F4A_7C15
        if identity == .keyAndMessage {
            hash = (hash ^ (hash >> 32) ^ UInt64(bitPattern: reading.offset)) &* 0xD6E8_FEB8_6659_FD93
        }
        return Int(truncatingIfNeeded: hash >> 32) & (slots.count - 1)
    }
}
