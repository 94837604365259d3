/// A stored row that the batch changes: what it was, and what it becomes.
public struct RowChange: BitwiseCopyable, Sendable {
    /// The row as it is stored; the update compares all of it before it writes.
    public var old: Reading
    /// The row as it shall be.
    public var new: Reading
}

/// The values that one correction replaced.
public struct Replacement: BitwiseCopyable, Sendable {
    /// The row before the correction; only the vital signs named by `replaced` were replaced.
    public var before: Reading
    /// Presence bits of the values that were replaced.
    public var replaced: UInt8
    /// Partition of the correcting message.
    public var partition: UInt16
    /// Offset of the correcting message.
    public var offset: Int64
}
