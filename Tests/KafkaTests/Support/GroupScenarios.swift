import Kafka
import Service
import Testing

/// What a group must do, whatever broker it meets: run on the mock cluster and on a real one.
/// The topic exists with four partitions and is empty.
struct GroupScenarios {
    let bootstrapServers: String
    let topic: String

    func member(store: OffsetStore = OffsetStore(), overrides: [(String, String)] = []) throws -> Member {
        try Member(
            bootstrapServers, group: "group-of-\(topic)", topics: [topic], store: store, overrides: overrides)
    }

    func join(_ member: Member) throws {
        try member.consumer?.subscribe([topic])
    }

    var all: Set<TopicPartition> { partitions(of: topic, 0..<4) }

    func partition(_ number: Int32) -> TopicPartition { TopicPartition(topic: topic, partition: number) }

    /// One joins, another joins, the first leaves: each message is seen once, from the store's offset on.
    func twoMembersShareAndTakeOver() throws {
        let store = OffsetStore()
        try produce(500, to: bootstrapServers, topic: topic, partitions: 0..<4)
        let first = try member(store: store)
        try join(first)
        try expectSoon("all partitions at the first member", of: [first]) { first.owned == all }
        try expectSoon("its messages", of: [first]) { first.seen.count == 2_000 }

        let second = try member(store: store)
        try join(second)
        try expectSoon("two partitions each", of: [first, second]) { first.owned.count == 2 && second.owned.count == 2 }
        #expect(first.owned.isDisjoint(with: second.owned))
        #expect(
            first.events.contains {
                if case .revoked(let gone, lost: false) = $0 { Set(gone) == all } else { false }
            })
        try produce(500, to: bootstrapServers, topic: topic, partitions: 0..<4)
        try expectSoon("the next messages", of: [first, second]) { first.seen.count + second.seen.count == 4_000 }
        #expect(second.seen.count == 1_000)

        #expect(first.close())
        try expectSoon("the rest at the second member", of: [second]) { second.owned == all }
        try produce(500, to: bootstrapServers, topic: topic, partitions: 0..<4)
        try expectSoon("the last messages", of: [second]) { first.seen.count + second.seen.count == 6_000 }
        #expect(first.surprises.isEmpty)
        #expect(second.surprises.isEmpty)
        #expect(second.close())
    }

    /// The database is away when the group assigns: the member stays, and fetches once it is told the offsets.
    func offsetsMayComeLate() throws {
        try produce(100, to: bootstrapServers, topic: topic, partitions: 0..<4)
        let late = try member()
        late.assignsItself = false
        try join(late)
        try expectSoon("the assignment", of: [late]) { late.owned == all }
        // Longer than the session: an unsettled member would be expelled.
        try work([late], for: .seconds(8))
        #expect(late.seen.isEmpty)
        #expect(late.events == [.assigned(late.events.firstAssignment)])
        for partition in all { late.store.set(partition, to: 40) }
        try late.assignFromStore(Array(all))
        try expectSoon("what lies behind the offsets", of: [late]) { late.seen.count == 240 }
        #expect(late.surprises.isEmpty)
        #expect(late.close())
    }

    /// Another assignment in the steady state rewinds, skips and repeats exactly as told.
    func steadyStateReassignment() throws {
        try produce(200, to: bootstrapServers, topic: topic, partitions: 0..<4)
        let member = try member()
        try join(member)
        try expectSoon("all messages", of: [member]) { member.seen.count == 800 }
        for round in 0..<20 {
            let start = Int64(round * 9)
            member.seen = []
            for partition in all { member.store.set(partition, to: start + Int64(partition.partition)) }
            try member.assignFromStore(Array(all))
            let expected = 800 - 4 * Int(start) - 6
            try expectSoon("round \(round)", of: [member]) { member.seen.count >= expected }
            for partition in all {
                #expect(member.offsets(of: partition) == Array(start + Int64(partition.partition)..<200))
            }
        }
        // N is the end: nothing comes, nothing is wrong; N - 1 gives the last message again.
        member.seen = []
        member.store.set(partition(0), to: 200)
        member.store.set(partition(1), to: 199)
        try member.assignFromStore([partition(0), partition(1)])
        try expectSoon("the last message", of: [member]) { member.seen.count == 1 }
        try work([member], for: .milliseconds(500))
        #expect(member.seen == [TopicPartitionOffset(partition(1), offset: 199)])
        try produce(1, to: bootstrapServers, topic: topic, partitions: 0..<4)
        try expectSoon("one more of the two", of: [member]) { member.seen.count == 3 }
        try work([member], for: .milliseconds(500))
        #expect(member.seen.count == 3)
        #expect(member.surprises.isEmpty)
        #expect(!member.events.contains { if case .offsetOutOfRange = $0 { true } else { false } })
        #expect(member.close())
    }

    /// An offset beyond the log is told, and another assignment mends it.
    func offsetOutOfRange() throws {
        try produce(50, to: bootstrapServers, topic: topic, partitions: 0..<4)
        let member = try member()
        member.store.set(partition(2), to: 5_000)
        try join(member)
        try expectSoon("the event", of: [member]) {
            member.events.contains(.offsetOutOfRange(partition(2), offset: 5_000))
        }
        try expectSoon("the others", of: [member]) { member.seen.count == 150 }
        #expect(member.offsets(of: partition(2)).isEmpty)
        for partition in all { member.store.set(partition, to: 50) }
        member.store.set(partition(2), to: 10)
        try member.assignFromStore(Array(all))
        try expectSoon("the mended one", of: [member]) { member.offsets(of: partition(2)) == Array(10..<50) }
        #expect(member.surprises.isEmpty)
        #expect(member.events.filter { if case .offsetOutOfRange = $0 { true } else { false } }.count == 1)
        #expect(member.close())
    }
}

extension [ConsumerEvent] {
    var firstAssignment: [TopicPartition] {
        for case .assigned(let partitions) in self { return partitions }
        return []
    }
}
