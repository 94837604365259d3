internal import Glibc

/// The origins (facility, sector, device) that this lane has met, and their ids in `silver.origin`.
///
/// A reading being decoded carries a number of this table; before the batch is written the number becomes the id.
/// A known origin costs a hash and a comparison, no allocation. Bounded: past `limit` the lane empties it between
/// two batches, which costs one query. One thread only.
struct OriginTable {
    /// The most origins remembered between two batches.
    static let limit = 65_536

    private struct Entry {
        var hash: UInt64
        var start: Int
        /// Byte counts of facility, sector and device; -1 for an absent one.
        var lengths: (Int32, Int32, Int32)
        var id: Int32
    }

    private var entries: [Entry] = []
    private var arena: [UInt8] = []
    /// Open addressing over entry numbers; 0 is vacant.
    private var index = [Int32](repeating: 0, count: 256)
    private var unresolvedCount = 0

    /// Whether the table has outgrown its bound.
    var isFull: Bool { entries.count >= Self.limit }
    /// Whether some number has no id yet.
    var hasUnresolved: Bool { unresolvedCount > 0 }

    /// The number of an origin, 1 and up; a new one is still unresolved.
    mutating func intern(
        facility: UnsafeBufferPointer<UInt8>?, sector: UnsafeBufferPointer<UInt8>?,
        device: UnsafeBufferPointer<UInt8>?
    ) -> Int32 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        unsafe Self.mix(facility, into: &hash)
        unsafe Self.mix(sector, into: &hash)
        unsafe Self.mix(device, into: &hash)
        hash ^= hash >> 31
        var position = Int(truncatingIfNeeded: hash) & (index.count - 1)
        while index[position] != 0 {
            let number = index[position]
            if entries[Int(number) - 1].hash == hash,
                unsafe matches(entries[Int(number) - 1], facility, sector, device)
            {
                return number
            }
            position = (position + 1) & (index.count - 1)
        }
        let entry = unsafe Entry(
            hash: hash, start: arena.count,
            lengths: (Self.length(facility), Self.length(sector), Self.length(device)), id: 0)
        if let facility = unsafe facility { unsafe arena.append(contentsOf: facility) }
        if let sector = unsafe sector { unsafe arena.append(contentsOf: sector) }
        if let device = unsafe device { unsafe arena.append(contentsOf: device) }
        entries.append(entry)
        unresolvedCount += 1
        index[position] = Int32(entries.count)
        if entries.count * 2 > index.count { growIndex() }
        return Int32(entries.count)
    }

    /// Numbers without an id yet, in order.
    func unresolvedNumbers() -> [Int32] {
        entries.indices.compactMap { entries[$0].id == 0 ? Int32($0 + 1) : nil }
    }

    /// The names behind a number.
    func names(of number: Int32) -> OriginNames {
        let entry = entries[Int(number) - 1]
        var start = entry.start
        func next(_ length: Int32) -> String? {
            guard length >= 0 else { return nil }
            defer { start += Int(length) }
            return String(decoding: arena[start..<start + Int(length)], as: UTF8.self)
        }
        let facility = next(entry.lengths.0)
        let sector = next(entry.lengths.1)
        return OriginNames(facility: facility, sector: sector, device: next(entry.lengths.2))
    }

    /// Notes the id of a number.
    mutating func resolve(_ number: Int32, id: Int32) {
        if entries[Int(number) - 1].id == 0 { unresolvedCount -= 1 }
        entries[Int(number) - 1].id = id
    }

    /// The id of a number.
    func id(of number: Int32) -> Int32 { entries[Int(number) - 1].id }

    /// Forgets every origin.
    mutating func removeAll() {
        self = OriginTable()
    }

    private static func length(_ bytes: UnsafeBufferPointer<UInt8>?) -> Int32 {
        unsafe bytes.map { Int32($0.count) } ?? -1
    }

    /// Eight bytes at a time, with a value of its own for absent, and the length, so that neighbours do not flow
    /// together.
    private static func mix(_ bytes: UnsafeBufferPointer<UInt8>?, into hash: inout UInt64) {
        func add(_ value: UInt64) {
            // Meant to wrap: it mixes.
            hash = (hash ^ value) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
        }
        guard let bytes = unsafe bytes else { return add(UInt64.max) }
        let raw = UnsafeRawBufferPointer(bytes)
        var offset = 0
        while offset + 8 <= raw.count {
            add(unsafe raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var rest: UInt64 = 0
        if raw.count >= 8 {
            // The last eight, some of them for the second time: one load instead of a loop.
            if offset < raw.count { rest = unsafe raw.loadUnaligned(fromByteOffset: raw.count - 8, as: UInt64.self) }
        } else {
            while offset < raw.count {
                rest = rest << 8 | UInt64(unsafe raw[offset])
                offset += 1
            }
        }
        add(rest ^ UInt64(raw.count) << 56)
    }

    private func matches(
        _ entry: Entry, _ facility: UnsafeBufferPointer<UInt8>?, _ sector: UnsafeBufferPointer<UInt8>?,
        _ device: UnsafeBufferPointer<UInt8>?
    ) -> Bool {
        guard entry.lengths == (unsafe (Self.length(facility), Self.length(sector), Self.length(device))) else {
            return false
        }
        return unsafe arena.withUnsafeBytes { arena in
            var start = entry.start
            func agrees(_ part: UnsafeBufferPointer<UInt8>?) -> Bool {
                // An empty name has no address and agrees with every other empty one.
                guard let part = unsafe part, let first = part.baseAddress, part.count > 0,
                    let stored = arena.baseAddress
                else { return true }
                let place = unsafe stored + start
                start += part.count
                return unsafe memcmp(place, first, part.count) == 0
            }
            return unsafe agrees(facility) && agrees(sector) && agrees(device)
        }
    }

    private mutating func growIndex() {
        index = [Int32](repeating: 0, count: index.count * 2)
        for (offset, entry) in entries.enumerated() {
            var position = Int(truncatingIfNeeded: entry.hash) & (index.count - 1)
            while index[position] != 0 { position = (position + 1) & (index.count - 1) }
            index[position] = Int32(offset + 1)
        }
    }
}
