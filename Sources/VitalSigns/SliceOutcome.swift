/// What became of the messages of one slice.
public struct SliceOutcome: BitwiseCopyable, Sendable, Equatable {
    /// Readings written, in the order of their messages.
    public var acceptedCount: Int
    /// Messages that became rejections; with `acceptedCount` it adds up to the messages of the slice.
    public var rejectedCount: Int
    /// Fields of accepted messages that the format does not know; they are ignored.
    public var unknownFields: Int64
    /// Accepted messages whose Kafka key is not the patientId (a missing key too).
    public var keyMismatches: Int64

    /// An outcome; made by `SliceDecoder`.
    public init(acceptedCount: Int, rejectedCount: Int, unknownFields: Int64, keyMismatches: Int64) {
        self.acceptedCount = acceptedCount
        self.rejectedCount = rejectedCount
        self.unknownFields = unknownFields
        self.keyMismatches = keyMismatches
    }
}
