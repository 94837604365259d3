internal import CRdKafka
public import Service  // Certificates and diagnoses are shown to whoever asks.

/// Questions and orders to a cluster, for the commands: each blocks until its answer or its deadline.
/// One thread at a time. The mock cluster knows metadata and watermarks only.
@safe public struct Admin: ~Copyable {
    private let client: OpaquePointer
    private let context: ClientContext

    /// Makes a client; no connection is waited for.
    /// - Parameter properties: librdkafka's properties, `bootstrap.servers` among them.
    public init(
        properties: [(String, String)], logHook: @escaping KafkaLogHook = { _, _, _ in }
    ) throws(KafkaError) {
        let context = ClientContext(logHook: logHook)
        let configuration = try ClientConfiguration(properties: properties)
        // A consumer, since asking for a topic's metadata through a producer would create the topic.
        unsafe client = try configuration.makeClient(.consumer, context: context)
        self.context = context
    }

    deinit {
        unsafe rd_kafka_destroy(client)
        withExtendedLifetime(context) {}
    }

    /// Why a connection failed last, as far as is known: the calls themselves only say that nobody answered.
    public var lastFailure: ConnectionDiagnosis? { context.lastFailure }

    /// The certificates that brokers have shown, by `host:port`; only those that were found good.
    public var certificates: [String: Certificate] { context.certificates }

    /// Brokers and all topics.
    public mutating func metadata(within duration: Duration = .seconds(10)) throws(KafkaError) -> ClusterMetadata {
        try unsafe MetadataRequest.cluster(client: client, within: duration)
    }

    /// One topic; one that does not exist has `error` set. Creates nothing.
    public mutating func topic(
        _ name: String, within duration: Duration = .seconds(10)
    ) throws(KafkaError)
        -> TopicMetadata
    {
        try unsafe MetadataRequest.topic(name, client: client, within: duration)
    }

    /// Whether the topic exists now.
    public mutating func topicExists(
        _ name: String, within duration: Duration = .seconds(10)
    ) throws(KafkaError)
        -> Bool
    {
        let topic = try topic(name, within: duration)
        guard let error = topic.error else { return !topic.partitions.isEmpty }
        let unknown: [rd_kafka_resp_err_t] = [
            RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
        ]
        if unknown.contains(where: { $0.rawValue == error.code }) { return false }
        throw error
    }

    /// The ends of a partition's log, from its leader.
    public mutating func watermarks(
        of partition: TopicPartition, within duration: Duration = .seconds(10)
    ) throws(KafkaError) -> Watermarks {
        try unsafe WatermarkRequest.ask(partition, client: client, within: duration)
    }

    /// Creates a topic and waits until the brokers know it.
    /// - Parameter configuration: the topic's own settings, such as `message.timestamp.type`.
    public mutating func createTopic(
        _ name: String, partitions: Int, replicas: Int = -1, configuration: [(String, String)] = [],
        within duration: Duration = .seconds(30)
    ) throws(KafkaError) {
        var text = ErrorText()
        guard
            let topic = unsafe rd_kafka_NewTopic_new(
                name, Int32(partitions), Int32(replicas), &text.bytes, ErrorText.capacity)
        else { throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, detail: text.string) }
        defer { unsafe rd_kafka_NewTopic_destroy(topic) }
        for (setting, value) in configuration {
            let code = unsafe rd_kafka_NewTopic_set_config(topic, setting, value)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code) }
        }
        let event = try unsafe request(RD_KAFKA_ADMIN_OP_CREATETOPICS, within: duration) { options, queue in
            var topics: [OpaquePointer?] = unsafe [topic]
            unsafe rd_kafka_CreateTopics(client, &topics, 1, options, queue)
        }
        defer { unsafe rd_kafka_event_destroy(event) }
        var count = 0
        let result = unsafe rd_kafka_event_CreateTopics_result(event)
        try unsafe throwFirstError(of: rd_kafka_CreateTopics_result_topics(result, &count), count: count)
    }

    /// Deletes a topic with all it holds. Brokers may list it for some moments more.
    public mutating func deleteTopic(_ name: String, within duration: Duration = .seconds(30)) throws(KafkaError) {
        guard let topic = unsafe rd_kafka_DeleteTopic_new(name) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG)
        }
        defer { unsafe rd_kafka_DeleteTopic_destroy(topic) }
        let event = try unsafe request(RD_KAFKA_ADMIN_OP_DELETETOPICS, within: duration) { options, queue in
            var topics: [OpaquePointer?] = unsafe [topic]
            unsafe rd_kafka_DeleteTopics(client, &topics, 1, options, queue)
        }
        defer { unsafe rd_kafka_event_destroy(event) }
        var count = 0
        let result = unsafe rd_kafka_event_DeleteTopics_result(event)
        try unsafe throwFirstError(of: rd_kafka_DeleteTopics_result_topics(result, &count), count: count)
    }

    /// Deletes the messages of a partition below an offset, as retention would.
    public mutating func deleteRecords(
        before place: TopicPartitionOffset, within duration: Duration = .seconds(30)
    ) throws(KafkaError) {
        let list = PartitionList([place])
        guard let order = unsafe rd_kafka_DeleteRecords_new(list.handle) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG)
        }
        defer { unsafe rd_kafka_DeleteRecords_destroy(order) }
        let event = try unsafe request(RD_KAFKA_ADMIN_OP_DELETERECORDS, within: duration) { options, queue in
            var orders: [OpaquePointer?] = unsafe [order]
            unsafe rd_kafka_DeleteRecords(client, &orders, 1, options, queue)
        }
        defer { unsafe rd_kafka_event_destroy(event) }
        let result = unsafe rd_kafka_event_DeleteRecords_result(event)
        guard let answers = unsafe rd_kafka_DeleteRecords_result_offsets(result) else { return }
        for index in 0..<Int(unsafe answers.pointee.cnt) {
            let code = unsafe answers.pointee.elems[index].err
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code) }
        }
    }

    /// The settings of a topic as they are in force, defaults included; secrets come without a value and are left out.
    public mutating func topicSettings(
        _ name: String, within duration: Duration = .seconds(10)
    ) throws(KafkaError) -> [String: String] {
        guard let resource = unsafe rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG)
        }
        defer { unsafe rd_kafka_ConfigResource_destroy(resource) }
        let event = try unsafe request(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, within: duration) { options, queue in
            var resources: [OpaquePointer?] = unsafe [resource]
            unsafe rd_kafka_DescribeConfigs(client, &resources, 1, options, queue)
        }
        defer { unsafe rd_kafka_event_destroy(event) }
        var count = 0
        let result = unsafe rd_kafka_event_DescribeConfigs_result(event)
        guard let resources = unsafe rd_kafka_DescribeConfigs_result_resources(result, &count), count > 0,
            let answer = unsafe resources[0]
        else { return [:] }
        let code = unsafe rd_kafka_ConfigResource_error(answer)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code) }
        var settings: [String: String] = [:]
        var entryCount = 0
        guard let entries = unsafe rd_kafka_ConfigResource_configs(answer, &entryCount) else { return [:] }
        for index in 0..<entryCount {
            guard let name = unsafe rd_kafka_ConfigEntry_name(entries[index]),
                let value = unsafe rd_kafka_ConfigEntry_value(entries[index])
            else { continue }
            settings[unsafe String(cString: name)] = unsafe String(cString: value)
        }
        return settings
    }

    /// Sends one order and waits for its event, which the caller destroys. Lists given to librdkafka are copied by it.
    private func request(
        _ operation: rd_kafka_admin_op_t, within duration: Duration,
        _ send: (_ options: OpaquePointer?, _ queue: OpaquePointer?) -> Void
    ) throws(KafkaError) -> OpaquePointer {
        let queue = unsafe rd_kafka_queue_new(client)
        defer { unsafe rd_kafka_queue_destroy(queue) }
        let options = unsafe rd_kafka_AdminOptions_new(client, operation)
        defer { unsafe rd_kafka_AdminOptions_destroy(options) }
        var text = ErrorText()
        let milliseconds = min(3_600_000, max(1, duration.clientTimeout))  // librdkafka takes no more than an hour
        unsafe _ = rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, &text.bytes, ErrorText.capacity)
        if operation == RD_KAFKA_ADMIN_OP_CREATETOPICS || operation == RD_KAFKA_ADMIN_OP_DELETETOPICS
            || operation == RD_KAFKA_ADMIN_OP_DELETERECORDS
        {
            unsafe _ = rd_kafka_AdminOptions_set_operation_timeout(
                options, milliseconds, &text.bytes, ErrorText.capacity)
        }
        unsafe send(options, queue)
        // librdkafka ends the request itself at its time-out; the second more is only a net.
        guard let event = unsafe rd_kafka_queue_poll(queue, milliseconds + 1_000)
        else { throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT) }
        let code = unsafe rd_kafka_event_error(event)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            let detail = unsafe rd_kafka_event_error_string(event).map { unsafe String(cString: $0) }
            unsafe rd_kafka_event_destroy(event)
            throw KafkaError(code, detail: detail)
        }
        return unsafe event
    }

    private func throwFirstError(
        of results: UnsafeMutablePointer<OpaquePointer?>?, count: Int
    ) throws(KafkaError) {
        for index in 0..<count {
            guard let result = unsafe results?[index] else { continue }
            let code = unsafe rd_kafka_topic_result_error(result)
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            let detail = unsafe rd_kafka_topic_result_error_string(result).map { unsafe String(cString: $0) }
            throw KafkaError(code, detail: detail)
        }
    }
}
