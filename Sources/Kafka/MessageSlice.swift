internal import CRdKafka

/// Where one message lies. Pointers are librdkafka's and valid until the slice is released.
@safe public struct MessageRecord: BitwiseCopyable {
    /// The value; nil for a tombstone.
    public var payload: UnsafeRawPointer?
    /// Its bytes.
    public var payloadLength: Int
    /// The key; nil for none.
    public var key: UnsafeRawPointer?
    /// Its bytes.
    public var keyLength: Int
    /// Place in the partition.
    public var offset: Int64
    /// Milliseconds since 1970, -1 for none.
    public var timestampMilliseconds: Int64
    /// The partition of the topic.
    public var partition: Int32
    /// Index of the topic in the list that was subscribed to (or in the order of first assignment, without one).
    public var topicIndex: Int32
    /// Whether the timestamp is the broker's (LogAppendTime) and not the producer's.
    public var timestampIsLogAppend: Bool

    /// A record of a message that lies somewhere else, as a simulated source makes it.
    package init(
        payload: UnsafeRawPointer?, payloadLength: Int, key: UnsafeRawPointer?, keyLength: Int, offset: Int64,
        timestampMilliseconds: Int64, partition: Int32, topicIndex: Int32, timestampIsLogAppend: Bool
    ) {
        unsafe self.payload = unsafe payload
        self.payloadLength = payloadLength
        unsafe self.key = unsafe key
        self.keyLength = keyLength
        self.offset = offset
        self.timestampMilliseconds = timestampMilliseconds
        self.partition = partition
        self.topicIndex = topicIndex
        self.timestampIsLogAppend = timestampIsLogAppend
    }
}

/// Messages of one round of polling, still in librdkafka's memory.
///
/// Buffers are made once; filling and releasing allocates nothing. Must be released before its consumer is closed:
/// the messages are the client's. One thread only.
@safe public struct MessageSlice: ~Copyable {
    /// How many messages it can hold.
    public let capacity: Int
    /// How many it takes before it counts as full, at most `capacity`: a smaller appetite without a smaller buffer.
    public var limit: Int {
        didSet { precondition(limit > 0 && limit <= capacity, "a slice takes 1 to capacity messages") }
    }
    /// How many it holds.
    public private(set) var count = 0
    /// The messages, `count` of them.
    public let records: UnsafeMutablePointer<MessageRecord>
    private let messages: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>>

    /// Makes an empty slice.
    public init(capacity: Int = 512) {
        precondition(capacity > 0)
        self.capacity = capacity
        limit = capacity
        unsafe records = .allocate(capacity: capacity)
        unsafe messages = .allocate(capacity: capacity)
    }

    deinit {
        for index in 0..<count { unsafe rd_kafka_message_destroy(messages[index]) }
        unsafe messages.deallocate()
        unsafe records.deallocate()
    }

    /// Whether the next poll would put nothing in.
    public var isFull: Bool { count >= limit }

    /// Gives the messages back to librdkafka; their pointers end here.
    public mutating func release() {
        for index in 0..<count { unsafe rd_kafka_message_destroy(messages[index]) }
        count = 0
    }

    /// One record, copied.
    public subscript(index: Int) -> MessageRecord {
        precondition(index >= 0 && index < count)
        return unsafe records[index]
    }

    /// Lends the headers of one message in order; most messages have none. Parsed on demand.
    /// - Complexity: allocates within librdkafka on the first call for a message.
    public func withHeaders(
        at index: Int, _ body: (_ name: UnsafePointer<CChar>, _ value: UnsafeRawBufferPointer?) -> Void
    ) {
        precondition(index >= 0 && index < count)
        var headers: OpaquePointer?
        guard unsafe rd_kafka_message_headers(messages[index], &headers) == RD_KAFKA_RESP_ERR_NO_ERROR,
            let headers = unsafe headers
        else { return }
        var position = 0
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        // The list stays the message's own (rdkafka.h, rd_kafka_message_headers): not destroyed here.
        while unsafe rd_kafka_header_get_all(headers, position, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
            if let name = unsafe name {
                unsafe body(name, value.map { unsafe UnsafeRawBufferPointer(start: $0, count: size) })
            }
            position += 1
        }
    }

    /// Takes a message over. The caller has looked that there is room and that the message is no error.
    @inline(__always)
    mutating func append(_ message: UnsafeMutablePointer<rd_kafka_message_t>, topicIndex: Int32) {
        unsafe messages[count] = message
        unsafe (records + count).initialize(to: MessageRecord(message, topicIndex: topicIndex))
        count &+= 1  // bounded by capacity
    }
}

extension MessageRecord {
    @inline(__always)
    init(_ message: UnsafeMutablePointer<rd_kafka_message_t>, topicIndex: Int32) {
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = unsafe rd_kafka_message_timestamp(message, &kind)
        unsafe self.init(
            payload: UnsafeRawPointer(message.pointee.payload), payloadLength: message.pointee.len,
            key: UnsafeRawPointer(message.pointee.key), keyLength: message.pointee.key_len,
            offset: message.pointee.offset,
            timestampMilliseconds: kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp,
            partition: message.pointee.partition, topicIndex: topicIndex,
            timestampIsLogAppend: kind == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME)
    }
}
