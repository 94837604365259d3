internal import CRdKafka

/// What became of a message offered to a producer.
public enum EnqueueResult: Equatable, Sendable {
    /// Copied; its delivery is reported by the counts.
    case queued
    /// No room: poll, then offer it again.
    case queueFull
    /// Will never be taken, such as larger than `message.max.bytes`.
    case refused(KafkaError)
}

/// One header of a message.
public struct MessageHeader: Sendable {
    /// Its name.
    public let name: String
    /// Its bytes; nil is Kafka's null.
    public let value: [UInt8]?

    /// A header; nothing is sent.
    public init(name: String, value: [UInt8]?) {
        self.name = name
        self.value = value
    }
}

/// An idempotent producer. Used by one thread at a time.
@safe public struct Producer: ~Copyable {
    private let client: OpaquePointer
    private let context: ProducerContext
    private var topics: [TopicHandle] = []

    /// What it is set to before the caller's properties: idempotent with all acknowledgements, one request in flight,
    /// 5 ms of lingering, the Java client's partitioner, so that a key keeps its partition whoever produced it.
    public static let defaults: [(String, String)] = [
        ("enable.idempotence", "true"),
        // With several in flight, a first batch that a new partition's leader is not ready for is refused and the
        // second taken, since the broker knows no sequence of this producer yet; the first counts as delivered too.
        ("max.in.flight.requests.per.connection", "1"),
        ("acks", "all"),
        ("linger.ms", "5"),
        ("partitioner", "murmur2_random"),
        ("socket.nagle.disable", "true"),
        ("socket.keepalive.enable", "true"),
    ]

    /// Makes a producer; no connection is waited for.
    /// - Parameters:
    ///   - properties: librdkafka's properties, `bootstrap.servers` among them; they win over `defaults`.
    ///   - logHook: gets librdkafka's log lines, from its own threads.
    public init(
        properties: [(String, String)], logHook: @escaping KafkaLogHook = { _, _, _ in }
    ) throws(KafkaError) {
        let context = ProducerContext(logHook: logHook)
        let configuration = try ClientConfiguration(properties: Self.defaults + properties)
        unsafe configuration.withHandle { handle in
            unsafe rd_kafka_conf_set_dr_msg_cb(handle, countDelivery)
            unsafe rd_kafka_conf_set_error_cb(handle, noteProducerError)
        }
        unsafe client = try configuration.makeClient(.producer, context: context)
        self.context = context
    }

    deinit {
        // Order: what is still queued, the topics, the client, and only then its callback target (a stored property).
        unsafe _ = rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        unsafe _ = rd_kafka_poll(client, 0)
        for topic in topics { unsafe rd_kafka_topic_destroy(topic.handle) }
        unsafe rd_kafka_destroy(client)
        withExtendedLifetime(context) {}
    }

    /// Messages that a broker has acknowledged, as of the last `poll` or `flush`.
    public var deliveredCount: Int { context.delivered }
    /// Messages given up by librdkafka (time-out, refused by the broker), as of the last `poll` or `flush`.
    public var failedCount: Int { context.failed }
    /// The first reason for a message given up.
    public var firstFailure: KafkaError? { context.firstFailure }
    /// Set when idempotence could not be kept: this producer takes nothing more.
    public var fatalError: KafkaError? { context.fatal }
    /// Whether no broker at all answers, as of the last `poll` or `flush`; a delivery ends it.
    public var brokersAreDown: Bool { context.brokersDown }
    /// Messages waiting in the queue or for an acknowledgement.
    public var waitingCount: Int { Int(unsafe rd_kafka_outq_len(client)) }

    /// Copies a message into the queue.
    /// - Parameters:
    ///   - partition: nil lets the key choose (murmur2, as Java's client), or chance without a key.
    ///   - key: nil for none.
    ///   - payload: nil for a tombstone.
    ///   - timestampMilliseconds: since 1970; nil is now. A topic with LogAppendTime ignores it.
    /// - Complexity: one copy; no allocation of ours unless headers are given or the topic is new.
    public mutating func enqueue(
        topic: String, partition: Int32? = nil, key: UnsafeRawBufferPointer?, payload: UnsafeRawBufferPointer?,
        timestampMilliseconds: Int64? = nil, headers: [MessageHeader] = []
    ) -> EnqueueResult {
        guard let handle = unsafe handle(ofTopic: topic) else {
            return .refused(KafkaError(rd_kafka_last_error(), detail: "topic \(topic) is not usable"))
        }
        let list = unsafe makeHeaders(headers)
        let code = unsafe vs_kafka_produce(
            client, handle, partition ?? vs_kafka_partition_any, pointer(of: key), key?.count ?? 0,
            pointer(of: payload), payload?.count ?? 0, timestampMilliseconds ?? 0, list)
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return .queued }
        if let list = unsafe list { unsafe rd_kafka_headers_destroy(list) }
        return code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? .queueFull : .refused(KafkaError(code))
    }

    /// The same for bytes in arrays; convenient, not fast.
    public mutating func enqueue(
        topic: String, partition: Int32? = nil, key: [UInt8]?, payload: [UInt8]?,
        timestampMilliseconds: Int64? = nil, headers: [MessageHeader] = []
    ) -> EnqueueResult {
        let keyBytes = key ?? []
        let payloadBytes = payload ?? []
        return unsafe keyBytes.withUnsafeBytes { keyBuffer in
            unsafe payloadBytes.withUnsafeBytes { payloadBuffer in
                unsafe enqueue(
                    topic: topic, partition: partition, key: key == nil ? nil : keyBuffer,
                    payload: payload == nil ? nil : payloadBuffer, timestampMilliseconds: timestampMilliseconds,
                    headers: headers)
            }
        }
    }

    /// Serves delivery reports, waiting for the first one at most so long (0: not at all).
    /// - Returns: how many were served.
    @discardableResult
    public mutating func poll(timeoutMilliseconds: Int32) -> Int {
        Int(unsafe rd_kafka_poll(client, timeoutMilliseconds))
    }

    /// Waits until everything queued is delivered or given up.
    /// - Returns: messages still waiting at the deadline; 0 is success.
    public mutating func flush(within duration: Duration) -> Int {
        unsafe _ = rd_kafka_flush(client, duration.clientTimeout)
        return waitingCount
    }

    /// Waits at most so long for news from the brokers about a topic; a missing topic may be created by the broker.
    public mutating func metadata(topic: String, within duration: Duration) throws(KafkaError) -> TopicMetadata {
        try unsafe MetadataRequest.topic(topic, client: client, within: duration)
    }

    private mutating func handle(ofTopic name: String) -> OpaquePointer? {
        for topic in topics where topic.name == name { return unsafe topic.handle }
        guard let handle = unsafe rd_kafka_topic_new(client, name, nil) else { return nil }
        unsafe topics.append(TopicHandle(name: name, handle: handle))
        return unsafe handle
    }

    private func makeHeaders(_ headers: [MessageHeader]) -> OpaquePointer? {
        if headers.isEmpty { return nil }
        let list = unsafe rd_kafka_headers_new(headers.count)
        for header in headers {
            let bytes = header.value ?? []
            unsafe bytes.withUnsafeBytes { buffer in
                let value: UnsafeRawPointer? =
                    unsafe header.value == nil ? nil : (buffer.baseAddress ?? UnsafeRawPointer(emptyBytes))
                unsafe _ = rd_kafka_header_add(list, header.name, -1, value, buffer.count)
            }
        }
        return unsafe list
    }

    /// An empty buffer has no address, but to Kafka an address of nil is null, which is not the same as empty.
    private func pointer(of bytes: UnsafeRawBufferPointer?) -> UnsafeRawPointer? {
        guard let bytes = unsafe bytes else { return nil }
        return unsafe bytes.baseAddress ?? UnsafeRawPointer(emptyBytes)
    }
}

/// A topic this producer has sent to. Owned by the producer, which destroys it before the client.
@safe private struct TopicHandle {
    let name: String
    let handle: OpaquePointer
}

/// An address that stands for "empty, not null"; one byte, never written, never freed.
private nonisolated(unsafe) let emptyBytes: UnsafeMutablePointer<UInt8> = {
    let byte = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
    unsafe byte.initialize(to: 0)
    return unsafe byte
}()

/// Counts deliveries. Its state is touched only inside `rd_kafka_poll`, `flush` and `destroy`, that is on the thread
/// that uses the producer.
private final class ProducerContext: ClientContext, @unchecked Sendable {
    var delivered = 0
    var failed = 0
    var firstFailure: KafkaError?
    var fatal: KafkaError?
    var brokersDown = false
}

private func countDelivery(
    _ client: OpaquePointer?, _ message: UnsafePointer<rd_kafka_message_t>?, _ opaque: UnsafeMutableRawPointer?
) {
    guard let message = unsafe message, let opaque = unsafe opaque else { return }
    let context = unsafe Unmanaged<ProducerContext>.fromOpaque(opaque).takeUnretainedValue()
    let code = unsafe message.pointee.err
    if code == RD_KAFKA_RESP_ERR_NO_ERROR {
        context.delivered += 1
        context.brokersDown = false
    } else {
        context.failed += 1
        if context.firstFailure == nil { context.firstFailure = KafkaError(code) }
    }
}

private func noteProducerError(
    _ client: OpaquePointer?, _ code: Int32, _ reason: UnsafePointer<CChar>?, _ opaque: UnsafeMutableRawPointer?
) {
    guard let client = unsafe client, let opaque = unsafe opaque else { return }
    let context = unsafe Unmanaged<ProducerContext>.fromOpaque(opaque).takeUnretainedValue()
    if code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN.rawValue { context.brokersDown = true }
    guard code == RD_KAFKA_RESP_ERR__FATAL.rawValue, context.fatal == nil else { return }
    context.fatal = unsafe KafkaError.fatal(of: client)
}

extension KafkaError {
    /// The error that made a client unusable.
    static func fatal(of client: OpaquePointer) -> KafkaError {
        var text = ErrorText()
        let code = unsafe rd_kafka_fatal_error(client, &text.bytes, ErrorText.capacity)
        return KafkaError(code, detail: text.string, isFatal: true)
    }
}
