import Kafka
import Service
import TestSupport
import Testing

extension GroupScenarios {
    /// A topic that is not there yet is told, held up nobody, and taken up when it appears.
    func topicAppearsLater(named later: String, partitions count: Int32, create: () throws -> Void) throws {
        try produce(10, to: bootstrapServers, topic: topic, partitions: 0..<4)
        let member = try Member(bootstrapServers, group: "group-of-\(topic)", topics: [topic, later])
        try member.consumer?.subscribe([topic, later])
        try expectSoon("the event", of: [member]) { member.events.contains(.topicUnknown(later)) }
        try expectSoon("the topic that is there", of: [member]) { member.seen.count == 40 }
        try create()
        try produce(10, to: bootstrapServers, topic: later, partitions: 0..<count)
        let wanted = all.union(partitions(of: later, 0..<count))
        try expectSoon("all partitions", of: [member]) { member.owned == wanted }
        try expectSoon("the new topic", of: [member]) { member.seen.count == 40 + 10 * Int(count) }
        #expect(member.surprises.isEmpty)
        #expect(member.close())
    }

    /// A member that does not poll is expelled: it learns so, told that others may own its partitions, and joins again.
    func silentMemberIsExpelledAndReturns() throws {
        try produce(10, to: bootstrapServers, topic: topic, partitions: 0..<4)
        let overrides = [("max.poll.interval.ms", "6000")]
        let store = OffsetStore()
        let silent = try member(store: store, overrides: overrides)
        try join(silent)
        try expectSoon("all at the first", of: [silent]) { silent.seen.count == 40 }
        let other = try member(store: store, overrides: overrides)
        // Only the other one works from here on, and joins when the first one's client has given up.
        try work([other], for: .seconds(8))
        try join(other)
        try expectSoon("all at the other", of: [other]) { other.owned == all }
        #expect(silent.owned == all, "it has not looked")
        try expectSoon("the news", of: [silent, other]) {
            silent.events.contains { if case .revoked(let gone, lost: true) = $0 { Set(gone) == all } else { false } }
        }
        #expect(
            silent.events.contains {
                if case .error(let error, _, _) = $0 { error.name == "ERR__MAX_POLL_EXCEEDED" } else { false }
            })
        try expectSoon("both again", of: [silent, other]) { silent.owned.count == 2 && other.owned.count == 2 }
        try produce(10, to: bootstrapServers, topic: topic, partitions: 0..<4)
        try expectSoon("the new ones", of: [silent, other]) { silent.seen.count + other.seen.count == 80 }
        #expect(silent.surprises.isEmpty && other.surprises.isEmpty)
        #expect(silent.close() && other.close())
    }

    /// A member that does not poll while another joins is passed over; what it then learns need not say `lost`.
    func silentMemberIsPassedOver() throws {
        try produce(10, to: bootstrapServers, topic: topic, partitions: 0..<4)
        let overrides = [("max.poll.interval.ms", "6000")]
        let store = OffsetStore()
        let silent = try member(store: store, overrides: overrides)
        try join(silent)
        try expectSoon("all at the first", of: [silent]) { silent.seen.count == 40 }
        let other = try member(store: store, overrides: overrides)
        try join(other)
        try expectSoon("all at the other", of: [other]) { other.owned == all }
        #expect(silent.owned == all, "it has not looked")
        try expectSoon("both again", of: [silent, other]) { silent.owned.count == 2 && other.owned.count == 2 }
        try produce(10, to: bootstrapServers, topic: topic, partitions: 0..<4)
        try expectSoon("the new ones", of: [silent, other]) { silent.seen.count + other.seen.count == 80 }
        #expect(silent.surprises.isEmpty && other.surprises.isEmpty)
        #expect(silent.close() && other.close())
    }

    /// Members come, leave and get their offsets late at random, while messages arrive: none is lost or doubled.
    func membersComeAndGo(seed: UInt64, rounds: Int) throws {
        var random = SeededNumbers(seed: seed)
        let store = OffsetStore()
        var members: [Member] = []
        var seenByGone = 0
        var produced = 0
        for round in 0..<rounds {
            if members.isEmpty || (members.count < 4 && random.next() % 2 == 0) {
                let newcomer = try member(store: store)
                var delays = SeededNumbers(seed: random.next())
                newcomer.drawDelay = { Int(delays.next() % 12) }
                try join(newcomer)
                members.append(newcomer)
            } else {
                let leaver = members.remove(at: Int(random.next() % UInt64(members.count)))
                #expect(leaver.surprises.isEmpty, "seed \(seed), round \(round)")
                seenByGone += leaver.seen.count
                #expect(leaver.close())
            }
            try produce(50, to: bootstrapServers, topic: topic, partitions: 0..<4)
            produced += 200
            try work(members, for: .milliseconds(Int64(random.next() % 700)))
        }
        if members.isEmpty {
            members.append(try member(store: store))
            try join(members[0])
        }
        try expectSoon("every message", of: members) {
            seenByGone + members.reduce(0) { $0 + $1.seen.count } >= produced
        }
        #expect(seenByGone + members.reduce(0) { $0 + $1.seen.count } == produced, "seed \(seed)")
        for member in members {
            #expect(member.surprises.isEmpty, "seed \(seed): \(member.surprises.prefix(5))")
            #expect(member.close())
        }
    }
}
