internal import Kafka
internal import Service
internal import VitalSigns

// What the group and the brokers say.
extension Lane where Source: ~Copyable, Store: ~Copyable {
    mutating func handle(_ event: ConsumerEvent, _ now: MonotonicTime) {
        switch event {
        case .assigned(let given):
            replacePartitions(given)
            hasJoined = true
            if given.isEmpty, let doubt = topicDoubtAt, now - doubt < configuration.rejoinAfter.doubt {
                rejoinAt = now + configuration.rejoinAfter.pause
            }
            log.info(
                "the group assigned partitions", .field("lane", configuration.lane),
                .field("partitions", given.map(\.description).joined(separator: " ")))
        case .revoked(let taken, let lost):
            replacePartitions([])
            hasJoined = false
            rejoinAt = nil
            log.info(
                "the group revoked partitions", .field("lane", configuration.lane),
                .field("partitions", taken.map(\.description).joined(separator: " ")), .field("lost", lost))
        case .offsetOutOfRange(let partition, let offset):
            judgeOutOfRange(partition, offset, now)
        case .fetchRefused:
            topicDoubtAt = now
            if !isStalled { verifyFlowing() }
        case .topicUnknown(let topic) where isUnusedFlow(topic):
            log.info(
                "no topic of patient flow: nothing of it is read until there is one", .field("topic", topic),
                every: .seconds(86_400), key: topic)
        case .topicUnknown(let topic):
            topicDoubtAt = now
            log.warning(
                "the topic does not exist yet: waiting for it", .field("topic", topic), every: .seconds(60), key: topic)
        case .brokersDown(let why):
            log.warning(
                "no Kafka broker answers: waiting", .field("lane", configuration.lane),
                .field("reason", why?.cause ?? "unknown"), .field("remedy", why?.remedy ?? "run vitalstream check"),
                every: .seconds(60), key: why?.cause ?? "")
        case .brokerFailed(let why):
            log.warning(
                "a Kafka broker cannot be used", .field("lane", configuration.lane), .field("reason", why.cause),
                .field("remedy", why.remedy), every: .seconds(60), key: why.cause)
        case .error(let error, let topic?, _) where isUnusedFlow(topic):
            log.info(
                "the topic of patient flow cannot be read: nothing of it is until it can", .field("topic", topic),
                .field("error", error.text), every: .seconds(86_400), key: topic)
        case .error(let error, let topic, let partition):
            log.warning(
                "Kafka says", .field("lane", configuration.lane), .field("error", error.text),
                .field("topic", topic ?? ""), .field("partition", partition ?? -1), every: .seconds(30),
                key: error.name)
        case .fatal(let error):
            hasFailed = true
            log.error(
                "the Kafka client has failed for good: the service ends, to be started again",
                .field("lane", configuration.lane), .field("error", error.text))
        }
    }

    /// Whether it is the topic of patient flow, and this lane has never had a partition of it: most have none.
    private func isUnusedFlow(_ topic: String) -> Bool { topic == configuration.flowTopic && !hasSeenFlow }

    /// A topic that is made anew while the group forms may leave it with partitions that nobody has: librdkafka 2.0.2
    /// then takes the topic for known, and never asks again (seen with a broker that came back empty). A lane that got
    /// nothing soon after a topic was in doubt therefore joins once more.
    mutating func rejoinWhenLeftOut(_ now: MonotonicTime) {
        guard let at = rejoinAt, now >= at, hasJoined, partitions.isEmpty else { return }
        rejoinAt = nil
        topicDoubtAt = nil
        log.info("assigned nothing after a topic was in doubt: joining again", .field("lane", configuration.lane))
        do {
            try source.rejoin()
        } catch {
            log.warning(
                "the group cannot be joined again", .field("lane", configuration.lane), .field("error", error.text))
        }
    }

    /// What is owned changes: everything in memory goes, the database knows it all.
    private mutating func replacePartitions(_ given: [TopicPartition]) {
        filling.reset()
        if hasSealed {
            sealedIsOrphan = true
            if case .committing = stage {} else { hasSealed = false }
        }
        patients.removeAll()
        forgetFlow()
        if given.contains(where: { $0.topic == configuration.flowTopic }) { hasSeenFlow = true }
        isStalled = false
        partitions = given.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
            .map { LanePartition(partition: $0) }
        unsafe cursors.deallocate()
        unsafe cursors = .allocate(capacity: max(1, partitions.count))
        unsafe cursors.initialize(repeating: PartitionCursor(), count: max(1, partitions.count))
        index.build(partitions, topics: configuration.topics)
    }

    /// The broker has no message at the offset asked for: the log was cut or made anew under a stored offset.
    private mutating func judgeOutOfRange(_ partition: TopicPartition, _ offset: Int64, _ now: MonotonicTime) {
        guard let place = partitions.firstIndex(where: { $0.partition == partition }), partitions[place].isFlowing
        else { return }
        // What was taken before stays in the batch: it may be gone from the log.
        let next = unsafe cursors[place].next
        if case .verifying = partitions[place].phase, offset < next {
            // The message to compare with is not there; whether those to come are is another question.
            guard let ends = watermarks(of: partition, now) else {
                needsReassignment = true
                return
            }
            if next == ends.low { partitions[place].phase = .running }
            if (ends.low...ends.high).contains(next) {
                needsReassignment = true
                return
            }
        }
        stop(
            place,
            reason: "the log has no offset \(offset): the topic was truncated or re-created; see vitalstream offsets")
        reassignFlowing()
    }
}
