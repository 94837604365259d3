import Ingest
import Kafka
import LaneLaboratory
import Testing

/// From the source into the batch: every offset is checked.
@Suite struct LaneMessagesTests {
    private func started(_ count: Int = 10, partitions: Int = 2, slice: Int = 512) -> LaneLab {
        let lab = LaneLab(partitions: partitions)
        lab.consumer.slice = slice
        lab.join(Array(0..<partitions))
        for partition in 0..<partitions { lab.append(count, to: partition, patient: partition) }
        return lab
    }

    /// ```
    /// offsets   0 1 2 3 4 _ 6 …      5 was lost on the way
    /// assigned  0         5          read again from 5, the others from where they stand
    /// ```
    @Test func `a gap is read again, and not booked when the message comes after all`() {
        let lab = started()
        lab.consumer.hiccups = [FakeConsumer.Place(partition: 0, offset: 5)]
        lab.settle()
        let again = lab.consumer.assignments.last
        #expect(again?.first == TopicPartitionOffset(FakeLog.partition(0), offset: 5))
        #expect(again?.count == 2)
        #expect(lab.database.progress[0]?.gaps == 0)
        lab.expectAllFolded()
    }

    @Test func `a gap that comes again is the log's own and is booked`() {
        let lab = started()
        lab.settle()
        // A transaction's marker, and two that compaction took.
        for _ in 0..<3 { lab.log.append(nil, to: 0) }
        lab.append(2, to: 0, from: 20)
        let before = lab.consumer.assignments.count
        lab.settle()
        #expect(lab.consumer.assignments.count == before + 1)
        #expect(lab.database.progress[0]?.gaps == 3)
        #expect(lab.committed(0) == 15)
        lab.expectAllFolded()
    }

    /// ```
    /// first     0 1 2 3 4 _ _ _ 8     5, 6 and 7 were lost: read again from 5
    /// again               5 6 _ 8     7 is lost once more: another gap before the same offset
    /// third                   7 8
    /// ```
    @Test func `another gap before the same offset is not the same gap`() {
        let lab = started(partitions: 1)
        lab.consumer.hiccups = [5, 6, 7, 7].map { FakeConsumer.Place(partition: 0, offset: $0) }
        lab.settle()
        #expect(lab.database.progress[0]?.gaps == 0)
        lab.expectAllFolded()
    }

    @Test func `holes in several partitions at once are all booked`() {
        let lab = LaneLab(partitions: 3)
        lab.join([0, 1, 2])
        for round in 0..<4 {
            for partition in 0..<3 {
                if (round + partition) % 2 == 0 { lab.log.append(nil, to: partition) }
                lab.append(3, to: partition, patient: partition, from: round * 3)
            }
        }
        lab.settle()
        lab.expectAllFolded()
        #expect((0..<3).map { lab.database.progress[$0]?.gaps } == [2, 2, 2])
    }

    @Test func `a hole where the remembered message stood does not stop the partition`() {
        let first = started(partitions: 1)
        first.settle()
        // Compaction removed it after it was stored.
        first.log.replace(0, 9, by: nil)
        let lab = LaneLab(partner: first)
        lab.join([0])
        lab.log.append(nil, to: 0)
        lab.append(2, to: 0, from: 30)
        lab.settle()
        #expect(lab.state(0) == "running")
        #expect(lab.committed(0) == 13)
        #expect(lab.database.progress[0]?.gaps == 1)
    }

    @Test(arguments: [false, true])
    func `a remembered message that is lost on the way is read again before anything counts`(isOther: Bool) {
        let first = started(partitions: 1)
        first.settle()
        if isOther {
            first.log.recreate(0)
            first.append(10, to: 0, patient: 8)
        }
        let lab = LaneLab(partner: first)
        lab.append(3, to: 0, from: 20)
        lab.consumer.hiccups = [FakeConsumer.Place(partition: 0, offset: 9)]
        lab.join([0])
        #expect(lab.consumer.hiccups.isEmpty)
        #expect(lab.state(0) == (isOther ? "stopped" : "running"))
        #expect(lab.committed(0) == (isOther ? 10 : 13))
    }

    @Test func `a repeated message is dropped and counted`() {
        let lab = started()
        lab.settle()
        lab.consumer.strays = [0, 4, 9].map { (FakeConsumer.Place(partition: 1, offset: $0), 0) }
        lab.append(1, to: 1, patient: 1, from: 50)
        lab.settle()
        #expect(lab.counters.repeats == 3)
        #expect(lab.counters.duplicate == 0)
        lab.expectAllFolded()
    }

    @Test func `what the lane does not own is dropped, whatever numbers it bears`() {
        let lab = LaneLab(partitions: 5)
        for partition in 0..<5 { lab.append(3, to: partition, patient: partition) }
        lab.join([1, 3])
        for partition in 0..<5 {
            for topic in [-1, 0, 1, 7] as [Int32] where topic != 0 || partition % 2 == 0 {
                lab.consumer.strays.append((FakeConsumer.Place(partition: partition, offset: 3), topic))
                lab.append(1, to: partition, patient: partition, from: 10)
            }
        }
        lab.settle()
        #expect(lab.database.progress.keys.sorted() == [1, 3])
        lab.expectAllFolded()
    }

    @Test func `messages before any assignment, and before the take-over, are dropped`() {
        let lab = LaneLab(partitions: 1)
        lab.append(4, to: 0)
        lab.consumer.strays = [(FakeConsumer.Place(partition: 0, offset: 0), 0)]
        lab.settle()
        lab.session.held = [.takeOver]
        lab.join([0])
        lab.consumer.strays = [(FakeConsumer.Place(partition: 0, offset: 1), 0)]
        lab.settle()
        #expect(lab.session.count(.commit) == 0)
        lab.session.held = []
        lab.settle()
        lab.expectAllFolded()
    }

    @Test func `an offset that the broker no longer has stops its partition, and nothing of the others is lost`() {
        let lab = started(slice: 4)
        lab.session.held = [.commit]
        lab.settle()
        lab.log.recreate(0)
        lab.append(2, to: 0, patient: 7)
        lab.append(20, to: 1, patient: 1, from: 10)
        // The consumer stands at offset 10 of a log that has only two.
        lab.settle()
        #expect(lab.state(0) == "stopped")
        #expect(lab.shown(0)?.reason.contains("the log has no offset 10") == true)
        lab.session.held = []
        lab.settle()
        #expect(lab.committed(1) == 30)
        lab.consumer.events.append(.offsetOutOfRange(FakeLog.partition(4), offset: 3))
        lab.settle()
        #expect(lab.state(1) == "running")
    }

    @Test func `a message that cannot be used is a letter with all that helps to mend it`() {
        let lab = LaneLab(partitions: 1) { $0.maxMessageBytes = 100_000 }
        lab.join([0])
        let long = String(repeating: "x", count: 100_001)
        lab.log.append(.bad(nil, "empty_payload"), to: 0)
        lab.log.append(.bad("", "empty_payload"), to: 0)
        lab.log.append(.bad(long, "oversize"), to: 0)
        var headed = TestMessage.bad("{\"patientId\":1,\"heartRate\":\"x\"}", "missing_field")
        headed.headers = [("trace", [0x61]), ("empty", []), ("none", nil)]
        lab.log.append(headed, to: 0)
        lab.append(1, to: 0)
        lab.settle()
        lab.expectAllFolded()
        func letter(_ offset: Int64, _ reason: String) -> FakeDatabase.Letter? {
            lab.database.letters[LedgerFacts.Letter(partition: 0, offset: offset, reason: reason)]
        }
        #expect(letter(0, "empty_payload")?.payload == nil)
        #expect(letter(1, "empty_payload")?.payload == [])
        #expect(letter(2, "oversize")?.payload == Array(long.utf8.prefix(65_536)))
        #expect(letter(2, "oversize")?.headers == nil)
        let last = letter(3, "missing_field")
        #expect(last?.payload == headed.payload)
        #expect(last?.detail.contains("timestamp") == true && last?.detail.contains("heartRate") == true)
        #expect(last?.headers == "[[\"trace\",\"a\"],[\"empty\",\"\"],[\"none\",null]]")
        #expect(lab.counters.rejected == 4 && lab.counters.inserted == 1)
    }

    @Test func `a batch of letters alone moves the offset`() {
        let lab = LaneLab(partitions: 1)
        lab.join([0])
        for _ in 0..<5 { lab.log.append(.bad("[", "malformed_json"), to: 0) }
        lab.settle()
        lab.expectAllFolded()
        // And the hash of a letter is remembered like any other.
        let next = LaneLab(partner: lab)
        next.join([0])
        #expect(next.state(0) == "running")
    }

    @Test func `key mismatches and unknown fields are counted`() {
        let lab = LaneLab(partitions: 1)
        lab.join([0])
        var message = TestMessage.reading(TestReading(patient: 1, vitals: ["heartRate": "60", "shoeSize": "43"]))
        message.key = Array("somebody else".utf8)
        lab.log.append(message, to: 0)
        lab.settle()
        #expect(lab.counters.keyMismatches == 1 && lab.counters.unknownFields == 1)
    }
}
