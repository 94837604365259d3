import Kafka
import Service
import Testing

@Suite struct AdminTests {
    @Test func `asking for a topic creates none, and brokers are listed`() throws {
        let cluster = try MockCluster(brokers: 3)
        try cluster.createTopic("vitals", partitions: 2, replicas: 3)
        cluster.setTopic("absent", error: 3)
        var admin = try Admin(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        #expect(try admin.topicExists("vitals"))
        #expect(try !admin.topicExists("absent"))
        let metadata = try admin.metadata()
        #expect(metadata.brokers.map(\.id).sorted() == [1, 2, 3])
        let listed = cluster.bootstrapServers.split(separator: ",").map(String.init)
        #expect(listed.sorted() == metadata.brokers.map(\.address).sorted())
    }

    @Test func `the library tells its version`() {
        #expect(KafkaLibrary.version.split(separator: ".").count >= 2)
        #expect(KafkaLibrary.versionNumber >= 0x0200_0000)
    }
}

@Suite(.serialized, .enabled(if: RealBroker.isAvailable, "KAFKA_HOME is not set"), .realBroker)
struct RealAdminTests {
    private func admin() throws -> Admin {
        try Admin(properties: [("bootstrap.servers", RealBroker.bootstrapServers)])
    }

    @Test func `a topic is made with its settings, described, emptied and deleted`() throws {
        var admin = try admin()
        #expect(try !admin.topicExists("made"))
        try admin.createTopic("made", partitions: 3, configuration: [("message.timestamp.type", "LogAppendTime")])
        #expect(try admin.topicExists("made"))
        #expect(try admin.topicSettings("made")["message.timestamp.type"] == "LogAppendTime")
        do {
            try admin.createTopic("made", partitions: 3)
            Issue.record("made twice")
        } catch {
            #expect(error.name == "ERR_TOPIC_ALREADY_EXISTS")
        }
        try produce(20, to: RealBroker.bootstrapServers, topic: "made", partitions: 0..<3)
        try admin.deleteRecords(before: TopicPartitionOffset(topic: "made", partition: 1, offset: 15))
        let partition = TopicPartition(topic: "made", partition: 1)
        #expect(try admin.watermarks(of: partition) == Watermarks(low: 15, high: 20))

        // A stored offset that retention has overtaken is told, never moved.
        let member = try Member(RealBroker.bootstrapServers, group: "overtaken", topics: ["made"])
        member.store.set(partition, to: 3)
        try member.assignFromStore([partition])
        try expectSoon("the event", of: [member]) { member.events.contains(.offsetOutOfRange(partition, offset: 3)) }
        #expect(member.seen.isEmpty)
        #expect(member.close())

        try admin.deleteTopic("made")
        // The answer comes before the metadata follow; each question takes a round trip.
        let deadline = Deadline.after(.seconds(20))
        var isThere = true
        while isThere, !deadline.hasPassed() { isThere = try admin.topicExists("made") }
        #expect(!isThere)
    }

    @Test func `the broker's own timestamp is told apart`() throws {
        var admin = try admin()
        try admin.createTopic("stamped", partitions: 1, configuration: [("message.timestamp.type", "LogAppendTime")])
        try produce(1, to: RealBroker.bootstrapServers, topic: "stamped", partitions: 0..<1)
        var reader = try LogReader(properties: [("bootstrap.servers", RealBroker.bootstrapServers)])
        var isLogAppend = false
        try reader.read(topic: "stamped", partition: 0, from: 0, to: 1) { isLogAppend = $0.timestampIsLogAppend }
        #expect(isLogAppend)
    }

    @Test func `offsets committed for lag tools are written`() throws {
        var admin = try admin()
        try admin.createTopic("reported", partitions: 1)
        try produce(5, to: RealBroker.bootstrapServers, topic: "reported", partitions: 0..<1)
        let member = try Member(RealBroker.bootstrapServers, group: "reporting", topics: ["reported"])
        try member.consumer?.subscribe(["reported"])
        try expectSoon("all", of: [member]) { member.seen.count == 5 }
        member.consumer?.storeCommittedOffsetsAsync([
            TopicPartitionOffset(topic: "reported", partition: 0, offset: 5)
        ])
        try work([member], for: .seconds(1))
        #expect(member.consumer?.failedCommitCount == 0)
        #expect(member.consumer?.memberID != nil)
        #expect(member.close())
        let home = try #require(RealBroker.home)
        let listing = try ChildProcess.run(
            home + "/kafka",
            [
                "groups", "--bootstrap-server", RealBroker.bootstrapServers, "--describe", "--group", "reporting",
                "--offsets",
            ],
            within: .seconds(60))
        let line = try #require(listing.output.split(separator: "\n").first { $0.contains("reported") })
        #expect(line.split(separator: " ").dropFirst(3).first == "5", "\(listing.output)")
    }
}
