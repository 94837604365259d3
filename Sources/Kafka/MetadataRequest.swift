internal import CRdKafka

/// Asking brokers what they know. Blocks until the answer or the deadline.
enum MetadataRequest {
    /// One topic; a topic that does not exist is an answer (`error` set), not a thrown error.
    static func topic(
        _ name: String, client: OpaquePointer, within duration: Duration
    ) throws(KafkaError) -> TopicMetadata {
        guard let handle = unsafe rd_kafka_topic_new(client, name, nil) else {
            throw KafkaError(rd_kafka_last_error())
        }
        defer { unsafe rd_kafka_topic_destroy(handle) }
        let cluster = try unsafe request(client: client, topic: handle, within: duration)
        guard let topic = cluster.topics.first else { throw KafkaError(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) }
        return topic
    }

    /// All topics of the cluster.
    static func cluster(client: OpaquePointer, within duration: Duration) throws(KafkaError) -> ClusterMetadata {
        try unsafe request(client: client, topic: nil, within: duration)
    }

    private static func request(
        client: OpaquePointer, topic: OpaquePointer?, within duration: Duration
    ) throws(KafkaError) -> ClusterMetadata {
        var answer: UnsafePointer<rd_kafka_metadata>?
        let code = unsafe rd_kafka_metadata(client, topic == nil ? 1 : 0, topic, &answer, duration.clientTimeout)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let answer = unsafe answer else { throw KafkaError(code) }
        defer { unsafe rd_kafka_metadata_destroy(answer) }
        let metadata = unsafe answer.pointee
        var brokers: [BrokerMetadata] = []
        for index in 0..<Int(unsafe metadata.broker_cnt) {
            let broker = unsafe metadata.brokers[index]
            let host = unsafe String(cString: broker.host)
            brokers.append(BrokerMetadata(id: unsafe broker.id, address: unsafe "\(host):\(broker.port)"))
        }
        var topics: [TopicMetadata] = []
        for index in 0..<Int(unsafe metadata.topic_cnt) {
            unsafe topics.append(copy(metadata.topics[index]))
        }
        return ClusterMetadata(brokers: brokers, topics: topics)
    }

    private static func copy(_ topic: rd_kafka_metadata_topic_t) -> TopicMetadata {
        var partitions: [TopicMetadata.Partition] = []
        for index in 0..<Int(unsafe topic.partition_cnt) {
            let partition = unsafe topic.partitions[index]
            partitions.append(
                TopicMetadata.Partition(id: unsafe partition.id, leader: unsafe partition.leader))
        }
        partitions.sort { $0.id < $1.id }
        let code = unsafe topic.err
        return TopicMetadata(
            name: unsafe String(cString: topic.topic), partitions: partitions,
            error: code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(code))
    }
}
