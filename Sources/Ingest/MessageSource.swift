// The lane's outside shows Kafka's own values: both the real source and a simulated one speak of them.
public import Kafka

/// One message as the row path sees it. Its memory belongs to the source until `release`.
public typealias SourceRecord = MessageRecord

/// Where a lane's messages come from: a Kafka consumer, or a simulated one. One thread only, nothing blocks but
/// what says so.
public protocol MessageSource: ~Copyable {
    /// Takes up to `limit` messages (at most 512) that are already here; events that turn up are queued.
    /// - Returns: how many messages are held, and whether more may be waiting.
    mutating func poll(limit: Int) -> SourcePoll
    /// A message held since the last `poll`.
    func record(at index: Int) -> SourceRecord
    /// Lends the headers of a message held, name and value (nil for null), in their order.
    func forEachHeader(at index: Int, _ body: (UnsafePointer<CChar>, UnsafeRawBufferPointer?) -> Void)
    /// Gives back the messages held; their memory is void.
    mutating func release()
    /// The oldest event not yet taken.
    mutating func takeEvent() -> ConsumerEvent?
    /// Replaces what is read, and from where. Messages from before may still come once; offsets tell.
    mutating func assign(_ starts: [TopicPartitionOffset]) throws(KafkaError)
    /// Leaves the group and joins it again. The answer comes as events.
    mutating func rejoin() throws(KafkaError)
    /// The ends of the log as last heard, without asking; nil before anything was heard.
    func cachedWatermarks(of partition: TopicPartition) -> Watermarks?
    /// Asks the broker for the ends of the log. Blocks for at most two seconds.
    mutating func queryWatermarks(of partition: TopicPartition) throws(KafkaError) -> Watermarks
    /// Tells Kafka how far the database is, for lag tools only; nothing reads it back.
    mutating func reportCommitted(_ positions: [TopicPartitionOffset])
    /// Leaves the group and ends. False when that did not happen in time.
    mutating func close(within limit: Duration) -> Bool
}

/// What one `poll` of a source brought.
public struct SourcePoll: BitwiseCopyable, Sendable {
    /// Messages held, 0 to 512.
    public var count: Int
    /// Whether the source had no further message at that moment.
    public var isDrained: Bool

    /// `count` messages; `isDrained` when there were no more.
    public init(count: Int, isDrained: Bool) {
        self.count = count
        self.isDrained = isDrained
    }
}
