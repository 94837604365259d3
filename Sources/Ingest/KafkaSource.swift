// The public signatures are made of their values.
public import Kafka

/// A lane's messages from a Kafka consumer group. One thread only.
public struct KafkaSource: MessageSource, ~Copyable {
    private var consumer: Consumer?
    private var slice = MessageSlice()
    private let topics: [String]
    private var wasDrained = true
    /// Becomes readable when an empty queue has got something.
    public let eventDescriptor: Int32

    /// Makes the consumer and joins the group; nothing is awaited.
    public init(
        properties: [(String, String)], groupID: String, topics: [String],
        logHook: @escaping KafkaLogHook
    ) throws(KafkaError) {
        var consumer = try Consumer(properties: properties, groupID: groupID, logHook: logHook)
        try consumer.subscribe(topics)
        eventDescriptor = consumer.eventDescriptor
        self.topics = topics
        self.consumer = consume consumer
    }

    /// See `MessageSource`.
    public mutating func poll(limit: Int) -> SourcePoll {
        // Read before draining: the descriptor fires only when an empty queue gets its first message.
        if wasDrained { consumer?.acknowledgeEvent() }
        slice.limit = min(limit, slice.capacity)
        let outcome = consumer?.poll(into: &slice) ?? .drained
        wasDrained = outcome == .drained
        return SourcePoll(count: slice.count, isDrained: wasDrained)
    }

    /// See `MessageSource`.
    public func record(at index: Int) -> SourceRecord {
        slice[index]
    }

    /// See `MessageSource`.
    public func forEachHeader(
        at index: Int, _ body: (UnsafePointer<CChar>, UnsafeRawBufferPointer?) -> Void
    ) {
        unsafe slice.withHeaders(at: index, body)
    }

    /// See `MessageSource`.
    public mutating func release() {
        slice.release()
    }

    /// See `MessageSource`.
    public mutating func takeEvent() -> ConsumerEvent? { consumer?.takeEvent() }

    /// See `MessageSource`.
    public mutating func assign(_ starts: [TopicPartitionOffset]) throws(KafkaError) {
        try consumer?.assign(starts)
    }

    /// See `MessageSource`.
    public mutating func rejoin() throws(KafkaError) {
        try consumer?.subscribe(topics)
    }

    /// See `MessageSource`.
    public func cachedWatermarks(of partition: TopicPartition) -> Watermarks? {
        consumer?.cachedWatermarks(partition)
    }

    /// See `MessageSource`.
    public mutating func queryWatermarks(of partition: TopicPartition) throws(KafkaError) -> Watermarks {
        guard let watermarks = try consumer?.queryWatermarks(partition, timeoutMilliseconds: 2_000) else {
            preconditionFailure("the consumer is closed")
        }
        return watermarks
    }

    /// See `MessageSource`.
    public mutating func reportCommitted(_ positions: [TopicPartitionOffset]) {
        consumer?.storeCommittedOffsetsAsync(positions)
    }

    /// See `MessageSource`.
    public mutating func close(within limit: Duration) -> Bool {
        release()
        guard let consumer = consumer.take() else { return true }
        return consumer.close(within: limit)
    }
}
