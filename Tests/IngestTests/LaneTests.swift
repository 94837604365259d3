import Ingest
import Kafka
import LaneLaboratory
import Service
import Testing

/// The lane's loop, its rebalances and its end.
@Suite struct LaneTests {
    @Test func `a message is committed as soon as the connection is free, and told to Kafka once a second`() {
        let lab = LaneLab(partitions: 1)
        lab.join([0])
        lab.append(1, to: 0)
        for _ in 0..<6 { lab.turn() }
        #expect(lab.committed(0) == 1)
        for index in 0..<20 {
            lab.append(1, to: 0, from: 1 + index)
            lab.settle()
        }
        #expect(lab.counters.batches == 21)
        #expect(lab.consumer.reports.count <= 2)
        lab.pass(.seconds(2))
        #expect(lab.consumer.reports.last == [TopicPartitionOffset(FakeLog.partition(0), offset: 21)])
        #expect(lab.consumer.reports.count <= 3)
        #expect(lab.shown(0)?.lag == 0)
        lab.expectAllFolded()
    }

    @Test func `while a batch is on its way the next one is filled, and no more than one`() {
        let lab = LaneLab(partitions: 1)
        lab.join([0])
        lab.append(1, to: 0)
        lab.session.held = [.commit]
        lab.settle()
        lab.append(3_000, to: 0, from: 1)
        lab.settle()
        #expect(lab.session.commits.count == 1)
        #expect(lab.shown(0)?.lag == 3_001)
        lab.session.held = []
        lab.settle()
        #expect(lab.session.commits[1].inserts.count == 1_024)
        lab.expectAllFolded()
    }

    static let stages: [FakeSession.Kind] = [.takeOver, .ownership, .newest, .stored, .origins, .commit]

    /// Brings a lane into a stage, a batch in its hands, another one filling.
    private func held(in kind: FakeSession.Kind) -> LaneLab {
        let lab = LaneLab()
        lab.join([0, 1])
        lab.append(5, to: 0)
        lab.append(5, to: 1, patient: 2)
        lab.settle()
        if kind == .takeOver || kind == .ownership { lab.session.outcomes[.commit] = [.fail(.fenced)] }
        lab.session.held = [kind]
        lab.append(2, to: 0, from: 2)
        lab.append(2, to: 1, patient: 9)
        lab.log.append(
            .reading(
                TestReading(
                    patient: 2, second: 77, vitals: ["heartRate": "60"],
                    origin: OriginNames(facility: "north", sector: nil, device: nil))), to: 1)
        lab.settle()
        lab.append(3, to: 0, from: 9)
        lab.settle()
        #expect(lab.session.pending == kind)
        return lab
    }

    static let endings: [FakeSession.Outcome] = [
        .succeed, .loseAnswer, .fail(.retry(sqlState: "40001")), .fail(.conflict(sqlState: "23505")), .fail(.fenced),
        .fail(.away("lost")), .fail(.data(sqlState: "22P02")), .fail(.refused("no right")),
    ]

    @Test(arguments: stages, [false, true])
    func `a revocation in the middle of any request drops what is not committed, for good`(
        kind: FakeSession.Kind, returns: Bool
    ) {
        let lab = held(in: kind)
        lab.consumer.revoke([0, 1], lost: true)
        lab.settle()
        #expect(lab.status.partitions.isEmpty)
        if returns { lab.consumer.assign(group: [0, 1]) }
        lab.append(2, to: 0, patient: 5)
        lab.settle()
        let commits = lab.session.commits.count
        lab.session.held = []
        lab.settle()
        // What was dropped is not committed later, in place of what comes next.
        if !returns { #expect(lab.session.commits.count == commits) }
        lab.expectLogFolded()
        let heir = returns ? lab : LaneLab(partner: lab)
        if !returns { heir.join([0, 1]) }
        heir.pass(.seconds(11))
        heir.append(2, to: 1, patient: 6)
        heir.settle()
        heir.expectAllFolded()
    }

    @Test(arguments: endings, [false, true])
    func `a commit that was under way at a revocation may end in any way`(
        ending: FakeSession.Outcome, returns: Bool
    ) {
        let lab = LaneLab()
        lab.join([0, 1])
        lab.append(5, to: 0)
        lab.session.outcomes[.commit] = [ending]
        lab.session.held = [.commit]
        lab.settle()
        lab.append(5, to: 1, patient: 2)
        lab.settle()
        lab.consumer.revoke([0, 1])
        if returns { lab.consumer.assign(group: [1, 0]) }
        lab.settle()
        lab.session.held = []
        lab.settle()
        lab.pass(.seconds(1))
        let heir = returns ? lab : LaneLab(partner: lab)
        if !returns { heir.join([0, 1]) }
        heir.pass(.seconds(11))
        heir.append(3, to: 0, from: 3)
        heir.settle()
        heir.expectAllFolded()
        #expect(lab.session.misuses.isEmpty)
    }

    /// ```
    /// commit held ───────────────── 5 s ─────────▶ answered
    /// batch full, nothing polled ─────┤ given back, polling │ read again
    /// ```
    @Test(arguments: endings)
    func `a database that takes long keeps the group's calls answered`(ending: FakeSession.Outcome) {
        let lab = LaneLab(partitions: 1) { $0.batchMaxRows = 512 }
        lab.join([0])
        lab.append(1, to: 0)
        lab.session.outcomes[.commit] = [ending]
        lab.session.held = [.commit]
        lab.settle()
        lab.append(2_000, to: 0, from: 1)
        lab.settle()
        lab.pass(.seconds(4))
        #expect(lab.consumer.reading == [0])
        lab.pass(.seconds(2))
        #expect(lab.consumer.assignments.last == [])
        let assigned = lab.consumer.assignments.count
        lab.pass(.seconds(20))
        #expect(lab.consumer.assignments.count == assigned)
        // Events are still served.
        lab.consumer.events.append(.topicUnknown("vitals"))
        lab.settle()
        #expect(lab.consumer.events.isEmpty)
        lab.session.held = []
        lab.settle()
        if case .fail(.data) = ending {
            // The only message of its batch: found at once.
            #expect(lab.state(0) == "stopped")
            lab.database.progress[0]?.epoch += 1
        }
        lab.pass(.seconds(3))
        lab.expectAllFolded()
    }

    /// Each attempt meets lock_timeout after 3 s: none is slow by itself.
    @Test func `a request that is repeated for ever keeps the group's calls answered too`() {
        let lab = LaneLab(partitions: 1) { $0.batchMaxRows = 512 }
        lab.join([0])
        lab.append(1, to: 0)
        lab.session.held = [.commit]
        lab.settle()
        lab.append(2_000, to: 0, from: 1)
        for _ in 0..<8 {
            lab.session.outcomes[.commit] = [.fail(.retry(sqlState: "55P03")), .fail(.retry(sqlState: "55P03"))]
            lab.session.held = []
            lab.turn()
            lab.session.held = [.commit]
            lab.pass(.seconds(3))
        }
        #expect(lab.consumer.assignments.contains([]))
        lab.consumer.revoke([0])
        lab.pass(.seconds(6))
        #expect(lab.status.partitions.isEmpty)
    }

    @Test(arguments: stages + [.connect, .endBlockers])
    func `the end waits for a commit under way, and for nothing else`(kind: FakeSession.Kind) {
        let lab: LaneLab
        switch kind {
        case .connect, .endBlockers:
            lab = LaneLab()
            lab.database.locked = [0]
            lab.session.held = [kind]
            lab.join([0, 1])
        default: lab = held(in: kind)
        }
        let before = lab.database.facts
        if kind == .commit {
            for _ in 0..<5 { #expect(!lab.finish()) }
            lab.session.held = []
            for _ in 0..<3 where lab.finish() { break }
        }
        #expect(lab.finish())
        #expect(lab.session.pending == nil)
        #expect(!lab.session.isConnected)
        if kind != .commit { #expect(lab.database.facts == before) }
        if kind == .commit { #expect(lab.consumer.reports.last?.first?.offset == lab.committed(0)) }
        lab.expectLogFolded()
        let heir = LaneLab(partner: lab)
        heir.join([0, 1])
        heir.expectAllFolded()
    }

    @Test(arguments: endings)
    func `the last commit may fail in any way`(ending: FakeSession.Outcome) {
        let lab = held(in: .commit)
        lab.session.outcomes[.commit] = []
        let other = LaneLab(partitions: 1)
        other.join([0])
        other.append(2, to: 0)
        other.session.outcomes[.commit] = [ending]
        other.session.held = [.commit]
        other.settle()
        other.session.held = []
        var turns = 0
        while !other.finish(), turns < 5 { turns += 1 }
        #expect(turns < 5)
        let heir = LaneLab(partner: other)
        heir.join([0])
        heir.expectAllFolded()
    }

    @Test func `an empty assignment is an answer too`() {
        let lab = LaneLab()
        #expect(!lab.status.hasJoined)
        lab.join([])
        #expect(lab.status.hasJoined)
        #expect(lab.session.count(.takeOver) == 0)
        lab.join([1])
        lab.append(2, to: 1)
        lab.settle()
        #expect(lab.committed(1) == 2)
    }

    @Test func `a rebalance without a revocation replaces everything as well`() {
        let lab = LaneLab(partitions: 3)
        for partition in 0..<3 { lab.append(3, to: partition, patient: partition) }
        lab.join([0, 1])
        lab.join([1, 2])
        #expect(lab.consumer.reading == [1, 2])
        #expect(lab.database.progress[1]?.epoch == 2)
        lab.append(3, to: 1, patient: 1, from: 3)
        lab.settle()
        lab.expectAllFolded()
    }

    @Test func `a full batch by bytes is sealed as one full by rows`() {
        let lab = LaneLab(partitions: 1) { $0.batchMaxBytes = 300_000 }
        lab.consumer.slice = 10
        lab.join([0])
        lab.session.held = [.commit]
        lab.append(1, to: 0)
        lab.settle()
        let junk = String(repeating: "[", count: 50_000)
        for _ in 0..<40 { lab.log.append(.bad(junk, "malformed_json"), to: 0) }
        lab.settle()
        lab.session.held = []
        lab.settle()
        // A slice of ten letters is half a megabyte: beyond the limit after one.
        #expect(lab.session.commits.dropFirst().allSatisfy { $0.letters.count <= 10 })
        lab.expectAllFolded()
    }

    @Test func `the lane closes its source`() {
        let lab = LaneLab()
        #expect(lab.close())
        #expect(lab.consumer.isClosed)
    }
}
