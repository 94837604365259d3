import Postgres
import Service
import Testing

extension OnAServer {
    /// `silver.empty_default`: rows move into a partition of their day while others write and read.
    struct DefaultPartitionTests {
        private static let day = "2026-03-02"

        /// So many readings of one day in the default partition, each of another patient.
        private func filled(_ rows: Int) throws -> RoleLogins {
            let logins = try RoleLogins.made()
            var connection = try logins.database.open()
            try connection.execute(
                """
                INSERT INTO silver.vital_reading (patient_id, recorded_at, heart_rate, source_partition, source_offset)
                SELECT md5(n::text)::uuid, timestamptz '\(Self.day) 00:00Z' + n * interval '1 ms', 70, 0, n
                FROM generate_series(1, \(rows)) AS n
                """)
            return logins
        }

        private let places = """
            SELECT string_agg(DISTINCT tableoid::regclass::text, ' ') || ' ' || count(*) FROM silver.vital_reading
            WHERE recorded_at >= '2026-03-02 00:00Z'
            """

        @Test func `the rows of a day move into a partition like the others`() throws {
            let logins = try filled(1_000)
            var connection = try logins.database.open(user: logins.service)
            #expect(try connection.value(places) == "silver.vital_reading_default 1000")
            #expect(try connection.value("SELECT silver.empty_default('\(Self.day)')") == "1000")
            #expect(try connection.value("SELECT silver.empty_default('\(Self.day)')") == "0")
            #expect(try connection.value(places) == "silver.vital_reading_20260302 1000")
            let shape = """
                SELECT (SELECT string_agg(pg_get_indexdef(indexrelid), '; ' ORDER BY indexrelid)
                        FROM pg_index WHERE indrelid = c.oid AND EXISTS (
                            SELECT FROM pg_inherits WHERE inhrelid = indexrelid))
                    || (SELECT string_agg(pg_get_constraintdef(oid), '; ' ORDER BY conname)
                        FROM pg_constraint WHERE conrelid = c.oid)
                    || (SELECT string_agg(attname || attnotnull || atthasdef, ' ' ORDER BY attnum)
                        FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0)
                    || pg_get_userbyid(relowner) || relacl::text || reloptions::text
                FROM pg_class AS c WHERE oid = $1::regclass
                """
            let made = try connection.value(shape, ["silver.vital_reading_20260301"])
            #expect(
                try connection.value(shape, ["silver.vital_reading_20260302"])
                    == made.replacing("20260301", with: "20260302"))
            #expect(
                try connection.value(
                    "SELECT range_from || ' ' || range_to FROM ops.reading_partition "
                        + "WHERE partition_name = 'vital_reading_20260302'")
                    == "2026-03-02 00:00:00+00 2026-03-03 00:00:00+00")
        }

        @Test func `a table of that name that is no partition is left alone`() throws {
            let logins = try filled(10)
            var owner = try logins.database.open()
            try owner.execute("CREATE TABLE silver.vital_reading_20260302 (LIKE silver.vital_reading)")
            var connection = try logins.database.open(user: logins.service)
            let error = try #require(throws: PostgresError.self) {
                _ = try connection.value("SELECT silver.empty_default('\(Self.day)')")
            }
            #expect(error.sqlState == "55000")
            try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            let isolated = try #require(throws: PostgresError.self) {
                _ = try connection.value("SELECT silver.empty_default('\(Self.day)')")
            }
            #expect(isolated.sqlState == "25001")
        }

        @Test func `what is written meanwhile is kept, and every reader sees every row once`() throws {
            let logins = try filled(60_000)
            let written = Locked(0)
            let moved = Locked(Int64(0))
            let readings = Locked(0)
            let writers = (1...2).map { number in
                (
                    name: "writer \(number)",
                    body: { @Sendable (race: Rivals.Race) throws -> Void in
                        let count = try write(logins, writer: number, while: race)
                        written.withLock { $0 += count }
                    }
                )
            }
            let mover = (
                name: "mover",
                body: { @Sendable (race: Rivals.Race) throws -> Void in
                    var connection = try logins.database.open(user: logins.service)
                    // Writers are at work before it begins, and a reader.
                    let atWork = "SELECT count(DISTINCT source_partition) FROM silver.vital_reading"
                    while race.isOn, try connection.value(atWork) != "3" || readings.withLock({ $0 }) == 0 {}
                    let count = try connection.query("SELECT silver.empty_default('\(Self.day)')").int64(0, 0)
                    moved.withLock { $0 = count }
                }
            )
            let reader = (
                name: "reader",
                body: { @Sendable (race: Rivals.Race) throws -> Void in
                    var connection = try logins.database.open(user: logins.analyst)
                    while race.isOn {
                        let count =
                            "SELECT count(*) FROM silver.vital_reading WHERE source_partition = 0 "
                            + "AND recorded_at >= '\(Self.day) 00:00Z'"
                        let found = try connection.value(count)
                        if found != "60000" { race.end("the reader sees \(found) rows") }
                        readings.withLock { $0 += 1 }
                    }
                }
            )
            try Rivals.run(logins.database, [mover] + writers + [reader])
            #expect(moved.withLock { $0 } > 60_000)
            var connection = try logins.database.open()
            let sums = try connection.query(
                """
                SELECT count(*) FILTER (WHERE source_partition > 0),
                    sum(heart_rate - 70) FILTER (WHERE source_partition = 0),
                    count(*), count(DISTINCT (patient_id, recorded_at)) FROM silver.vital_reading
                WHERE recorded_at >= '\(Self.day) 00:00Z'
                """)
            #expect(sums.int64(0, 0) == Int64(written.withLock { $0 }))
            #expect(sums.text(0, 1) == "\(written.withLock { $0 })")
            #expect(sums.text(0, 2) == sums.text(0, 3))
            #expect(try connection.value("SELECT count(*) FROM silver.vital_reading_default") == "0")
        }

        /// As a lane does: a new row and a change of an old one in one transaction, again when a lock is not granted.
        /// - Returns: how many were committed.
        private func write(_ logins: RoleLogins, writer: Int, while race: Rivals.Race) throws -> Int {
            var connection = try logins.database.open(user: logins.service)
            try connection.execute("SET lock_timeout = '300ms'")
            var number = 0
            while race.isOn {
                let patient = "md5('\(writer * 20_000 + number % 10_000 + 1)')::uuid"
                do throws(PostgresError) {
                    try connection.execute(
                        """
                        BEGIN;
                        INSERT INTO silver.vital_reading (patient_id, recorded_at, source_partition, source_offset)
                        VALUES (md5('\(writer) \(number)')::uuid, '\(Self.day) 12:00Z', \(writer), \(number));
                        UPDATE silver.vital_reading SET heart_rate = heart_rate + 1 WHERE patient_id = \(patient)
                            AND recorded_at >= '\(Self.day) 00:00Z' AND recorded_at < '2026-03-03 00:00Z';
                        COMMIT
                        """)
                    number += 1
                } catch {
                    guard error.disposition == .retry else { throw error }
                    try connection.execute("ROLLBACK")
                }
            }
            return number
        }

        @Test func `a row that waits for the default partition while its day is attached is to be written again`()
            throws
        {
            let logins = try RoleLogins.made()
            var owner = try logins.database.open()
            try owner.execute("BEGIN; LOCK TABLE silver.vital_reading_default IN SHARE ROW EXCLUSIVE MODE")
            var writer = try logins.database.open(user: logins.service)
            let insert = """
                INSERT INTO silver.vital_reading (patient_id, recorded_at, source_partition, source_offset)
                VALUES ('\(RoleLogins.patient)', '\(Self.day) 12:00Z', 0, 9)
                """
            try writer.send(insert)
            let pid = writer.backendProcessID
            // Not the owner: what a transaction has once seen of other sessions it sees until its end.
            var watcher = try logins.database.open()
            let deadline = Deadline.after(.seconds(30))
            while try watcher.value(
                "SELECT count(*) FROM pg_stat_activity WHERE pid = \(pid) AND wait_event_type = 'Lock'") == "0"
            {
                try #require(!deadline.hasPassed(), "the writer does not wait for the lock")
                if case .needs(let read, let write) = try writer.step() {
                    if write { try writer.wait(read: read, write: write) }
                }
            }
            try owner.execute("SELECT silver.make_partitions('\(Self.day)', '\(Self.day)'); COMMIT")
            let error = try #require(throws: PostgresError.self) { try writer.finish() }
            #expect(error.sqlState == "23514")
            #expect(error.disposition == .retry)
            try writer.execute(insert)
            #expect(try writer.value(places) == "silver.vital_reading_20260302 1")
        }
    }
}
