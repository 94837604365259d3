import Kafka
import Service
import Testing

/// One consumer that assigns partitions itself, on the embedded broker.
@Suite struct ConsumerTests {
    private func member(_ cluster: borrowing MockCluster, overrides: [(String, String)] = []) throws -> Member {
        try Member(
            cluster.bootstrapServers, group: "alone", topics: ["vitals", "patient-flow"], overrides: overrides)
    }

    private func makeCluster() throws -> MockCluster {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 2)
        try cluster.createTopic("patient-flow", partitions: 2)
        return cluster
    }

    @Test func `a record shows the message's parts, its topic and where it lies`() throws {
        let cluster = try makeCluster()
        var producer = try Producer(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        let vitals = "vitals"
        #expect(
            producer.enqueue(
                topic: "patient-flow", partition: 1, key: Array("k".utf8), payload: Array("first".utf8),
                timestampMilliseconds: 1_767_225_600_123) == .queued)
        #expect(producer.enqueue(topic: vitals, partition: 0, key: nil as [UInt8]?, payload: nil) == .queued)
        #expect(producer.enqueue(topic: vitals, partition: 0, key: [], payload: []) == .queued)
        #expect(producer.flush(within: .seconds(10)) == 0)

        var consumer = try Consumer(
            properties: ConsumerConfiguration.properties(bootstrapServers: cluster.bootstrapServers), groupID: "g")
        // Not subscribed: the topics are numbered as they are first assigned.
        try consumer.assign([
            TopicPartitionOffset(topic: vitals, partition: 0, offset: 0),
            TopicPartitionOffset(topic: "patient-flow", partition: 1, offset: 0),
        ])
        var slice = MessageSlice(capacity: 8)
        var poller = PollSet(capacity: 1)
        poller.set(0, consumer.eventDescriptor, read: true)
        let deadline = Deadline.after(.seconds(20))
        while slice.count < 3, !deadline.hasPassed() {
            poller.wait(timeoutMilliseconds: 100)
            consumer.acknowledgeEvent()
            _ = consumer.poll(into: &slice)
        }
        try #require(slice.count == 3)
        let records = (0..<3).map { slice[$0] }
        let first = try #require(records.first { $0.topicIndex == 1 })
        let payload = unsafe UnsafeRawBufferPointer(start: first.payload, count: first.payloadLength)
        let key = unsafe UnsafeRawBufferPointer(start: first.key, count: first.keyLength)
        #expect(unsafe payload.elementsEqual("first".utf8))
        #expect(unsafe key.elementsEqual("k".utf8))
        #expect(first.timestampMilliseconds == 1_767_225_600_123)
        #expect(!first.timestampIsLogAppend)
        #expect(first.partition == 1 && first.offset == 0)
        let others = records.filter { $0.topicIndex == 0 }.sorted { $0.offset < $1.offset }
        #expect(others.map(\.offset) == [0, 1])
        #expect(unsafe others[0].payload == nil && others[0].key == nil, "a tombstone without a key")
        #expect(unsafe others[1].payload != nil && others[1].payloadLength == 0, "empty is not null")
        slice.release()
        #expect(slice.count == 0)
        let isClosed = consumer.close(within: .seconds(10))
        #expect(isClosed)
    }

    @Test func `headers are lent in order, null apart from empty`() throws {
        let cluster = try makeCluster()
        var producer = try Producer(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        let headers = [
            MessageHeader(name: "source", value: Array("demo".utf8)), MessageHeader(name: "null", value: nil),
            MessageHeader(name: "empty", value: []),
        ]
        _ = producer.enqueue(topic: "vitals", partition: 0, key: nil, payload: [1], headers: headers)
        #expect(producer.flush(within: .seconds(10)) == 0)
        var consumer = try Consumer(
            properties: ConsumerConfiguration.properties(bootstrapServers: cluster.bootstrapServers), groupID: "g")
        try consumer.assign([TopicPartitionOffset(topic: "vitals", partition: 0, offset: 0)])
        var slice = MessageSlice(capacity: 1)
        let deadline = Deadline.after(.seconds(20))
        while consumer.poll(into: &slice) != .full, !deadline.hasPassed() {}
        var seen: [String] = []
        unsafe slice.withHeaders(at: 0) { name, value in
            let text = unsafe value.map { unsafe String(decoding: $0, as: UTF8.self) } ?? "-"
            seen.append(unsafe "\(String(cString: name))=\(text)")
        }
        #expect(seen == ["source=demo", "null=-", "empty="])
        slice.release()
    }

    @Test func `a full slice leaves the rest for the next poll`() throws {
        let cluster = try makeCluster()
        try produce(1_000, to: cluster.bootstrapServers, topic: "vitals", partitions: 0..<1)
        let member = try member(cluster)
        member.slice = MessageSlice(capacity: 7)
        try member.consumer?.assign([TopicPartitionOffset(topic: "vitals", partition: 0, offset: 3)])
        member.store.set(TopicPartition(topic: "vitals", partition: 0), to: 3)
        try expectSoon("all", of: [member]) { member.seen.count == 997 }
        #expect(member.surprises.isEmpty)
        member.slice.limit = 2
        try produce(9, to: cluster.bootstrapServers, topic: "vitals", partitions: 0..<1)
        try expectSoon("all again, two at a time", of: [member]) { member.seen.count == 1_006 }
        #expect(member.largestSlice == 7)
        #expect(member.surprises.isEmpty)
        #expect(member.close())
    }

    @Test func `watermarks come from the leader and from the fetches`() throws {
        let cluster = try makeCluster()
        let partition = TopicPartition(topic: "vitals", partition: 1)
        try produce(30, to: cluster.bootstrapServers, topic: "vitals", partitions: 1..<2)
        let member = try member(cluster)
        #expect(member.consumer?.cachedWatermarks(partition) == nil)
        let asked = try member.consumer?.queryWatermarks(partition, timeoutMilliseconds: 10_000)
        #expect(asked == Watermarks(low: 0, high: 30))
        try member.consumer?.assign([TopicPartitionOffset(partition, offset: 0)])
        try expectSoon("all", of: [member]) { member.seen.count == 30 }
        #expect(member.consumer?.cachedWatermarks(partition)?.high == 30)
        try produce(5, to: cluster.bootstrapServers, topic: "vitals", partitions: 1..<2)
        try expectSoon("the news", of: [member]) { member.consumer?.cachedWatermarks(partition)?.high == 35 }
        let metadata = try member.consumer?.metadata(topic: "vitals", timeoutMilliseconds: 10_000)
        #expect(metadata?.first?.partitions.map(\.id) == [0, 1])
        #expect(metadata?.first?.error == nil)
    }

    @Test func `nobody answers: told as an event, in log lines, and closed in time`() throws {
        let cluster = try makeCluster()
        let address = cluster.bootstrapServers
        try cluster.setBroker(1, isUp: false)
        let lines = Locked<[String]>([])
        var consumer = try Consumer(
            properties: ConsumerConfiguration.properties(bootstrapServers: address), groupID: "g",
            logHook: { _, facility, _ in lines.withLock { $0.append(facility) } })
        try consumer.subscribe(["vitals"])
        var slice = MessageSlice()
        var events: [ConsumerEvent] = []
        let deadline = Deadline.after(.seconds(20))
        let isDown = { (event: ConsumerEvent) in if case .brokersDown = event { true } else { false } }
        while !events.contains(where: isDown), !deadline.hasPassed() {
            _ = consumer.poll(into: &slice)
            while let event = consumer.takeEvent() { events.append(event) }
        }
        let cause = "\(address) does not answer: Connection refused"
        #expect(events.contains { if case .brokersDown(let why) = $0 { why?.cause == cause } else { false } })
        #expect(lines.withLock { !$0.isEmpty })
        let isClosed = consumer.close(within: .seconds(10))
        #expect(isClosed)
    }

    @Test func `an abandoned consumer ends without leaving the group`() throws {
        let cluster = try makeCluster()
        try produce(2_000, to: cluster.bootstrapServers, topic: "vitals", partitions: 0..<2)
        for _ in 0..<5 {
            let member = try member(cluster)
            try member.assignFromStore([TopicPartition(topic: "vitals", partition: 0)])
            try expectSoon("something", of: [member]) { !member.seen.isEmpty }
        }
    }

    @Test(arguments: [
        ("no.such.property", "1", "No such configuration property"),
        ("fetch.wait.max.ms", "many", "fetch.wait.max.ms"),
        // librdkafka 4312 would abort the process.
        ("partition.assignment.strategy", "cooperative-sticky", "must be range"),
        // Two lanes of one name would fence each other.
        ("group.instance.id", "a", "group.instance.id must stay unset"),
    ])
    func `a property that cannot be is refused with its name`(name: String, value: String, says: String) throws {
        let error = try #require(throws: KafkaError.self) {
            _ = try Consumer(
                properties: ConsumerConfiguration.properties(
                    bootstrapServers: "127.0.0.1:1", overrides: [(name, value)]),
                groupID: "g")
        }
        #expect(error.name == "ERR__INVALID_ARG")
        #expect(error.text.contains(says))
    }

    @Test(arguments: [("auto.offset.reset", "earliest"), ("auto.offset.reset", "end")])
    func `from where to read stays the database's, whatever the properties say`(name: String, value: String) throws {
        let lines = Locked<[String]>([])
        let properties = [("bootstrap.servers", "127.0.0.1:1"), (name, value)]
        let consumer = try Consumer(properties: properties, groupID: "g") { _, _, text in
            lines.withLock { $0.append(text) }
        }
        #expect(consumer.property(named: "auto.offset.reset") == "error")
        // "end" is librdkafka's default under another name: nobody can tell whether it was asked for.
        let isTold = lines.withLock { $0.contains { $0.contains("the database says from where to read") } }
        #expect(isTold == (value != "end"))
    }

    @Test func `the user's properties win, also under another name`() throws {
        let consumer = try Consumer(
            properties: ConsumerConfiguration.properties(
                bootstrapServers: "127.0.0.1:1",
                overrides: [("fetch.message.max.bytes", "123456"), ("check.crcs", "false")]),
            groupID: "g")
        #expect(consumer.property(named: "max.partition.fetch.bytes") == "123456")
        #expect(consumer.property(named: "check.crcs") == "false")
        #expect(consumer.property(named: "auto.offset.reset") == "error")
        #expect(consumer.property(named: "group.id") == "g")
        #expect(consumer.property(named: "no.such.property") == nil)
    }
}
