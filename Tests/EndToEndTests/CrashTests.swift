import ChaosLaboratory
import Glibc
import Service
import TestSupport
import Testing

/// The service ends at any moment, by force or by request: nothing is lost and nothing is doubled.
@Suite(.serialized, .ownThread, .databaseServer) struct CrashTests {
    @Test func `killed again and again, then read once more, the tables are those of the log`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 4)
            // 2,000 patients and room for 1,024: forgetting them is part of the trial.
            let feeder = try laboratory.feed(log, perSecond: 500, patients: 2_000)
            var generator = SeededNumbers(seed: 6)
            // The least that the mock broker takes: the dead are missed for so long.
            let session = ["KAFKA_CONFIG_SESSION_TIMEOUT_MS": "4000"]
            for kill in 1...5 {
                let service = try laboratory.serve(
                    log, name: "life-\(kill)",
                    session.merging(["LANES": kill == 3 ? "2" : "1", "BATCH_MAX_ROWS": kill < 3 ? "40" : "65536"]) {
                        $1
                    })
                // Some way into its work, before it has caught up.
                let target = try laboratory.position(log) + 200 + generator.below(400)
                try laboratory.awaitPosition(log, at: target)
                try service.kill()
            }
            let last = try laboratory.serve(log, name: "last-life", session)
            try feeder.stop()
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            let checksum = try laboratory.checksum()
            try last.stop()

            // The whole topic again, by another group into the same tables.
            let again = try laboratory.serve(log, name: "second", group: "second")
            try laboratory.awaitPosition(log, group: "second")
            try again.stop()
            var wanted = NaiveFold(log)
            let rows = wanted.rows.count
            wanted.read(log)
            try laboratory.judge(log, group: "second", against: wanted)
            #expect(wanted.rows.count == rows)
            #expect(try laboratory.checksum() == checksum)
            try laboratory.verify(log)
        }
    }

    @Test func `sent back to the beginning while it runs it reads the topic again and changes nothing`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 2)
            try laboratory.feed(log, perSecond: 1_000_000, limit: 3_000, patients: 20).awaitEnd()
            let service = try laboratory.serve(log)
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            let checksum = try laboratory.checksum()
            for partition in 0..<2 { try laboratory.sendBack(log, partition: partition, to: "beginning") }
            // Nothing arrives meanwhile: it notices by itself.
            try laboratory.awaitPosition(log)
            #expect(try laboratory.checksum() == checksum)
            try laboratory.verify(log)
            // It goes on with what is new.
            try log.send([SentReading(1, WallClock.nowMilliseconds(), ["heartRate": 70])])
            try laboratory.awaitPosition(log)
            var connection = try laboratory.connect()
            let state = try DatabaseState(&connection, group: "lab", topic: log.topic)
            let differences = state.differences(from: NaiveFold(log)).filter { !$0.hasPrefix("ledger") }
            #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
            #expect(try ProgressJournal.faults(&connection).isEmpty)
            try service.stop()
            try laboratory.verify(log)
        }
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `asked to stop under load it exits 0 within 10 seconds and the next start goes on`(signal: Int32) throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 4)
            let first = try laboratory.serve(log, name: "first", ["LANES": "2"])
            try first.awaitReady()
            let feeder = try laboratory.feed(log, perSecond: 1_000_000, limit: 20_000)
            try laboratory.awaitPosition(log, at: 1_000)
            try first.stop(with: signal)
            let left = try laboratory.position(log)
            try feeder.awaitEnd()
            #expect(left < log.count, "it was stopped under load")
            let second = try laboratory.serve(log, name: "second", ["LANES": "2"])
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            try second.stop()
        }
    }

    @Test func `two groups that read the same topic at once leave the tables of one`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 4)
            let feeder = try laboratory.feed(log, perSecond: 2_000, limit: 12_000, patients: 30)
            let one = try laboratory.serve(log, name: "one", group: "one", ["BATCH_MAX_ROWS": "300"])
            let two = try laboratory.serve(log, name: "two", group: "two", ["LANES": "2"])
            try feeder.awaitEnd()
            try laboratory.awaitPosition(log, group: "one")
            try laboratory.awaitPosition(log, group: "two")
            try one.stop()
            try two.stop()
            var connection = try laboratory.connect()
            let state = try DatabaseState(&connection, group: "one", topic: log.topic)
            let differences = state.differences(from: NaiveFold(log)).filter { !$0.hasPrefix("ledger") }
            #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
            let books = try connection.texts(
                """
                SELECT sum(inserted) = (SELECT count(*) FROM silver.vital_reading),
                    sum(corrected) = (SELECT count(*) FROM silver.vital_reading_history),
                    bool_and(consumed = next_offset), sum(consumed) FROM ops.partition_progress
                """)
            #expect(books == [["t", "t", "t", "\(2 * log.count)"]])
            #expect(try ProgressJournal.faults(&connection).isEmpty)
        }
    }
}
