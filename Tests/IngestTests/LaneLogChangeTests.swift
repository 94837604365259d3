import Ingest
import Kafka
import LaneLaboratory
import Testing

/// A log made anew or cut under a lane that reads it.
@Suite struct LaneLogChangeTests {
    /// A lane that has stored ten messages of each of two partitions.
    private func running() -> LaneLab {
        let lab = LaneLab(partitions: 2)
        for partition in 0..<2 { lab.append(10, to: partition, patient: partition) }
        lab.join([0, 1])
        lab.settle()
        return lab
    }

    @Test func `a log made anew between two fetches stops its partition, and nothing of it is stored`() {
        let lab = running()
        lab.log.recreate(0)
        lab.append(30, to: 0, patient: 5)
        lab.append(3, to: 1, patient: 1, from: 10)
        lab.consumer.events.append(.fetchRefused)
        lab.settle()
        #expect(lab.state(0) == "stopped")
        #expect(lab.shown(0)?.reason.contains("at offset 9 is not the one that was stored") == true)
        #expect(lab.committed(0) == 10)
        #expect(lab.committed(1) == 13)
        #expect(lab.state(1) == "running")
    }

    @Test func `a refused fetch of the same log costs one look back`() {
        let lab = running()
        lab.append(3, to: 0, patient: 0, from: 10)
        lab.consumer.events.append(.fetchRefused)
        lab.settle()
        #expect(lab.consumer.assignments.last?.map(\.offset) == [9, 9])
        #expect(lab.committed(0) == 13)
        #expect(lab.counters.repeats == 0)
        #expect(lab.counters.duplicate == 0)
        lab.expectAllFolded()
    }

    @Test func `what is not committed yet is compared with as well`() {
        let lab = running()
        lab.session.held = [.commit]
        lab.append(5, to: 0, patient: 0, from: 10)
        lab.settle()
        lab.append(5, to: 0, patient: 0, from: 20)
        lab.settle()
        lab.consumer.events.append(.fetchRefused)
        lab.settle()
        #expect(lab.consumer.assignments.last?.first?.offset == 19)
        lab.session.held = []
        lab.settle()
        lab.expectAllFolded()
    }

    @Test func `a refused fetch where the message before is gone goes on`() {
        let lab = running()
        lab.log.removeBefore(10, 0)
        lab.append(2, to: 0, patient: 0, from: 10)
        lab.consumer.events.append(.fetchRefused)
        lab.settle()
        #expect(lab.state(0) == "running")
        #expect(lab.committed(0) == 12)
    }

    @Test(arguments: [0, 1]) func `the ends of the log being unknown for a while changes nothing`(failures: Int) {
        let lab = running()
        lab.log.recreate(0, first: 12)
        lab.append(2, to: 0, patient: 0, from: 10)
        lab.consumer.failingWatermarks = failures
        lab.consumer.events.append(.fetchRefused)
        lab.settle()
        lab.pass(.seconds(3))
        #expect(lab.state(0) == "stopped")
        #expect(lab.committed(0) == 10)
    }

    @Test func `what was taken before an offset was out of range is stored, however the log goes on`() {
        let lab = running()
        lab.session.held = [.commit]
        lab.append(2, to: 1, patient: 1, from: 10)
        lab.settle()
        lab.append(5, to: 0, patient: 0, from: 10)
        lab.settle()
        // Retention overtakes the lane: what it has in its hands is gone from the log.
        lab.append(50, to: 0, patient: 0, from: 20)
        lab.log.removeBefore(60, 0)
        lab.consumer.slice = 0
        lab.consumer.events.append(.offsetOutOfRange(FakeLog.partition(0), offset: 15))
        lab.consumer.slice = 512
        lab.session.held = []
        lab.settle()
        #expect(lab.committed(0) == 15)
        #expect(lab.state(0) == "stopped")
        #expect(lab.state(1) == "running")
        #expect(lab.committed(1) == 12)
    }

    @Test func `a partition that is being compared is not stopped by what happens to another`() {
        let lab = running()
        lab.session.held = [.commit]
        lab.append(1, to: 1, patient: 1, from: 10)
        lab.settle()
        for partition in 0..<2 { lab.append(4, to: partition, patient: partition, from: 20) }
        lab.settle()
        lab.log.recreate(0)
        lab.append(1, to: 0, patient: 5)
        lab.consumer.events.append(.fetchRefused)
        lab.settle()
        lab.session.held = []
        lab.settle()
        #expect(lab.state(0) == "stopped")
        #expect(lab.state(1) == "running")
        #expect(lab.committed(1) == 15)
    }

    @Test func `a comparison that a slow database breaks off is made with the right message later`() {
        let lab = LaneLab(partitions: 1) { $0.batchMaxRows = 8 }
        lab.append(8, to: 0, patient: 0)
        lab.join([0])
        lab.settle()
        lab.session.held = [.commit]
        lab.append(40, to: 0, patient: 0, from: 10)
        lab.settle()
        lab.consumer.slice = 1
        lab.consumer.events.append(.fetchRefused)
        lab.pass(.seconds(20))
        lab.consumer.slice = 512
        lab.session.held = []
        lab.settle()
        #expect(lab.state(0) == "running")
        lab.expectAllFolded()
    }

    @Test func `the ends of the log being unknown holds a turn up once, however many partitions there are`() {
        let lab = LaneLab(partitions: 4)
        for partition in 0..<4 { lab.append(1, to: partition, patient: partition) }
        lab.session.held = [.takeOver]
        lab.join([0, 1, 2, 3])
        lab.settle()
        lab.consumer.failingWatermarks = 100
        lab.session.held = []
        lab.turn(at: lab.now)
        #expect(lab.consumer.failingWatermarks == 99)
        lab.consumer.failingWatermarks = 0
        lab.pass(.seconds(3))
        lab.expectAllFolded()
    }

    @Test func `who gets nothing soon after a topic was unknown asks the group once more`() {
        let lab = running()
        lab.consumer.events.append(.topicUnknown("vitals"))
        lab.settle()
        lab.consumer.revoke([0, 1], lost: true)
        lab.join([])
        #expect(lab.consumer.joins == 0)
        lab.pass(.seconds(6))
        #expect(lab.consumer.joins == 1)
        // Nothing again: that is the group's decision.
        lab.join([])
        lab.pass(.seconds(60))
        #expect(lab.consumer.joins == 1)
    }

    @Test func `who gets nothing without a doubt, or gets something, asks nobody`() {
        let lab = LaneLab(partitions: 2)
        lab.join([])
        lab.pass(.seconds(20))
        lab.consumer.events.append(.topicUnknown("vitals"))
        lab.join([1])
        lab.pass(.seconds(20))
        lab.pass(.seconds(50))
        lab.join([])
        lab.pass(.seconds(20))
        #expect(lab.consumer.joins == 0)
    }

    @Test func `a log made anew while the database stood still is noticed when reading goes on`() {
        let lab = LaneLab(partitions: 1) { $0.batchMaxRows = 8 }
        lab.append(8, to: 0, patient: 0)
        lab.join([0])
        lab.settle()
        lab.session.held = [.commit]
        lab.append(40, to: 0, patient: 0, from: 10)
        lab.settle()
        lab.pass(.seconds(20))
        #expect(lab.consumer.reading.isEmpty)
        lab.log.recreate(0)
        lab.append(60, to: 0, patient: 5)
        lab.session.held = []
        lab.settle()
        #expect(lab.state(0) == "stopped")
        #expect(lab.committed(0) == 16)
    }
}
