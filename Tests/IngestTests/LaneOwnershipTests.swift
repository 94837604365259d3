import Ingest
import Kafka
import LaneLaboratory
import Testing

/// Taking partitions over, and finding out who has them.
@Suite struct LaneOwnershipTests {
    @Test func `a new group begins at the log's oldest offset, with nothing to verify`() {
        let lab = LaneLab()
        lab.append(7, to: 0)
        lab.log.removeBefore(3, 0)
        lab.join([0, 1])
        #expect(
            lab.session.takeOvers == [
                [
                    TakeOverRequest(partition: FakeLog.partition(0), lowWatermark: 3),
                    TakeOverRequest(partition: FakeLog.partition(1), lowWatermark: 0),
                ]
            ])
        #expect(
            lab.consumer.assignments.first == [
                TopicPartitionOffset(FakeLog.partition(0), offset: 3),
                TopicPartitionOffset(FakeLog.partition(1), offset: 0),
            ])
        #expect(lab.committed(0) == 7)
        lab.expectAllFolded()
    }

    @Test func `a known partition is read from the message before its offset, which counts only as a proof`() {
        let first = LaneLab(partitions: 1)
        first.append(5, to: 0)
        first.join([0])
        let second = LaneLab(partner: first)
        second.join([0])
        #expect(second.consumer.assignments == [[TopicPartitionOffset(FakeLog.partition(0), offset: 4)]])
        #expect(second.state(0) == "running")
        second.append(1, to: 0, from: 5)
        second.settle()
        #expect(second.counters.consumed == 1)
        second.expectAllFolded()
    }

    @Test func `a log made anew under the offset stops the partition, and no other`() {
        let lab = LaneLab()
        lab.append(5, to: 0)
        lab.append(5, to: 1, patient: 2)
        lab.join([0, 1])
        lab.log.recreate(0)
        lab.append(9, to: 0, patient: 3)
        let next = LaneLab(partner: lab)
        next.append(2, to: 1, patient: 2, from: 5)
        let before = lab.database.facts
        next.join([0, 1])
        #expect(next.state(0) == "stopped")
        #expect(next.shown(0)?.reason.contains("offset 4 is not the one that was stored") == true)
        #expect(next.consumer.reading == [1])
        #expect(next.committed(1) == 7)
        #expect(lab.database.facts.rows.count == before.rows.count + 2)
        #expect(lab.database.facts.books[0] == before.books[0])
        // An operator books the jump; the lane goes on by itself.
        lab.database.setOffset(0, to: 0)
        next.pass(.seconds(3))
        #expect(next.state(0) == "running")
        #expect(next.committed(0) == 9)
    }

    @Test(arguments: [(0 as Int64, 4 as Int64, "re-created or truncated"), (8, 20, "retention has removed")])
    func `an offset outside the log stops the partition`(low: Int64, high: Int64, cause: String) {
        let first = LaneLab(partitions: 1)
        first.append(5, to: 0)
        first.join([0])
        first.log.recreate(0, first: low)
        first.append(Int(high - low), to: 0, patient: 4)
        let lab = LaneLab(partner: first)
        lab.join([0])
        #expect(lab.state(0) == "stopped")
        #expect(lab.shown(0)?.reason.contains(cause) == true)
        #expect(lab.consumer.reading.isEmpty)
        #expect(lab.committed(0) == 5)
        // It is asked after, not taken over again and again.
        lab.pass(.seconds(10))
        #expect(lab.session.count(.takeOver) == 1)
        #expect((4...6).contains(lab.session.count(.ownership)))
    }

    @Test func `an offset at either end of the log is inside`() {
        let first = LaneLab(partitions: 1)
        first.append(5, to: 0)
        first.join([0])
        // Everything read has been removed: nothing is left to verify by.
        first.log.removeBefore(5, 0)
        let lab = LaneLab(partner: first)
        lab.join([0])
        #expect(lab.state(0) == "running")
        lab.append(1, to: 0, patient: 2)
        lab.settle()
        #expect(lab.committed(0) == 6)
    }

    @Test func `until the log's ends are known nothing is taken over`() {
        let lab = LaneLab(partitions: 1)
        lab.append(1, to: 0)
        lab.consumer.failingWatermarks = 2
        lab.join([0])
        #expect(lab.session.count(.takeOver) == 0)
        lab.pass(.seconds(3))
        #expect(lab.session.count(.takeOver) == 1)
        lab.expectAllFolded()
    }

    @Test func `log ends that stay unknown after a take-over are asked again`() {
        let lab = LaneLab(partitions: 1)
        lab.append(1, to: 0)
        lab.session.held = [.takeOver]
        lab.join([0])
        lab.consumer.failingWatermarks = 1
        lab.session.held = []
        lab.settle()
        #expect(lab.state(0) == "waiting")
        lab.pass(.seconds(2))
        lab.expectAllFolded()
    }

    /// ```
    /// ours   ─take over──commit──────────commit✗─ asks … waits 8 s ────────────── asks, takes over
    /// theirs ─────────────────take over──commit────────────────────────────────
    /// ```
    @Test func `who is fenced writes nothing and waits longer than a session lasts`() {
        let ours = LaneLab(partitions: 1)
        ours.append(3, to: 0)
        ours.join([0])
        let theirs = LaneLab(partner: ours)
        theirs.join([0])
        ours.append(3, to: 0, from: 3)
        theirs.settle()
        ours.settle()
        #expect(ours.committed(0) == 6)
        #expect(ours.state(0) == "waiting")
        #expect(ours.consumer.reading.isEmpty)
        ours.expectAllFolded()
        ours.pass(.seconds(7))
        #expect(ours.session.count(.takeOver) == 1)
        #expect(ours.session.count(.ownership) >= 4)
        // It looks when the time is over, not at its next look anyway.
        ours.pass(.milliseconds(1_500))
        #expect(ours.session.count(.takeOver) == 2)
        #expect(ours.state(0) == "running")
    }

    @Test func `a partition that an operator has released is taken at once`() {
        let lab = LaneLab(partitions: 1)
        lab.append(3, to: 0)
        lab.join([0])
        lab.database.setOffset(0, to: 1)
        lab.append(1, to: 0, from: 3)
        lab.settle()
        #expect(lab.session.count(.takeOver) == 2)
        #expect(lab.committed(0) == 4)
        // Offsets 1 and 2 were read twice; their rows were there.
        #expect(lab.database.rows.count == 4)
        #expect(lab.counters.duplicate == 2)
    }

    @Test func `fenced at a place that nobody else holds it takes over again at once`() {
        let lab = LaneLab(partitions: 1)
        lab.append(3, to: 0)
        lab.join([0])
        lab.session.outcomes[.commit] = [.fail(.fenced)]
        lab.append(2, to: 0, from: 3)
        lab.settle()
        #expect(lab.session.count(.takeOver) == 2)
        lab.expectAllFolded()
    }

    @Test func `a frozen owner that holds the row locked is ended`() {
        let lab = LaneLab(partitions: 1)
        lab.append(3, to: 0)
        lab.database.locked = [0]
        lab.join([0])
        #expect(lab.session.journal.map(\.kind).prefix(4) == [.connect, .takeOver, .endBlockers, .takeOver])
        lab.expectAllFolded()
    }

    @Test func `after a pause of the process the group is not believed for three seconds`() {
        let lab = LaneLab(partitions: 1)
        lab.settle()
        lab.freeze(.seconds(4))
        lab.append(1, to: 0)
        lab.join([0])
        #expect(lab.session.count(.takeOver) == 0)
        lab.pass(.seconds(2))
        #expect(lab.session.count(.takeOver) == 0)
        lab.pass(.seconds(2))
        lab.expectAllFolded()
    }

    @Test func `a quiet lane notices that its partitions were taken`() {
        let ours = LaneLab()
        ours.append(3, to: 0)
        ours.join([0, 1])
        let theirs = LaneLab(partner: ours)
        theirs.join([0])
        ours.pass(.seconds(3))
        #expect(ours.consumer.reading == [1])
        #expect(ours.state(0) == "waiting")
        #expect(ours.state(1) == "running")
        // What it remembered of the patients is forgotten: they write behind its back.
        theirs.append(3, to: 0, from: 3)
        theirs.settle()
        theirs.consumer.revoke([0])
        theirs.settle()
        ours.pass(.seconds(12))
        ours.append(3, to: 0, from: 4)
        ours.settle()
        ours.expectAllFolded()
    }

    @Test func `a quiet lane notices that its session is gone`() {
        let lab = LaneLab(partitions: 1)
        lab.join([0])
        lab.session.cut()
        lab.pass(.seconds(3))
        #expect(lab.session.count(.connect) == 2)
        #expect(lab.status.isDatabaseConnected)
        lab.append(1, to: 0)
        lab.settle()
        lab.expectAllFolded()
    }

    @Test func `a take-over that ends after the group has taken the partition means nothing`() {
        let lab = LaneLab()
        lab.append(3, to: 0)
        lab.append(3, to: 1, patient: 2)
        lab.session.held = [.takeOver]
        lab.join([0, 1])
        lab.consumer.revoke([0, 1])
        lab.consumer.assign(group: [1])
        lab.settle()
        lab.session.held = []
        lab.settle()
        #expect(lab.consumer.reading == [1])
        #expect(lab.committed(0) == 0)
        #expect(lab.committed(1) == 3)
        lab.expectLogFolded()
    }
}
