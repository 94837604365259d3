import Kafka
import Testing

/// What the producers of these tests, and of the product's own programs, rest on.
@Suite(.serialized, .ownThread) struct ProducerTruthTests {
    /// A broker that learns late that it leads a new partition refuses the first batch and, knowing no sequence of this
    /// producer yet, takes the second; librdkafka then takes the first one for delivered too.
    @Test func `a first batch refused by a broker that is not yet the leader is not lost`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 1)
        var producer = try Producer(properties: [
            ("bootstrap.servers", cluster.bootstrapServers), ("linger.ms", "0"), ("batch.num.messages", "1"),
        ])
        _ = try producer.metadata(topic: "vitals", within: .seconds(10))
        // Slow enough that all five would be under way before the first answer.
        try cluster.setRoundTrip(ofBroker: -1, milliseconds: 100)
        let produce: Int16 = 0
        let notLeader: Int32 = 6
        cluster.failNextRequests(ofKind: produce, with: [notLeader])
        for number in 0..<5 {
            #expect(producer.enqueue(topic: "vitals", partition: 0, key: nil, payload: [UInt8(number)]) == .queued)
        }
        #expect(producer.flush(within: .seconds(30)) == 0)
        #expect(producer.deliveredCount == 5)
        try cluster.setRoundTrip(ofBroker: -1, milliseconds: 0)
        var admin = try Admin(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        let ends = try admin.watermarks(of: TopicPartition(topic: "vitals", partition: 0))
        #expect(ends.high == 5, "what is reported as delivered is in the log")
    }
}
