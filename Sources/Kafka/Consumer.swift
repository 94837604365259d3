internal import CRdKafka
internal import Service

/// A member of a consumer group whose offsets live elsewhere. One thread only, for every call.
///
/// The group decides which partitions; `assign` decides from where. See `poll(into:)` for the loop.
@safe public struct Consumer: ~Copyable {
    // Nil once closed. Owned: made in init, destroyed in deinit or by the closing thread.
    var client: OpaquePointer?
    var queue: OpaquePointer?
    let context: ConsumerContext
    let event: WakeEvent
    let probe: WatermarkProbe?
    var topics: [String] = []
    var isSubscribed = false
    private var drainedSinceProbe = 0
    // The topic of the last message: comparing a pointer is all that most messages cost.
    private var lastTopic: OpaquePointer?
    private var lastTopicIndex: Int32 = -1

    /// Makes the client and its descriptor; joins nothing and waits for no connection.
    /// - Parameters:
    ///   - properties: see `ConsumerConfiguration.properties`.
    ///   - groupID: wins over a `group.id` among the properties.
    ///   - logHook: gets librdkafka's log lines, from its own threads.
    /// - Throws: for an unknown property, a bad value, a cooperative strategy (librdkafka 4312 aborts the process),
    ///   or no descriptor left.
    public init(
        properties: [(String, String)], groupID: String, logHook: @escaping KafkaLogHook = { _, _, _ in }
    ) throws(KafkaError) {
        var configuration = try ClientConfiguration(properties: properties + [("group.id", groupID)])
        if configuration.value(of: "partition.assignment.strategy")?.contains("cooperative") == true {
            throw KafkaError(
                RD_KAFKA_RESP_ERR__INVALID_ARG,
                detail: "partition.assignment.strategy must be range or roundrobin: offsets come from the database")
        }
        let context = ConsumerContext(logHook: logHook)
        if configuration.value(of: "group.instance.id").map({ !$0.isEmpty }) == true {
            throw KafkaError(
                RD_KAFKA_RESP_ERR__INVALID_ARG,
                detail: "group.instance.id must stay unset: lanes are members of their own, one name would fence them")
        }
        try Self.keepOffsetsOurs(&configuration, logHook)
        try Self.watchForRefusedFetches(&configuration, context)
        unsafe configuration.withHandle { handle in
            unsafe rd_kafka_conf_set_rebalance_cb(handle, rebalanceConsumer)
            unsafe rd_kafka_conf_set_error_cb(handle, noteConsumerError)
            unsafe rd_kafka_conf_set_offset_commit_cb(handle, noteCommit)
        }
        let event: WakeEvent
        do {
            event = try WakeEvent()
        } catch {
            throw KafkaError(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, detail: "\(error)")
        }
        let client = try unsafe configuration.makeClient(.consumer, context: context)
        // Main queue into the consumer's; then the event, and only later the subscription (DESIGN.md, "What bites").
        unsafe _ = rd_kafka_poll_set_consumer(client)
        guard let queue = unsafe rd_kafka_queue_get_consumer(client) else {
            unsafe rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
            throw KafkaError(RD_KAFKA_RESP_ERR__STATE, detail: "the client has no consumer queue")
        }
        var one: UInt64 = 1
        unsafe rd_kafka_queue_io_event_enable(queue, event.descriptor, &one, MemoryLayout<UInt64>.size)
        do {
            probe = KafkaLibrary.hasFetchQueueBackoff ? nil : try unsafe WatermarkProbe(client: client)
        } catch {
            unsafe rd_kafka_queue_destroy(queue)
            unsafe rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
            throw error
        }
        unsafe self.client = client
        unsafe self.queue = queue
        self.context = context
        self.event = event
    }

    deinit {
        guard let client = unsafe client else { return }
        // Not closed, so abandoned: the group learns it from the session's end. The probe first, as it uses the client.
        // A broker that does not answer holds it for two time-outs at most; if not even that, leak rather than crash.
        if let probe, !probe.stop(within: .seconds(5)) {
            Self.keepForever(context, event)
            return
        }
        unsafe Self.destroy(client, queue, closing: false)
        withExtendedLifetime((context, event)) {}
    }

    /// Readable when the empty queue gets something; for poll(2). Read it off with `acknowledgeEvent` before polling,
    /// then poll until `.drained`: it does not fire again while something is left. Poll at each time-out too.
    public var eventDescriptor: Int32 { event.descriptor }

    /// Makes `eventDescriptor` unreadable again. Call it before draining, never after.
    public mutating func acknowledgeEvent() {
        event.drain()
    }

    /// Joins the group for these topics; one that does not exist yet is told as an event and awaited.
    public mutating func subscribe(_ topics: [String]) throws(KafkaError) {
        let client = try unsafe open()
        self.topics = topics
        isSubscribed = true
        let list = PartitionList(topics.map { TopicPartition(topic: $0, partition: vs_kafka_partition_any) })
        try check(unsafe rd_kafka_subscribe(client, list.handle))
    }

    /// Fills the slice with what is there, without waiting. Also serves the group's callbacks and keeps the membership:
    /// to be called far more often than `max.poll.interval.ms`.
    ///
    /// One message a call of librdkafka: its batch functions lose messages in 2.0.2 (librdkafka 4208).
    /// - Complexity: no allocation of ours per message.
    public mutating func poll(into slice: inout MessageSlice) -> PollOutcome {
        guard let client = unsafe client else { return .drained }
        let flag = unsafe context.pendingFlag
        // Half a second passes between a refused fetch and the next one, so it is told before what that brings.
        context.recordRefusedFetch()
        if unsafe flag.pointee != 0 { return .interrupted }
        let before = slice.count
        var outcome = PollOutcome.full
        while slice.count < slice.limit {
            let message = unsafe rd_kafka_consumer_poll(client, 0)
            if let message = unsafe message {
                if unsafe message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                    unsafe slice.append(message, topicIndex: index(ofTopic: message.pointee.rkt))
                } else {
                    unsafe note(message)
                    unsafe rd_kafka_message_destroy(message)
                }
            }
            if unsafe flag.pointee != 0 {
                outcome = .interrupted
                break
            }
            if unsafe message == nil {
                outcome = .drained
                if context.heldFailure != nil { context.releaseHeldFailure() }
                break
            }
        }
        wakeProbe(after: slice.count - before)
        return outcome
    }

    /// With another `auto.offset.reset` the client would jump where the log was cut, and say nothing.
    private static func keepOffsetsOurs(
        _ configuration: inout ClientConfiguration, _ logHook: KafkaLogHook
    ) throws(KafkaError) {
        // "largest" is librdkafka's own default: nobody has set it.
        guard let wanted = configuration.value(of: "auto.offset.reset"), wanted != "error" else { return }
        try configuration.set("auto.offset.reset", "error")
        if wanted != "largest" {
            logHook(4, "OFFSETS", "auto.offset.reset=\(wanted) is not taken: the database says from where to read")
        }
    }

    /// A topic that is deleted and made anew between two refreshes of the metadata leaves one trace in 2.0.2, a fetch
    /// that is refused in between, and of that one trace, a debugging line: a few lines a refresh with `topic` alone.
    private static func watchForRefusedFetches(
        _ configuration: inout ClientConfiguration, _ context: ConsumerContext
    ) throws(KafkaError) {
        let wanted = configuration.value(of: "debug") ?? ""
        context.forwardsDebugging = !wanted.isEmpty
        try configuration.set("debug", wanted.isEmpty ? "topic" : wanted + ",topic")
    }

    /// The oldest event not yet taken. Take all before calling `assign`: a revocation among them changes what is owned.
    public mutating func takeEvent() -> ConsumerEvent? {
        context.take()
    }

    /// A librdkafka property as it is in force, whoever set it; nil for an unknown name. May be a secret.
    public func property(named name: String) -> String? {
        guard let client = unsafe client else { return nil }
        var text = ErrorText()
        var size = ErrorText.capacity
        // The configuration stays the client's own (rdkafka.h, rd_kafka_conf).
        let result = unsafe rd_kafka_conf_get(rd_kafka_conf(client), name, &text.bytes, &size)
        return result == RD_KAFKA_CONF_OK ? text.string : nil
    }

    /// Errors dropped since the start because nobody took the events.
    public var droppedErrorCount: Int { context.droppedErrors }

    private mutating func wakeProbe(after count: Int) {
        guard let probe else { return }
        drainedSinceProbe += count
        guard drainedSinceProbe >= WatermarkProbe.messagesPerWakeUp else { return }
        drainedSinceProbe = 0
        probe.wake()
    }

    @inline(__always)
    private mutating func index(ofTopic topic: OpaquePointer?) -> Int32 {
        if unsafe topic == lastTopic { return lastTopicIndex }
        return unsafe findIndex(ofTopic: topic)
    }

    private mutating func findIndex(ofTopic topic: OpaquePointer?) -> Int32 {
        guard let topic = unsafe topic, let name = unsafe rd_kafka_topic_name(topic) else { return -1 }
        let index = topicIndex(of: unsafe String(cString: name))
        unsafe lastTopic = topic
        lastTopicIndex = index
        return index
    }

    /// Index in the subscribed list; a topic that is only assigned is added at its end.
    mutating func topicIndex(of name: String) -> Int32 {
        if let index = topics.firstIndex(of: name) { return Int32(index) }
        topics.append(name)
        return Int32(topics.count - 1)
    }

    /// Before the partitions change: a topic's pointer is its own only as long as one of its partitions is assigned.
    mutating func forgetTopicPointer() {
        unsafe lastTopic = nil
        lastTopicIndex = -1
    }

    private func note(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        let code = unsafe message.pointee.err
        let name = unsafe message.pointee.rkt.flatMap { unsafe rd_kafka_topic_name($0) }
        let topic = unsafe name.map { unsafe String(cString: $0) }
        let partition = unsafe message.pointee.partition
        let detail = unsafe rd_kafka_message_errstr(message).map { unsafe String(cString: $0) }
        switch (code, topic) {
        case (RD_KAFKA_RESP_ERR__PARTITION_EOF, _):
            return
        case (RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, let topic?), (RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, let topic?):
            context.record(
                .offsetOutOfRange(
                    TopicPartition(topic: topic, partition: partition), offset: unsafe message.pointee.offset))
        case (RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, let topic?), (RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, let topic?):
            // "Subscribed topic not available" comes with partition 0 in 2.0.2, so the partition tells nothing.
            context.record(.topicUnknown(topic))
        case (RD_KAFKA_RESP_ERR__FATAL, _):
            if let client = unsafe client { context.record(.fatal(unsafe KafkaError.fatal(of: client))) }
        default:
            context.record(
                .error(KafkaError(code, detail: detail), topic: topic, partition: partition < 0 ? nil : partition))
        }
    }

    /// The client, or why it cannot be used.
    func open() throws(KafkaError) -> OpaquePointer {
        guard let client = unsafe client else { throw KafkaError(RD_KAFKA_RESP_ERR__DESTROY) }
        return unsafe client
    }

    func check(_ code: rd_kafka_resp_err_t) throws(KafkaError) {
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code) }
    }
}
