internal import CRdKafka

/// A `rd_kafka_topic_partition_list_t` of our own. librdkafka copies from it what it keeps.
@safe struct PartitionList: ~Copyable {
    let handle: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ partitions: [TopicPartition]) {
        unsafe handle = rd_kafka_topic_partition_list_new(Int32(partitions.count))
        for partition in partitions {
            unsafe _ = rd_kafka_topic_partition_list_add(handle, partition.topic, partition.partition)
        }
    }

    init(_ offsets: [TopicPartitionOffset]) {
        unsafe handle = rd_kafka_topic_partition_list_new(Int32(offsets.count))
        for place in offsets {
            let element = unsafe rd_kafka_topic_partition_list_add(
                handle, place.partition.topic, place.partition.partition)
            unsafe element?.pointee.offset = place.offset
        }
    }

    deinit {
        unsafe rd_kafka_topic_partition_list_destroy(handle)
    }

    /// Copies a list that belongs to librdkafka.
    static func partitions(of list: UnsafePointer<rd_kafka_topic_partition_list_t>) -> [TopicPartition] {
        var result: [TopicPartition] = []
        for index in 0..<Int(unsafe list.pointee.cnt) {
            let element = unsafe list.pointee.elems[index]
            guard let topic = unsafe element.topic else { continue }
            result.append(
                TopicPartition(topic: unsafe String(cString: topic), partition: unsafe element.partition))
        }
        return result
    }

    /// The first error that librdkafka left in an element.
    var firstError: KafkaError? {
        for index in 0..<Int(unsafe handle.pointee.cnt) {
            let code = unsafe handle.pointee.elems[index].err
            if code != RD_KAFKA_RESP_ERR_NO_ERROR { return KafkaError(code) }
        }
        return nil
    }
}
