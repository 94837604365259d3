internal import CRdKafka
internal import Service

/// Reads ranges of a log without a group: for `verify --against-log` and `offsets`. One thread at a time.
@safe public struct LogReader: ~Copyable {
    private let client: OpaquePointer
    private let context: ClientContext

    /// Makes a client; no connection is waited for.
    /// - Parameter properties: librdkafka's properties, `bootstrap.servers` among them.
    public init(
        properties: [(String, String)], logHook: @escaping KafkaLogHook = { _, _, _ in }
    ) throws(KafkaError) {
        let context = ClientContext(logHook: logHook)
        // The end of the log must be told: the last offsets of a range may be markers, which nobody ever sees.
        let configuration = try ClientConfiguration(
            properties: [
                ("check.crcs", "true"), ("fetch.wait.max.ms", "10"),
                ("socket.nagle.disable", "true"), ("queued.max.messages.kbytes", "16384"),
            ] + properties + [("enable.partition.eof", "true"), ("auto.offset.reset", "error")])
        unsafe client = try configuration.makeClient(.consumer, context: context)
        self.context = context
    }

    deinit {
        unsafe rd_kafka_destroy(client)
        withExtendedLifetime(context) {}
    }

    /// The ends of a partition's log, from its leader.
    public mutating func watermarks(
        of partition: TopicPartition, within duration: Duration = .seconds(10)
    ) throws(KafkaError) -> Watermarks {
        try unsafe WatermarkRequest.ask(partition, client: client, within: duration)
    }

    /// What the brokers say about a topic; one that does not exist has `error` set.
    public mutating func metadata(
        topic: String, within duration: Duration = .seconds(10)
    ) throws(KafkaError)
        -> TopicMetadata
    {
        try unsafe MetadataRequest.topic(topic, client: client, within: duration)
    }

    /// Lends every message with `from <= offset < to` in order; a record's pointers end with the call of `each`.
    ///
    /// Offsets that hold no message (transaction markers, compaction) are passed over. `topicIndex` is always 0.
    /// - Parameter patience: the longest silence before the broker is given up.
    /// - Returns: how many messages were lent.
    /// - Throws: `ERR__AUTO_OFFSET_RESET` when `from` is not in the log, `ERR__TIMED_OUT` after the silence.
    @discardableResult
    public mutating func read(
        topic: String, partition: Int32, from: Int64, to: Int64, patience: Duration = .seconds(30),
        each: (MessageRecord) -> Void
    ) throws(KafkaError) -> Int {
        precondition(from >= 0, "offsets are not negative")
        if from >= to { return 0 }
        guard let handle = unsafe rd_kafka_topic_new(client, topic, nil) else {
            throw KafkaError(rd_kafka_last_error())
        }
        defer { unsafe rd_kafka_topic_destroy(handle) }
        guard unsafe rd_kafka_consume_start(handle, partition, from) == 0 else {
            throw KafkaError(rd_kafka_last_error())
        }
        // Waits for the fetcher to stop; what it still had queued goes with it.
        defer { unsafe _ = rd_kafka_consume_stop(handle, partition) }
        let probe = KafkaLibrary.hasFetchQueueBackoff ? nil : try unsafe WatermarkProbe(client: client)
        probe?.setPartitions([TopicPartition(topic: topic, partition: partition)])
        defer { if let probe { wait(for: probe) } }
        var count = 0
        var lastNews = MonotonicTime.now()
        while true {
            guard let message = unsafe rd_kafka_consume(handle, partition, 100) else {
                if MonotonicTime.now() - lastNews > patience { throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT) }
                unsafe _ = rd_kafka_poll(client, 0)
                continue
            }
            defer { unsafe rd_kafka_message_destroy(message) }
            let offset = unsafe message.pointee.offset
            switch unsafe message.pointee.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                if offset >= to { return count }
                unsafe each(MessageRecord(message, topicIndex: 0))
                count += 1
                if offset + 1 >= to { return count }
                if count % WatermarkProbe.messagesPerWakeUp == 0 { probe?.wake() }
                lastNews = MonotonicTime.now()
            case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                // The log's end, whatever `to` hoped for.
                return count
            case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__TIMED_OUT:
                continue
            default:
                let detail = unsafe rd_kafka_message_errstr(message).map { unsafe String(cString: $0) }
                throw KafkaError(unsafe message.pointee.err, detail: detail)
            }
        }
    }

    /// The probe uses the client, so it must be gone before the client is; it waits for two short time-outs at most.
    private func wait(for probe: WatermarkProbe) {
        while !probe.stop(within: .seconds(10)) {}
    }
}
