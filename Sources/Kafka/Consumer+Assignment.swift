internal import CRdKafka
internal import Service

extension Consumer {
    /// Starts fetching these partitions, each from its offset, and none else. Any time after `.assigned` was taken,
    /// and again as often as wanted (rewind, gap, another offset): what was fetched before is dropped.
    ///
    /// A partition that the group has taken away meanwhile is left out; its `.revoked` waits among the events.
    /// Without a subscription the list is taken as it is.
    public mutating func assign(_ places: [TopicPartitionOffset]) throws(KafkaError) {
        let client = try unsafe open()
        let owned = context.owned
        let wanted = isSubscribed ? places.filter { owned?.contains($0.partition) == true } : places
        for place in wanted { _ = topicIndex(of: place.partition.topic) }
        forgetTopicPointer()
        // After a revocation librdkafka waits for nothing more; an empty list on top of it would only confuse it.
        if isSubscribed && owned == nil { return }
        let list = PartitionList(wanted)
        try check(unsafe rd_kafka_assign(client, list.handle))
        probe?.setPartitions(wanted.map(\.partition))
    }

    /// Stops fetching everything, and stays in the group.
    public mutating func assignEmpty() throws(KafkaError) {
        try assign([])
    }

    /// What the group has given, whether fetched or not; empty between `.revoked` and `.assigned`.
    public var ownedPartitions: Set<TopicPartition> { context.owned ?? [] }

    /// The ends of the log as the last fetch or the last probe told; nil while nothing is known. Asks nobody.
    public func cachedWatermarks(_ partition: TopicPartition) -> Watermarks? {
        let probed = probe?.watermarks(of: partition)
        guard let client = unsafe client else { return probed }
        var low: Int64 = -1
        var high: Int64 = -1
        let code = unsafe rd_kafka_get_watermark_offsets(client, partition.topic, partition.partition, &low, &high)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, high >= 0 else { return probed }
        return Watermarks(low: low >= 0 ? low : (probed?.low ?? -1), high: high)
    }

    /// The ends of the log from the partition's leader. Blocks: for take-overs and for partitions that are not fetched.
    public mutating func queryWatermarks(
        _ partition: TopicPartition, timeoutMilliseconds: Int32
    ) throws(KafkaError) -> Watermarks {
        let client = try unsafe open()
        return try unsafe WatermarkRequest.ask(partition, client: client, within: .milliseconds(timeoutMilliseconds))
    }

    /// Tells Kafka how far the database is, for lag tools only: nothing reads it back. Not waited for; failures are
    /// counted in `failedCommitCount`.
    /// - Parameter places: per partition the next offset to read.
    public mutating func storeCommittedOffsetsAsync(_ places: [TopicPartitionOffset]) {
        guard let client = unsafe client, !places.isEmpty else { return }
        let list = PartitionList(places)
        if unsafe rd_kafka_commit(client, list.handle, 1) != RD_KAFKA_RESP_ERR_NO_ERROR {
            let shared = self.context
            shared.failedCommits += 1
        }
    }

    /// Commits to Kafka that failed, as of the last poll.
    public var failedCommitCount: Int { context.failedCommits }

    /// What the brokers say about a topic (nil: about all). Blocks until the deadline at most; creates nothing.
    public mutating func metadata(
        topic: String?, timeoutMilliseconds: Int32
    ) throws(KafkaError) -> [TopicMetadata] {
        let client = try unsafe open()
        let duration = Duration.milliseconds(timeoutMilliseconds)
        guard let topic else { return try unsafe MetadataRequest.cluster(client: client, within: duration).topics }
        return [try unsafe MetadataRequest.topic(topic, client: client, within: duration)]
    }

    /// The group's name for this member; nil before it has joined.
    public var memberID: String? {
        guard let client = unsafe client, let text = unsafe rd_kafka_memberid(client) else { return nil }
        // Ours to free, with librdkafka's own function (rdkafka.h, rd_kafka_memberid).
        defer { unsafe rd_kafka_mem_free(client, text) }
        let name = unsafe String(cString: text)
        return name.isEmpty ? nil : name
    }

    /// Whether the group has expelled this member, so that others may own its partitions already.
    public var assignmentLost: Bool {
        guard let client = unsafe client else { return true }
        return unsafe rd_kafka_assignment_lost(client) != 0
    }
}

extension Consumer {
    /// Leaves the group and ends the client, on a thread of its own, since it may hang in a group that rebalances.
    /// All slices must have been released.
    /// - Returns: false when it was not done in time; the client is then leaked, and the process had better end.
    public consuming func close(within duration: Duration) -> Bool {
        guard let client = unsafe client else { return true }
        let deadline = Deadline.after(duration)
        let clientAddress = UInt(bitPattern: client)
        let queueAddress = unsafe UInt(bitPattern: queue)
        // From here on the client belongs to the closing thread; deinit finds nothing to do.
        unsafe self.client = nil
        unsafe self.queue = nil
        let isProbeDone = probe?.stop(within: duration) ?? true
        guard isProbeDone else {
            Self.keepForever(context, event)
            return false
        }
        do {
            let thread = try ServiceThread(name: "kafka-close") {
                guard let client = unsafe OpaquePointer(bitPattern: clientAddress) else { return }
                unsafe Self.destroy(client, OpaquePointer(bitPattern: queueAddress), closing: true)
            }
            if thread.join(within: deadline.remaining()) { return true }
        } catch {
            // No thread to be had: leave the group to the session's end.
        }
        Self.keepForever(context, event)
        return false
    }

    /// In the order that librdkafka wants: leave, our reference to its queue, the client.
    static func destroy(_ client: OpaquePointer, _ queue: OpaquePointer?, closing: Bool) {
        if closing { unsafe _ = rd_kafka_consumer_close(client) }
        if let queue = unsafe queue {
            unsafe rd_kafka_queue_io_event_enable(queue, -1, nil, 0)
            unsafe rd_kafka_queue_destroy(queue)
        }
        unsafe rd_kafka_destroy_flags(client, closing ? 0 : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    }

    /// A client that could not be ended may still call back and write to its descriptor: both must outlive it.
    static func keepForever(_ context: ConsumerContext, _ event: WakeEvent) {
        unsafe _ = Unmanaged.passRetained(context)
        unsafe _ = Unmanaged.passRetained(event)
    }
}
