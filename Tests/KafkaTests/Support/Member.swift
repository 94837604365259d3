import Kafka
import Service
import Testing

/// The database's part in these tests: per partition the next offset to read.
final class OffsetStore: Sendable {
    private let next = Locked<[TopicPartition: Int64]>([:])

    func next(of partition: TopicPartition) -> Int64 { next.withLock { $0[partition] ?? 0 } }
    func set(_ partition: TopicPartition, to offset: Int64) { next.withLock { $0[partition] = offset } }
}

/// A consumer with a lane's habits, and a record of what came.
final class Member {
    var consumer: Consumer?
    var slice = MessageSlice()
    let store: OffsetStore
    /// Whether `.assigned` is answered with the store's offsets at once.
    var assignsItself = true
    /// The most messages that one poll brought.
    var largestSlice = 0
    /// Turns that the database takes to answer an assignment; drawn anew each time.
    var drawDelay: () -> Int = { 0 }
    var events: [ConsumerEvent] = []
    /// Every message seen, in order.
    var seen: [TopicPartitionOffset] = []
    /// Offsets that were not the store's next one.
    var surprises: [TopicPartitionOffset] = []
    private let topics: [String]
    private var awaited: (partitions: [TopicPartition], turns: Int)?
    private var poller = PollSet(capacity: 1)

    init(
        _ bootstrapServers: String, group: String, topics: [String], store: OffsetStore = OffsetStore(),
        overrides: [(String, String)] = []
    ) throws {
        self.store = store
        self.topics = topics
        consumer = try Consumer(
            properties: ConsumerConfiguration.properties(
                bootstrapServers: bootstrapServers, overrides: quickly + overrides),
            groupID: group)
        poller.set(0, consumer?.eventDescriptor ?? -1, read: true)
    }

    var owned: Set<TopicPartition> { consumer?.ownedPartitions ?? [] }

    /// Waits for news at most so long, then takes everything there is.
    func turn(within milliseconds: Int32 = 20) throws {
        poller.wait(timeoutMilliseconds: milliseconds)
        if let (partitions, turns) = awaited {
            awaited = turns > 0 ? (partitions, turns - 1) : nil
            if turns == 0 { try assignFromStore(partitions) }
        }
        consumer?.acknowledgeEvent()
        var outcome = PollOutcome.full
        while outcome != .drained, consumer != nil {
            outcome = consumer?.poll(into: &slice) ?? .drained
            largestSlice = max(largestSlice, slice.count)
            for index in 0..<slice.count { note(slice[index]) }
            slice.release()
            while let event = consumer?.takeEvent() {
                events.append(event)
                try react(to: event)
            }
        }
    }

    private func react(to event: ConsumerEvent) throws {
        switch event {
        case .assigned(let partitions) where assignsItself:
            let delay = drawDelay()
            if delay == 0 { try assignFromStore(partitions) } else { awaited = (partitions, delay) }
        case .revoked:
            awaited = nil
        default:
            break
        }
    }

    func assignFromStore(_ partitions: [TopicPartition]) throws {
        try consumer?.assign(partitions.map { TopicPartitionOffset($0, offset: store.next(of: $0)) })
    }

    /// Leaves the group. False when it took too long.
    func close() -> Bool {
        slice.release()
        guard let leaving = consumer.take() else { return true }
        return leaving.close(within: .seconds(20))
    }

    func offsets(of partition: TopicPartition) -> [Int64] {
        seen.filter { $0.partition == partition }.map(\.offset)
    }

    private func note(_ record: MessageRecord) {
        let place = TopicPartitionOffset(
            topic: topics[Int(record.topicIndex)], partition: record.partition, offset: record.offset)
        seen.append(place)
        if record.offset != store.next(of: place.partition) { surprises.append(place) }
        store.set(place.partition, to: record.offset + 1)
    }
}

/// Group members are quick to notice things.
private let quickly: [(String, String)] = [
    ("topic.metadata.refresh.interval.ms", "300"), ("heartbeat.interval.ms", "200"),
]

/// Lets the members work until something holds; fails the test when it never does.
func expectSoon(
    _ what: Comment, of members: [Member], within duration: Duration = .seconds(40),
    sourceLocation: SourceLocation = #_sourceLocation, until condition: () -> Bool
) throws {
    let deadline = Deadline.after(duration)
    while !condition() {
        if deadline.hasPassed() {
            Issue.record("never: \(what); events \(members.map(\.events))", sourceLocation: sourceLocation)
            return
        }
        for member in members { try member.turn() }
    }
}

/// Lets the members work for a while in which something should not happen.
func work(_ members: [Member], for duration: Duration) throws {
    let deadline = Deadline.after(duration)
    while !deadline.hasPassed() {
        for member in members { try member.turn() }
    }
}
