import Kafka
import Service
import Testing

@Suite struct ProducerTests {
    @Test func `every message is counted when it is acknowledged`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 3)
        try cluster.createTopic("other", partitions: 1)
        var producer = try Producer(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        for number in 0..<3_000 {
            let topic = number % 3 == 0 ? "other" : "vitals"
            #expect(producer.enqueue(topic: topic, key: Array("\(number)".utf8), payload: [1, 2, 3]) == .queued)
        }
        #expect(producer.flush(within: .seconds(20)) == 0)
        #expect(producer.deliveredCount == 3_000)
        #expect(producer.failedCount == 0)
        #expect(producer.firstFailure == nil && producer.fatalError == nil)
        var reader = try LogReader(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        var total: Int64 = 0
        for partition in Int32(0)..<3 {
            total += try reader.watermarks(of: TopicPartition(topic: "vitals", partition: partition)).high
        }
        #expect(total == 2_000)
    }

    // murmur2 as Java's client computes it: abs(hash) % 5 for these keys (org.apache.kafka.common.utils.UtilsTest).
    @Test(arguments: [("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536)])
    func `a key chooses the partition as Java's client does`(key: String, hash: Int) throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 5)
        var producer = try Producer(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        #expect(producer.enqueue(topic: "vitals", key: Array(key.utf8), payload: [1]) == .queued)
        #expect(producer.flush(within: .seconds(20)) == 0)
        var reader = try LogReader(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        let expected = TopicPartition(topic: "vitals", partition: Int32((hash & 0x7fff_ffff) % 5))
        #expect(try reader.watermarks(of: expected).high == 1)
    }

    @Test func `a full queue says so and takes more after a poll`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 1)
        var producer = try Producer(properties: [
            ("bootstrap.servers", cluster.bootstrapServers), ("queue.buffering.max.messages", "10"),
        ])
        var queued = 0
        var wasFull = false
        let deadline = Deadline.after(.seconds(20))
        while queued < 100, !deadline.hasPassed() {
            switch producer.enqueue(topic: "vitals", partition: 0, key: nil, payload: [7]) {
            case .queued: queued += 1
            case .queueFull:
                wasFull = true
                producer.poll(timeoutMilliseconds: 100)
            case .refused(let error): Issue.record("\(error)")
            }
        }
        #expect(wasFull)
        #expect(producer.flush(within: .seconds(20)) == 0)
        #expect(producer.deliveredCount == 100)
    }

    @Test func `a message over the limit is refused at once`() throws {
        var producer = try Producer(properties: [("bootstrap.servers", "127.0.0.1:1"), ("message.max.bytes", "1000")])
        let result = producer.enqueue(topic: "vitals", key: nil, payload: [UInt8](repeating: 0, count: 2_000))
        guard case .refused(let error) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(error.name == "ERR_MSG_SIZE_TOO_LARGE")
    }

    @Test func `what is not delivered in time counts as failed`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 1)
        var producer = try Producer(properties: [
            ("bootstrap.servers", cluster.bootstrapServers), ("message.timeout.ms", "1000"),
        ])
        try cluster.setBroker(1, isUp: false)
        for _ in 0..<10 { _ = producer.enqueue(topic: "vitals", partition: 0, key: nil, payload: [7]) }
        #expect(producer.flush(within: .milliseconds(1)) == 10)
        let deadline = Deadline.after(.seconds(20))
        while producer.failedCount < 10, !deadline.hasPassed() { producer.poll(timeoutMilliseconds: 100) }
        #expect(producer.failedCount == 10)
        #expect(producer.deliveredCount == 0)
        #expect(producer.firstFailure?.name == "ERR__MSG_TIMED_OUT")
        let isDown = producer.brokersAreDown
        #expect(isDown)
    }

    @Test func `an idempotent producer gets over refused and lost requests without doubling`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 1)
        var producer = try Producer(properties: [
            ("bootstrap.servers", cluster.bootstrapServers), ("linger.ms", "0"), ("retry.backoff.ms", "10"),
        ])
        // Produce requests: the leader has moved, then the connection breaks, then it is overloaded.
        cluster.failNextRequests(ofKind: 0, with: [6, -195, 7])
        for _ in 0..<200 { #expect(producer.enqueue(topic: "vitals", partition: 0, key: nil, payload: [7]) == .queued) }
        #expect(producer.flush(within: .seconds(30)) == 0)
        #expect(producer.deliveredCount == 200)
        var reader = try LogReader(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        #expect(try reader.watermarks(of: TopicPartition(topic: "vitals", partition: 0)).high == 200)
    }

    @Test func `an unknown property is refused by name`() throws {
        let error = try #require(throws: KafkaError.self) { _ = try Producer(properties: [("no.such", "1")]) }
        #expect(error.text.contains("no.such"))
    }
}
