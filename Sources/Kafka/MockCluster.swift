internal import CRdKafka

/// librdkafka's mock brokers, in this process, on free ports of 127.0.0.1: the embedded broker of demo and tests.
///
/// It keeps 5 MiB and 100,000 message sets a partition and drops the oldest, knows no admin requests, no TLS, no SASL,
/// no offsets by time and no aborted transactions; a group forms after 3 s and needs `session.timeout.ms` >= 4000.
/// It creates a topic (4 partitions) as soon as somebody asks for it; `setTopic(_:error:)` makes one look absent.
/// What it holds is gone with it. Any thread may call it.
@safe public struct MockCluster: ~Copyable {
    private let client: OpaquePointer
    private let cluster: OpaquePointer
    private let context: ClientContext

    /// Starts brokers with the ids 1 to `brokers`.
    public init(brokers: Int = 1, logHook: @escaping KafkaLogHook = { _, _, _ in }) throws(KafkaError) {
        precondition(brokers > 0)
        let context = ClientContext(logHook: logHook)
        let configuration = try ClientConfiguration(properties: [("client.id", "vitalstream-mock")])
        let client = try unsafe configuration.makeClient(.producer, context: context)
        guard let cluster = unsafe rd_kafka_mock_cluster_new(client, Int32(brokers)) else {
            unsafe rd_kafka_destroy(client)
            throw KafkaError(RD_KAFKA_RESP_ERR__FAIL, detail: "the mock brokers could not listen on 127.0.0.1")
        }
        unsafe self.client = client
        unsafe self.cluster = cluster
        self.context = context
    }

    deinit {
        unsafe rd_kafka_mock_cluster_destroy(cluster)
        unsafe rd_kafka_destroy(client)
        withExtendedLifetime(context) {}
    }

    /// `127.0.0.1:port,...`, for `bootstrap.servers`.
    public var bootstrapServers: String {
        unsafe String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    }

    /// Creates a topic, replicated on every broker there may be up to `replicas`.
    public func createTopic(_ name: String, partitions: Int, replicas: Int = 1) throws(KafkaError) {
        try check(unsafe rd_kafka_mock_topic_create(cluster, name, Int32(partitions), Int32(replicas)))
    }

    /// Makes a broker refuse connections, or accept them again; leaders stay where they are.
    public func setBroker(_ id: Int32, isUp: Bool) throws(KafkaError) {
        try check(
            unsafe isUp ? rd_kafka_mock_broker_set_up(cluster, id) : rd_kafka_mock_broker_set_down(cluster, id))
    }

    /// Delays every answer of a broker (-1: of all).
    public func setRoundTrip(ofBroker id: Int32, milliseconds: Int32) throws(KafkaError) {
        try check(unsafe rd_kafka_mock_broker_set_rtt(cluster, id, milliseconds))
    }

    /// Moves a partition to another leader; -1 leaves it without one.
    public func setLeader(of partition: TopicPartition, broker: Int32) throws(KafkaError) {
        try check(
            unsafe rd_kafka_mock_partition_set_leader(cluster, partition.topic, partition.partition, broker))
    }

    /// Makes a topic's metadata an error, such as 3 (unknown topic); 0 ends it.
    public func setTopic(_ name: String, error code: Int32) {
        unsafe rd_kafka_mock_topic_set_error(cluster, name, rd_kafka_resp_err_t(code))
    }

    /// The next requests of a kind fail with these codes, one each.
    /// - Parameter request: Kafka's ApiKey: 0 produce, 1 fetch, 2 list offsets, 11 join group, 12 heartbeat ...
    public func failNextRequests(ofKind request: Int16, with codes: [Int32]) {
        let errors = codes.map { rd_kafka_resp_err_t($0) }
        unsafe rd_kafka_mock_push_request_errors_array(cluster, request, errors.count, errors)
    }

    private func check(_ code: rd_kafka_resp_err_t) throws(KafkaError) {
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code) }
    }
}
