internal import CSimdJSON

/// The rows that a plan inserts, in key order. The memory is the plan's: valid until its next `begin`.
@safe public struct InsertRows {
    static let foldedFlag: UInt32 = 1 << 31
    /// How many rows ahead of the one being copied memory is asked for.
    private static let ahead = 12

    /// How many there are.
    public let count: Int
    /// An index into `readings`, or with `foldedFlag` one into `folded`.
    private let references: UnsafeMutablePointer<UInt32>
    private let readings: UnsafeMutablePointer<Reading>
    private let folded: UnsafeMutablePointer<Reading>

    init(
        count: Int, references: UnsafeMutablePointer<UInt32>, readings: UnsafeMutablePointer<Reading>,
        folded: UnsafeMutablePointer<Reading>
    ) {
        self.count = count
        unsafe self.references = unsafe references
        unsafe self.readings = unsafe readings
        unsafe self.folded = unsafe folded
    }

    /// The row at a place of `count`.
    public subscript(index: Int) -> Reading {
        precondition(index >= 0 && index < count, "no such row")
        return unsafe address(index).pointee
    }

    /// Copies the rows from `start` on that fit, in order: rows lie scattered over the batch, so they are asked for
    /// some places ahead, and the caller finds them side by side.
    /// - Returns: how many were copied; 0 at the end.
    public func copy(from start: Int, into target: UnsafeMutableBufferPointer<Reading>) -> Int {
        let end = min(count, start + target.count)
        guard start < end, let first = target.baseAddress else { return 0 }
        for index in start..<end {
            if index + Self.ahead < count { unsafe vs_prefetch(address(index + Self.ahead)) }
            unsafe (first + (index - start)).initialize(to: address(index).pointee)
        }
        return end - start
    }

    @inline(__always)
    private func address(_ index: Int) -> UnsafeMutablePointer<Reading> {
        let reference = unsafe references[index]
        return unsafe reference & Self.foldedFlag == 0
            ? readings + Int(reference) : folded + Int(reference & ~Self.foldedFlag)
    }
}
