import Postgres
import Service
import TestSupport
import Testing

/// `vitalstream partitions` and `vitalstream retention`, as they are typed.
@Suite(.serialized, .ownThread, .databaseServer) struct RetentionCommandTests {
    /// Readings of three days of 2020 in partitions, of 2021 in the default partition, and of today; with books.
    private static func fill(_ laboratory: Laboratory) throws {
        var connection = try laboratory.connect()
        try connection.execute(
            """
            SELECT silver.make_partitions('2020-01-01', '2020-01-03');
            SELECT silver.make_partitions(current_date - 1, current_date + 1);
            INSERT INTO silver.vital_reading (patient_id, recorded_at, heart_rate, source_partition, source_offset)
            SELECT md5(n::text)::uuid, t, 70, 0, n FROM generate_series(1, 100) AS n,
                unnest(ARRAY[timestamptz '2020-01-01 10:00Z', '2020-01-02 10:00Z', '2021-05-05 10:00Z', now()]) AS t;
            INSERT INTO silver.vital_reading_history
                (patient_id, recorded_at, replaced_by_partition, replaced_by_offset)
            SELECT md5(n::text)::uuid, timestamptz '2020-01-01 10:00Z', 0, n FROM generate_series(1, 30) AS n;
            INSERT INTO bronze.dead_letter (topic, partition, "offset", reason, received_at)
            SELECT 'vitals', 0, n, 'malformed_json', now() - n * interval '20 days' FROM generate_series(0, 9) AS n;
            INSERT INTO ops.partition_progress (consumer_group, topic, partition, first_offset, next_offset, consumed,
                inserted, corrected, rejected) VALUES ('lab', 'vitals', 0, 0, 440, 440, 400, 30, 10)
            """)
    }

    private static func run(
        _ laboratory: Laboratory, _ arguments: [String]
    ) throws -> (code: ChildStatus?, output: String) {
        let run = try Programs.run(arguments, settings: ["DATABASE_URL": laboratory.databaseURL()])
        return (run.status, run.output)
    }

    private static func succeed(_ laboratory: Laboratory, _ arguments: [String]) throws -> String {
        let run = try run(laboratory, arguments)
        guard run.code?.isSuccess == true else { throw TestFailure("\(arguments): \(run.output)") }
        return run.output
    }

    @Test func `what is older goes, is booked, and verify still adds up`() throws {
        try Laboratory.open { laboratory in
            try Self.fill(laboratory)
            _ = try Self.succeed(laboratory, ["verify"])
            var connection = try laboratory.connect()
            let rows = """
                SELECT (SELECT count(*) FROM silver.vital_reading), (SELECT count(*) FROM silver.vital_reading_history),
                    (SELECT count(*) FROM bronze.dead_letter), (SELECT count(*) FROM ops.reading_partition),
                    (SELECT count(*) FROM ops.retention_run)
                """
            let before = try connection.texts(rows)
            #expect(before == [["400", "30", "10", "7", "0"]])

            let ages = ["--vitals", "2y", "--history", "24mo", "--dead-letters", "90d"]
            let dry = try Self.succeed(laboratory, ["retention", "--dry-run"] + ages)
            #expect(try connection.texts(rows) == before)
            let done = try Self.succeed(laboratory, ["retention"] + ages)
            #expect(try connection.texts(rows) == [["100", "0", "5", "4", "6"]])
            // The same lines and sums, but for the verb.
            let promised = dry.replacing("would be ", with: "").replacing("dry run: nothing was changed\n", with: "")
            #expect(done == promised)
            for text in ["vital_reading_20200101, 100 rows", "vital_reading_default, 100 rows", "vitals[0], 5 rows"] {
                #expect(done.contains(text), "\(done)")
            }
            _ = try Self.succeed(laboratory, ["verify"])
            let again = try Self.succeed(laboratory, ["retention"] + ages)
            #expect(!again.contains("deleted:") && !again.contains("dropped:"), "\(again)")
            #expect(try connection.texts("SELECT count(*) FROM ops.retention_run") == [["6"]])
        }
    }

    @Test func `an age that is none, or of a table that this version cannot drop, changes nothing`() throws {
        try Laboratory.open { laboratory in
            try Self.fill(laboratory)
            for age in ["18m", "0d", "2", "y", "-1d", "101y", "1.5y", "1h", "99999999999999999999d"] {
                let run = try Self.run(laboratory, ["retention", "--vitals", age])
                #expect(run.code == .exited(2), "\(age): \(run.output)")
                #expect(run.output.contains("allowed is a whole number with d, w, mo or y"), "\(run.output)")
            }
            let none = try Self.run(laboratory, ["retention"])
            #expect(none.code == .exited(2) && none.output.contains("at least one age"), "\(none.output)")
            let kept = try Self.run(laboratory, ["retention", "--vitals", "2y", "--history", "3y"])
            #expect(kept.code == .exited(1) && kept.output.contains("nothing was changed"), "\(kept.output)")
            // What cannot be dropped is not taken for done.
            var connection = try laboratory.connect()
            for (flag, table) in [("flow", "silver.patient_flow_event"), ("predictions", "gold.wait_prediction")] {
                let refused = try Self.run(laboratory, ["retention", "--vitals", "1d", "--\(flag)", "1y"])
                #expect(refused.code == .exited(1), "\(refused.output)")
                #expect(refused.output.contains("cannot drop rows of \(table)"), "\(refused.output)")
                #expect(refused.output.contains("nothing was changed"), "\(refused.output)")
            }
            #expect(try connection.texts("SELECT count(*) FROM silver.vital_reading") == [["400"]])
        }
    }

    @Test func `a partition that is in use is waited for, with pauses for everybody else`() throws {
        try Laboratory.open { laboratory in
            try Self.fill(laboratory)
            var reader = try laboratory.connect()
            // Not the reader: what a transaction has once seen of other sessions it sees until its end.
            var watcher = try laboratory.connect()
            try reader.execute("BEGIN; SELECT count(*) FROM silver.vital_reading")
            let done = Locked<(ChildStatus?, String)?>(nil)
            let url = laboratory.databaseURL()
            let thread = try ServiceThread(name: "retention") {
                let run = try? Programs.run(["retention", "--vitals", "2y"], settings: ["DATABASE_URL": url])
                done.withLock { $0 = (run?.status, run?.output ?? "") }
            }
            try eventually("retention has met the lock") {
                try watcher.query(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vitalstream retention' "
                        + "AND wait_event_type = 'Lock' AND datname = current_database()"
                ).int64(0, 0) == 1
            }
            // The first attempt has given up its lock, for those who wait behind it.
            try eventually("retention has let go") {
                try watcher.query(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vitalstream retention' "
                        + "AND wait_event_type = 'Lock' AND datname = current_database()"
                ).int64(0, 0) == 0
            }
            try reader.execute("COMMIT")
            #expect(thread.join(within: .seconds(60)))
            let (status, output) = try #require(done.withLock { $0 })
            #expect(status?.isSuccess == true, "\(output)")
            #expect(try reader.texts("SELECT count(*) FROM silver.vital_reading") == [["100"]])
        }
    }

    @Test func `retention and moving go on while late readings arrive, and the books add up`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 2)
            let service = try laboratory.serve(log, ["LANES": "2"])
            try service.awaitReady()
            let isDone = Locked(false)
            let failure = Locked<String?>(nil)
            // Each batch has readings of today and of a week of 2020: a lane holds the table and asks for old days.
            let late = try ServiceThread(name: "late readings") {
                do {
                    var number: Int64 = 0
                    // No more than the mock broker keeps.
                    while !isDone.withLock({ $0 }), number < 20_000 {
                        let batch = (0..<10).map { _ -> SentReading in
                            number += 1
                            let old = 1_577_836_800_000 + number % 7 * 86_400_000 + number
                            return SentReading(
                                Int(number % 50), number % 2 == 0 ? old : WallClock.nowMilliseconds() - number % 1_000,
                                ["heartRate": 70])
                        }
                        try log.send(batch)
                        _ = isDone.wait(until: .after(.milliseconds(20))) { !$0 }
                    }
                } catch { failure.withLock { $0 = "\(error)" } }
            }
            defer { isDone.withLock { $0 = true } }
            for _ in 1...2 {
                try laboratory.awaitPosition(log, at: try laboratory.position(log) + 400)
                let moved = try Self.succeed(laboratory, ["partitions", "--empty-default"])
                #expect(moved.contains("2020-01-04"), "\(moved)")
                let done = try Self.succeed(laboratory, ["retention", "--vitals", "2y"])
                #expect(done.contains("dropped: vital_reading_20200104"), "\(done)")
            }
            isDone.withLock { $0 = true }
            #expect(late.join(within: .seconds(60)))
            #expect(failure.withLock { $0 } == nil)
            try laboratory.awaitPosition(log)
            _ = try Self.succeed(laboratory, ["verify"])
            try service.stop()
        }
    }

    @Test func `partitions lists, makes ahead and empties the default partition`() throws {
        try Laboratory.open { laboratory in
            try Self.fill(laboratory)
            let listed = try Self.succeed(laboratory, ["partitions"])
            for text in [
                "vital_reading_20200102", "2020-01-02", "vital_reading_default", "2021-05-05",
                "100 rows of 1 days stand in the default partition",
            ] { #expect(listed.contains(text), "\(listed)") }
            let made = try Self.succeed(laboratory, ["partitions", "--ahead", "5"])
            #expect(made.contains("made 4 partitions"), "\(made)")
            let moved = try Self.succeed(laboratory, ["partitions", "--empty-default"])
            #expect(moved.contains("2021-05-05: 100 rows moved"), "\(moved)")
            #expect(moved.hasSuffix("the default partition is empty\n"), "\(moved)")
            var connection = try laboratory.connect()
            #expect(
                try connection.texts(
                    "SELECT count(*), count(*) FILTER (WHERE tableoid = 'silver.vital_reading_20210505'::regclass) "
                        + "FROM silver.vital_reading") == [["400", "100"]])
            _ = try Self.succeed(laboratory, ["verify"])
        }
    }

    @Test func `a day that is in the way of partitions ahead is named`() throws {
        try Laboratory.open { laboratory in
            var connection = try laboratory.connect()
            try connection.execute(
                """
                INSERT INTO silver.vital_reading (patient_id, recorded_at, source_partition, source_offset)
                VALUES (gen_random_uuid(), now() + interval '3 days', 0, 1)
                """)
            let run = try Self.run(laboratory, ["partitions", "--ahead", "5"])
            #expect(run.code == .exited(1), "\(run.output)")
            #expect(run.output.contains("1 of these days have rows in the default partition"), "\(run.output)")
            _ = try Self.succeed(laboratory, ["partitions", "--empty-default"])
            _ = try Self.succeed(laboratory, ["partitions", "--ahead", "5"])
        }
    }
}
