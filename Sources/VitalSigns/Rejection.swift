/// One message of a slice that cannot be used.
public struct Rejection: BitwiseCopyable, Sendable, Equatable {
    /// Position of the message in the slice that was decoded.
    public var messageIndex: Int
    /// The first reason that applies.
    public var reason: RejectReason

    /// A rejection; made by `SliceDecoder`.
    public init(messageIndex: Int, reason: RejectReason) {
        self.messageIndex = messageIndex
        self.reason = reason
    }
}
