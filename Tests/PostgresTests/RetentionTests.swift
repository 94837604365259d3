import Postgres
import Service
import Testing

extension OnAServer {
    /// The functions of retention, and what they book.
    struct RetentionTests {
        private func service() throws -> Connection {
            let logins = try RoleLogins.made()
            return try logins.database.open(user: logins.service)
        }

        private func state(
            _ statement: String, _ connection: inout Connection
        ) throws -> SQLState? {
            try #require(throws: PostgresError.self) { try connection.execute(statement) }.sqlState
        }

        @Test func `a partition goes as a whole, and is booked with its rows`() throws {
            var connection = try service()
            #expect(
                try connection.value("SELECT ops.drop_reading_partition('vital_reading_20260301', '2026-03-02 00:00Z')")
                    == "1")
            let run = try connection.query(
                """
                SELECT table_name, partition_name, range_from, range_to, dropped_rows FROM ops.retention_run
                """)
            #expect(
                (0..<5).map { run.text(0, $0) } == [
                    "silver.vital_reading", "vital_reading_20260301", "2026-03-01 00:00:00+00",
                    "2026-03-02 00:00:00+00", "1",
                ])
            #expect(try connection.value("SELECT count(*) FROM silver.vital_reading") == "0")
            #expect(try connection.value("SELECT to_regclass('silver.vital_reading_20260301') IS NULL") == "t")
        }

        @Test func `a late reading meanwhile is neither a deadlock nor uncounted`() throws {
            let logins = try RoleLogins.made()
            var lane = try logins.database.open(user: logins.service)
            var retention = try logins.database.open(user: logins.service)
            let insert = "INSERT INTO silver.vital_reading (patient_id, recorded_at, source_partition, source_offset) "
            // As a lane in the midst of its batch: it holds the table, and another day.
            try lane.execute("BEGIN; \(insert) VALUES ('\(RoleLogins.patient)', '2026-05-05 10:00Z', 0, 5)")
            try retention.send("SELECT ops.drop_reading_partition('vital_reading_20260301', '2026-03-02 00:00Z')")
            // Not the lane itself: what a transaction has once seen of other sessions it sees until its end.
            var watcher = try logins.database.open()
            let deadline = Deadline.after(.seconds(30))
            let waits = """
                SELECT count(*) FROM pg_stat_activity
                WHERE pid = \(retention.backendProcessID) AND wait_event_type = 'Lock'
                """
            while try watcher.value(waits) == "0" {
                try #require(!deadline.hasPassed(), "retention does not wait for the lane")
                if case .needs(let read, let write) = try retention.step(), write {
                    try retention.wait(read: read, write: write)
                }
            }
            try lane.execute("\(insert) VALUES ('\(RoleLogins.patient)', '2026-03-01 11:00Z', 0, 6); COMMIT")
            try retention.finish()
            #expect(try retention.value("SELECT dropped_rows FROM ops.retention_run") == "2")
            #expect(try lane.value("SELECT count(*) FROM silver.vital_reading") == "1")
        }

        @Test func `a failed run leaves neither a gap nor a line`() throws {
            var connection = try service()
            try connection.execute("BEGIN")
            _ = try connection.value("SELECT ops.drop_reading_partition('vital_reading_20260301', '2026-03-02 00:00Z')")
            try connection.execute("ROLLBACK")
            #expect(
                try connection.value(
                    "SELECT (SELECT count(*) FROM silver.vital_reading) || ' ' "
                        + "|| (SELECT count(*) FROM ops.retention_run)"
                )
                    == "1 0")
        }

        @Test func `what reaches beyond the bound, is no partition, or is younger than a day is refused`() throws {
            var connection = try service()
            let refused: [(String, SQLState)] = [
                ("SELECT ops.drop_reading_partition('vital_reading_20260301', '2026-03-01 23:59:59Z')", "22023"),
                ("SELECT ops.drop_reading_partition('vital_reading_default', '2026-03-02')", "42P01"),
                ("SELECT ops.drop_reading_partition('origin', '2026-03-02')", "42P01"),
                ("SELECT ops.drop_reading_partition('vital_reading_20260301; --', '2026-03-02')", "42P01"),
                ("SELECT ops.drop_reading_partition('vital_reading_20260301', now())", "22023"),
                ("SELECT ops.drop_reading_partition('vital_reading_20260301', NULL)", "22023"),
                ("SELECT ops.expire_rows('silver.vital_reading', 'infinity', 0, 10, NULL)", "22023"),
                ("SELECT ops.expire_rows('silver.origin', '2026-03-02', 0, 10, NULL)", "22023"),
                ("SELECT ops.expire_rows('silver.vital_reading', '2026-03-02', 0, 100000, NULL)", "22023"),
                ("SELECT ops.expire_rows('silver.vital_reading', '2026-03-02', -1, 1, NULL)", "22023"),
                ("SELECT ops.expire_dead_letters('vitals', 0, now() - interval '3 hours', 0, 10, NULL)", "22023"),
            ]
            for (statement, wanted) in refused { #expect(try state(statement, &connection) == wanted, "\(statement)") }
            try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            #expect(
                try state(
                    "SELECT ops.drop_reading_partition('vital_reading_20260301', '2026-03-02 00:00Z')", &connection)
                    == "25001")
        }

        @Test func `rows go page by page, into one run`() throws {
            var connection = try service()
            try connection.execute(
                """
                INSERT INTO silver.vital_reading_history
                    (patient_id, recorded_at, replaced_by_partition, replaced_by_offset)
                SELECT md5(n::text)::uuid, timestamptz '2026-03-01 00:00Z' + n % 4 * interval '1 day', 0, n
                FROM generate_series(0, 1999) AS n
                """)
            var run: String?
            var deleted: Int64 = 0
            for page in stride(from: 0, to: 40, by: 3) {
                let step = try connection.query(
                    """
                    SELECT run, deleted FROM ops.expire_rows(
                        'silver.vital_reading_history', '2026-03-03 00:00Z', $1::bigint, 3, $2::bigint)
                    """, ["\(page)", run])
                run = step.textIfPresent(0, 0)
                deleted += step.int64(0, 1)
            }
            #expect(deleted == 1_000)
            #expect(try connection.value("SELECT count(*) FROM silver.vital_reading_history") == "1000")
            let runs = try connection.query("SELECT dropped_rows, range_from, range_to FROM ops.retention_run")
            try #require(runs.rowCount == 1)
            #expect(
                (0..<3).map { runs.text(0, $0) } == ["1000", "2026-03-01 00:00:00+00", "2026-03-03 00:00:00+00"])
        }

        // MARK: - Dead letters

        /// rejected, and what the books say of it.
        private let equation = """
            SELECT string_agg(consumer_group || ' ' || rejected || '=' || settled_letters + (
                SELECT count(*) FROM bronze.dead_letter AS d WHERE d.topic = p.topic AND d.partition = p.partition
                    AND d."offset" >= greatest(p.first_offset, p.settled_before) AND d."offset" < p.next_offset),
                ', ' ORDER BY consumer_group)
            FROM ops.partition_progress AS p WHERE topic = 'letters'
            """

        private func letters(_ offsets: ClosedRange<Int>, daysOld: Int) -> String {
            """
            INSERT INTO bronze.dead_letter (topic, partition, "offset", reason, received_at)
            SELECT 'letters', 0, n, 'x', now() - \(daysOld) * interval '1 day'
            FROM generate_series(\(offsets.lowerBound), \(offsets.upperBound)) AS n ON CONFLICT DO NOTHING
            """
        }

        private func progress(_ group: String, _ range: Range<Int>, rejected: Int) -> String {
            """
            INSERT INTO ops.partition_progress
                (consumer_group, topic, partition, first_offset, next_offset, consumed, inserted, rejected)
            VALUES ('\(group)', 'letters', 0, \(range.lowerBound), \(range.upperBound), \(range.count),
                \(range.count - rejected), \(rejected))
            """
        }

        private func expire(_ connection: inout Connection, daysOld: Int, limit: Int = 1_000) throws -> Int64 {
            var deleted: Int64 = 0
            var run: String?
            var from: String? = "0"
            while let offset = from {
                let step = try connection.query(
                    """
                    SELECT run, deleted, next_from FROM ops.expire_dead_letters('letters', 0,
                        date_trunc('day', now(), 'UTC') - \(daysOld) * interval '1 day',
                        $1::bigint, \(limit), $2::bigint)
                    """, [offset, run])
                run = step.textIfPresent(0, 0)
                deleted += step.int64(0, 1)
                from = step.textIfPresent(0, 2)
            }
            return deleted
        }

        @Test(arguments: [1, 7, 1_000])
        func `letters that go stay counted, for every group by its own range`(limit: Int) throws {
            var connection = try service()
            // Old 0..19, young 20..29, old 30..34; a reads all, b is at 10, c began at 25.
            try connection.execute(letters(0...19, daysOld: 100))
            try connection.execute(letters(20...29, daysOld: 1))
            try connection.execute(letters(30...34, daysOld: 100))
            try connection.execute(progress("a", 0..<40, rejected: 35))
            try connection.execute(progress("b", 0..<10, rejected: 10))
            try connection.execute(progress("c", 25..<40, rejected: 10))
            #expect(try connection.value(equation) == "a 35=35, b 10=10, c 10=10")
            #expect(try expire(&connection, daysOld: 90, limit: limit) == 25)
            #expect(try connection.value(equation) == "a 35=35, b 10=10, c 10=10")
            let runs = try connection.query(
                "SELECT table_name, topic, partition, dropped_rows FROM ops.retention_run WHERE topic = 'letters'")
            try #require(runs.rowCount == 1)
            #expect((0..<4).map { runs.text(0, $0) } == ["bronze.dead_letter", "letters", "0", "25"])
            #expect(try connection.value("SELECT count(*) FROM bronze.dead_letter WHERE topic = 'letters'") == "10")
        }

        @Test func `a letter that another group leaves anew is not counted twice, nor missed when it goes again`()
            throws
        {
            var connection = try service()
            try connection.execute(letters(0...9, daysOld: 100))
            try connection.execute(progress("a", 0..<10, rejected: 10))
            #expect(try expire(&connection, daysOld: 90) == 10)
            // b reads the topic from its beginning, half of it.
            try connection.execute(letters(0...4, daysOld: 3))
            try connection.execute(progress("b", 0..<5, rejected: 5))
            #expect(try connection.value(equation) == "a 10=10, b 5=5")
            #expect(try expire(&connection, daysOld: 2) == 5)
            #expect(try connection.value(equation) == "a 10=10, b 5=5")
            // And the rest.
            try connection.execute(letters(5...9, daysOld: 0))
            try connection.execute(
                "UPDATE ops.partition_progress SET next_offset = 10, consumed = 10, rejected = 10 "
                    + "WHERE consumer_group = 'b'"
            )
            #expect(try connection.value(equation) == "a 10=10, b 10=10")
        }

        @Test func `a lane that commits meanwhile is waited for and counted`() async throws {
            let logins = try RoleLogins.made()
            var lane = try logins.database.open(user: logins.service)
            var retention = try logins.database.open(user: logins.service)
            try lane.execute(letters(0...9, daysOld: 100))
            try lane.execute(progress("a", 0..<10, rejected: 10))
            // The lane stands before COMMIT with one more rejected message; its letter is older than the clock says.
            try lane.execute(
                "BEGIN; UPDATE ops.partition_progress SET next_offset = 11, consumed = 11, rejected = 11 "
                    + "WHERE topic = 'letters'; \(letters(10...10, daysOld: 100))")
            try retention.send(
                "SELECT deleted FROM ops.expire_dead_letters('letters', 0, now() - interval '90 days', 0, 100, NULL)")
            let pid = retention.backendProcessID
            // Not the lane itself: what a transaction has once seen of other sessions it sees until its end.
            var watcher = try logins.database.open()
            let deadline = Deadline.after(.seconds(30))
            while try watcher.value(
                "SELECT count(*) FROM pg_stat_activity WHERE pid = \(pid) AND wait_event_type = 'Lock'") == "0"
            {
                try #require(!deadline.hasPassed(), "retention does not wait for the lane")
                if case .needs(let read, let write) = try retention.step(), write {
                    try retention.wait(read: read, write: write)
                }
            }
            try lane.execute("COMMIT")
            try retention.finish()
            #expect(try retention.value(equation) == "a 11=11")
            #expect(try retention.value("SELECT count(*) FROM bronze.dead_letter WHERE topic = 'letters'") == "0")
            #expect(
                try retention.value("SELECT dropped_rows FROM ops.retention_run WHERE topic = 'letters'") == "11")
        }
    }
}
