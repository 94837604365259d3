import Kafka
import Testing

/// Sends `count` messages to each of the partitions and waits for all acknowledgements.
func produce(
    _ count: Int, to bootstrapServers: String, topic: String, partitions: Range<Int32>, payload: [UInt8] = [0x78]
) throws {
    var producer = try Producer(properties: [
        ("bootstrap.servers", bootstrapServers), ("queue.buffering.max.messages", "1000000"), ("linger.ms", "20"),
    ])
    for number in 0..<count {
        for partition in partitions {
            let key = Array("key-\(number)".utf8)
            while producer.enqueue(topic: topic, partition: partition, key: key, payload: payload) == .queueFull {
                producer.poll(timeoutMilliseconds: 100)
            }
        }
    }
    let left = producer.flush(within: .seconds(60))
    try #require(left == 0)
    try #require(producer.deliveredCount == count * partitions.count)
}

func partitions(of topic: String, _ range: Range<Int32>) -> Set<TopicPartition> {
    Set(range.map { TopicPartition(topic: topic, partition: $0) })
}
