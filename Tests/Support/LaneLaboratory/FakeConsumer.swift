package import Ingest
package import Kafka

/// A consumer of a `FakeLog` that does on command what librdkafka was seen to do: repeats, hiccups, strays.
package final class FakeConsumer {
    package struct Place: Hashable {
        package var partition: Int
        package var offset: Int64

        package init(partition: Int, offset: Int64) {
            (self.partition, self.offset) = (partition, offset)
        }
    }

    package let log: FakeLog
    /// Told to the lane one by one.
    package var events: [ConsumerEvent] = []
    /// Delivered before anything else at the next poll, whatever is assigned; topic 1 is one nobody subscribed to.
    package var strays: [(place: Place, topicIndex: Int32)] = []
    /// Passed over once each, as when a client loses a message.
    package var hiccups: [Place] = []
    /// The most messages of one poll.
    package var slice = 512
    /// How many messages from where it stood still come after a new assignment.
    package var leftovers = 0
    /// Each of them once.
    private var leftOver: Set<Place> = []
    /// How many requests for watermarks fail from now on.
    package var failingWatermarks = 0
    /// Chooses whose message comes next; the first partition's when nil.
    package var choose: ((Int) -> Int)?
    /// Told of every report of committed offsets.
    package var onReport: (([TopicPartitionOffset]) -> Void)?
    /// Every assignment that the lane made.
    package private(set) var assignments: [[TopicPartitionOffset]] = []
    /// Every report of committed offsets.
    package private(set) var reports: [[TopicPartitionOffset]] = []
    /// How often the lane has joined the group again.
    package fileprivate(set) var joins = 0
    package private(set) var isClosed = false
    /// What the lane did that the port forbids.
    package private(set) var misuses: [String] = []

    private var positions: [(partition: Int, next: Int64)] = []
    private var held: [(record: MessageRecord, message: TestMessage, memory: UnsafeMutableRawBufferPointer)] = []

    package init(log: FakeLog) {
        self.log = log
    }

    deinit { release() }

    /// The group gives these partitions, after taking all there were.
    package func assign(group partitions: [Int]) {
        positions = []
        events.append(.assigned(partitions.map { FakeLog.partition($0) }))
    }

    /// The group takes all partitions.
    package func revoke(_ partitions: [Int], lost: Bool = false) {
        positions = []
        events.append(.revoked(partitions.map { FakeLog.partition($0) }, lost: lost))
    }

    /// Offset that is read next, nil when the partition is not being read.
    package func position(_ partition: Int) -> Int64? { positions.first { $0.partition == partition }?.next }

    /// Partitions being read now.
    package var reading: [Int] { positions.map(\.partition).sorted() }
}

// What the lane calls.
extension FakeConsumer {
    package func poll(limit: Int) -> SourcePoll {
        if limit < 1 || limit > 512 { misuses.append("poll for \(limit) messages") }
        if !held.isEmpty { misuses.append("poll before release") }
        let most = min(limit, slice)
        while let stray = strays.first, held.count < most {
            strays.removeFirst()
            if let message = log.message(stray.place.partition, stray.place.offset) {
                hold(message, stray.place, topicIndex: stray.topicIndex)
            }
        }
        while held.count < most, let place = nextPlace() {
            guard let message = log.message(place.partition, place.offset) else { continue }
            if let hiccup = hiccups.firstIndex(of: place) {
                hiccups.remove(at: hiccup)
                continue
            }
            hold(message, place, topicIndex: 0)
        }
        return SourcePoll(count: held.count, isDrained: events.isEmpty && held.count < most)
    }

    /// Moves one partition a step, and tells of one that stands outside the log.
    private func nextPlace() -> Place? {
        for index in positions.indices.reversed() {
            let (partition, next) = positions[index]
            if next < log.low[partition] || next > log.high(partition) {
                events.append(.offsetOutOfRange(FakeLog.partition(partition), offset: next))
                positions.remove(at: index)
            }
        }
        let ready = positions.indices.filter { positions[$0].next < log.high(positions[$0].partition) }
        guard let first = ready.first else { return nil }
        let index = choose.map { ready[$0(ready.count)] } ?? first
        defer { positions[index].next += 1 }
        return Place(partition: positions[index].partition, offset: positions[index].next)
    }

    private func hold(_ message: TestMessage, _ place: Place, topicIndex: Int32) {
        let key = message.key ?? []
        let payload = message.payload ?? []
        // Exactly as long as the message: an overrun meets a sanitizer.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: key.count + payload.count + 1, alignment: 1)
        memory.copyBytes(from: key + payload)
        let start = memory.baseAddress.map { UnsafeRawPointer($0) }
        held.append(
            (
                MessageRecord(
                    payload: message.payload == nil ? nil : start.map { $0 + key.count },
                    payloadLength: payload.count, key: message.key == nil ? nil : start, keyLength: key.count,
                    offset: place.offset, timestampMilliseconds: message.timestampMilliseconds,
                    partition: Int32(place.partition), topicIndex: topicIndex, timestampIsLogAppend: true), message,
                memory
            ))
    }

    package func record(at index: Int) -> MessageRecord { held[index].record }

    package func message(at index: Int) -> TestMessage { held[index].message }

    package func release() {
        for (_, _, memory) in held {
            // What still reads it gets rubbish.
            for index in memory.indices { memory[index] = 0xDD }
            memory.deallocate()
        }
        held = []
    }

    package func take(_ starts: [TopicPartitionOffset]) {
        assignments.append(starts)
        for (partition, next) in positions {
            for offset in next..<next + Int64(leftovers) {
                let place = Place(partition: partition, offset: offset)
                if leftOver.insert(place).inserted { strays.append((place, 0)) }
            }
        }
        positions = starts.map { (Int($0.partition.partition), $0.offset) }
        if Set(starts.map(\.partition)).count != starts.count { misuses.append("a partition assigned twice") }
    }

    package func note(report: [TopicPartitionOffset]) {
        reports.append(report)
        onReport?(report)
    }

    package func close() { isClosed = true }
}

/// The port that the lane sees.
package struct FakeSource: MessageSource {
    package let consumer: FakeConsumer

    package init(consumer: FakeConsumer) {
        self.consumer = consumer
    }

    package mutating func poll(limit: Int) -> SourcePoll { consumer.poll(limit: limit) }

    package func record(at index: Int) -> SourceRecord { consumer.record(at: index) }

    package func forEachHeader(at index: Int, _ body: (UnsafePointer<CChar>, UnsafeRawBufferPointer?) -> Void) {
        for (name, value) in consumer.message(at: index).headers {
            name.withCString { name in
                if let value { value.withUnsafeBytes { body(name, $0) } } else { body(name, nil) }
            }
        }
    }

    package mutating func release() { consumer.release() }

    package mutating func takeEvent() -> ConsumerEvent? {
        consumer.events.isEmpty ? nil : consumer.events.removeFirst()
    }

    package mutating func assign(_ starts: [TopicPartitionOffset]) throws(KafkaError) { consumer.take(starts) }

    package func cachedWatermarks(of partition: TopicPartition) -> Watermarks? {
        Watermarks(low: -1, high: consumer.log.high(Int(partition.partition)))
    }

    package mutating func queryWatermarks(of partition: TopicPartition) throws(KafkaError) -> Watermarks {
        if consumer.failingWatermarks > 0 {
            consumer.failingWatermarks -= 1
            throw KafkaError(code: -185)
        }
        let number = Int(partition.partition)
        return Watermarks(low: consumer.log.low[number], high: consumer.log.high(number))
    }

    package mutating func rejoin() throws(KafkaError) { consumer.joins += 1 }

    package mutating func reportCommitted(_ positions: [TopicPartitionOffset]) { consumer.note(report: positions) }

    package mutating func close(within limit: Duration) -> Bool {
        consumer.close()
        return true
    }
}
