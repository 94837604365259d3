/// What a source of messages has to offer next.
package enum SourceStep: Equatable {
    /// A message is ready to be lent.
    case message
    /// Nothing before this wall-clock time, milliseconds since 1970-01-01Z.
    case notBefore(Int64)
    /// Nothing any more.
    case end
}

/// Where a producer program gets its messages from, one at a time.
package protocol MessageSource: ~Copyable {
    /// Goes on to the next message. Called again after `.notBefore`, never after `.end`.
    mutating func advance(wallClockMilliseconds: Int64) throws(ReplayError) -> SourceStep

    /// Lends the key (nil for none) and the payload of the present message.
    func withMessage<Result>(
        _ body: (_ key: UnsafeRawBufferPointer?, _ payload: UnsafeRawBufferPointer) -> Result
    ) -> Result

    /// The present message was taken by the sink: count it.
    mutating func countSent()
}
