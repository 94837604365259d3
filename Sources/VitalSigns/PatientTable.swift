/// The newest committed reading of each patient that this lane has seen: a bounded filter in front of the database.
///
/// An entry says two things: no reading of this patient newer than `time` is stored, and, when its presence is not
/// zero, that this very row is stored at `time`. It may forget a patient, never invent one: the database's primary
/// key stays the judge. One thread only. 64 bytes an entry in slabs that never move, and a table of 32-bit slots.
@safe public struct PatientTable: ~Copyable {
    /// The most patients remembered; beyond it the least recently touched is forgotten.
    public let capacity: Int
    /// Patients remembered now.
    public private(set) var count = 0
    /// Raised whenever slots may have moved; a slot found under another generation is void.
    public private(set) var generation: UInt64 = 0

    private static let slabShift = 10
    private static let slabRows = 1 << slabShift
    private static let vacant = UInt32.max
    /// A spare bit of `categorical`: the entry was touched since the clock hand last passed.
    private static let touched: UInt8 = 0b1000_0000

    private var slabs: [UnsafeMutablePointer<Reading>] = unsafe []
    private var index: UnsafeMutablePointer<UInt32>
    private var indexMask: Int
    private var hand = 0

    /// A table of nobody that will hold at most `capacity` patients (at least 1).
    public init(capacity: Int) {
        precondition(capacity > 0 && capacity < Int(UInt32.max), "patient table capacity out of range")
        self.capacity = capacity
        indexMask = 1023
        unsafe index = .allocate(capacity: 1024)
        unsafe index.initialize(repeating: Self.vacant, count: 1024)
    }

    deinit {
        for index in 0..<(unsafe slabs.count) { unsafe slabs[index].deallocate() }
        unsafe index.deallocate()
    }

    /// The slot of a patient, or -1. Valid until the next `insert` or `removeAll`.
    /// - Complexity: constant on average, no allocation.
    public func find(high: UInt64, low: UInt64) -> Int32 {
        var position = Self.hash(high, low) & indexMask
        while true {
            let slot = unsafe index[position]
            if slot == Self.vacant { return -1 }
            let row = unsafe self.row(slot)
            if unsafe row.pointee.patientLow == low && row.pointee.patientHigh == high { return Int32(slot) }
            position = (position + 1) & indexMask
        }
    }

    /// The entry in a slot that `find` returned.
    public func entry(_ slot: Int32) -> Reading {
        var entry = unsafe row(UInt32(slot)).pointee
        entry.categorical &= ~Self.touched
        return entry
    }

    /// Replaces the entry of a patient found before by a newer state of the same patient.
    public mutating func update(_ slot: Int32, to reading: Reading) {
        var entry = reading
        entry.categorical |= Self.touched
        unsafe row(UInt32(slot)).pointee = entry
    }

    /// Remembers a patient who is not in the table; forgets another one when it is full. Slots found before are void.
    public mutating func insert(_ reading: Reading) {
        generation &+= 1
        let slot: UInt32
        if count == capacity {
            slot = evict()
        } else {
            slot = UInt32(count)
            if unsafe count >> Self.slabShift == slabs.count {
                unsafe slabs.append(.allocate(capacity: Self.slabRows))
            }
        }
        count += 1
        if count * 4 > (indexMask + 1) * 3 { growIndex() }
        var entry = reading
        entry.categorical |= Self.touched
        unsafe row(slot).initialize(to: entry)
        place(slot)
    }

    /// Forgets everybody, keeping the memory for the next.
    public mutating func removeAll() {
        generation &+= 1
        count = 0
        hand = 0
        unsafe index.update(repeating: Self.vacant, count: indexMask + 1)
    }

    private func row(_ slot: UInt32) -> UnsafeMutablePointer<Reading> {
        unsafe slabs[Int(slot) >> Self.slabShift] + (Int(slot) & (Self.slabRows - 1))
    }

    private static func hash(_ high: UInt64, _ low: UInt64) -> Int {
        // Both halves enter: version 7 identifiers share their first half, hand-made ones their second.
        var mixed = (high ^ (low << 32 | low >> 32)) &* 0x9E37_79B9_7F4A_7C15
        mixed ^= mixed >> 32
        // The parentheses matter: in Swift a shift binds tighter than a product, and the low bits alone mix badly.
        return Int(truncatingIfNeeded: (mixed &* 0xD6E8_FEB8_6659_FD93) >> 20)
    }

    private func place(_ slot: UInt32) {
        let row = unsafe self.row(slot)
        var position = unsafe Self.hash(row.pointee.patientHigh, row.pointee.patientLow) & indexMask
        while unsafe index[position] != Self.vacant { position = (position + 1) & indexMask }
        unsafe index[position] = slot
    }

    private mutating func growIndex() {
        let size = (indexMask + 1) * 2
        unsafe index.deallocate()
        unsafe index = .allocate(capacity: size)
        unsafe index.initialize(repeating: Self.vacant, count: size)
        indexMask = size - 1
        // The newest slot is placed by the caller.
        for slot in 0..<UInt32(count - 1) { place(slot) }
    }

    /// Frees one slot by the clock rule: the first entry not touched since the hand last passed it.
    private mutating func evict() -> UInt32 {
        while true {
            let slot = UInt32(hand)
            hand = hand + 1 == count ? 0 : hand + 1
            let row = unsafe self.row(slot)
            if unsafe row.pointee.categorical & Self.touched == 0 {
                remove(slot)
                count -= 1
                return slot
            }
            unsafe row.pointee.categorical &= ~Self.touched
        }
    }

    /// Takes a slot out of the index and closes the hole, so that every probe sequence stays unbroken.
    private func remove(_ slot: UInt32) {
        let row = unsafe self.row(slot)
        var hole = unsafe Self.hash(row.pointee.patientHigh, row.pointee.patientLow) & indexMask
        while unsafe index[hole] != slot { hole = (hole + 1) & indexMask }
        var probe = hole
        while true {
            probe = (probe + 1) & indexMask
            let next = unsafe index[probe]
            if next == Self.vacant { break }
            let other = unsafe self.row(next)
            let home = unsafe Self.hash(other.pointee.patientHigh, other.pointee.patientLow) & indexMask
            // Move it only when its home does not lie cyclically after the hole.
            if (probe &- home) & indexMask >= (probe &- hole) & indexMask {
                unsafe index[hole] = next
                hole = probe
            }
        }
        unsafe index[hole] = Self.vacant
    }
}
