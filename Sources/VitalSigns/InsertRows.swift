/// The rows that a plan inserts, in key order. The memory is the plan's: valid until its next `begin`.
@frozen @safe public struct InsertRows {
    @usableFromInline static let foldedFlag: UInt32 = 1 << 31

    /// How many there are.
    public let count: Int
    /// An index into `readings`, or with `foldedFlag` one into `folded`.
    @usableFromInline let references: UnsafeMutablePointer<UInt32>
    @usableFromInline let readings: UnsafeMutablePointer<Reading>
    @usableFromInline let folded: UnsafeMutablePointer<Reading>

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
    @inlinable
    public subscript(index: Int) -> Reading {
        precondition(index >= 0 && index < count, "no such row")
        let reference = unsafe references[index]
        return reference & Self.foldedFlag == 0
            ? unsafe readings[Int(reference)] : unsafe folded[Int(reference & ~Self.foldedFlag)]
    }
}
