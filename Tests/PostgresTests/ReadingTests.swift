import Postgres
import Testing

extension OnAServer {
    /// Partitions, changes and the view over the readings.
    struct ReadingTests {
        private let patient = "8a1c6f8e-0000-4000-8000-0123456789ab"

        @Test func `daily partitions are made once, in UTC`() throws {
            var connection = try TestDatabase.migrated().open()
            try connection.execute("SET TimeZone = 'America/Montreal'")
            let make = "SELECT silver.make_partitions('2026-02-27', '2026-03-01')"
            #expect(try connection.value(make) == "3")
            #expect(try connection.value(make) == "0")
            try connection.execute(
                """
                INSERT INTO silver.vital_reading (patient_id, recorded_at, source_partition, source_offset)
                VALUES ('\(patient)', '2026-02-28 23:59:59.999Z', 0, 1), ('\(patient)', '2026-03-01 00:00Z', 0, 2),
                    ('\(patient)', '2026-03-02 00:00Z', 0, 3)
                """)
            let places = try connection.query(
                "SELECT tableoid::regclass::text FROM silver.vital_reading ORDER BY recorded_at")
            #expect(
                (0..<3).map { places.text($0, 0) } == [
                    "silver.vital_reading_20260228", "silver.vital_reading_20260301", "silver.vital_reading_default",
                ])
            #expect(
                try connection.value(
                    """
                    SELECT count(*) FROM pg_index WHERE indrelid = 'silver.vital_reading_20260301'::regclass
                    """) == "2")
        }

        @Test func `a day that already lies in the default partition is left there`() throws {
            var connection = try TestDatabase.migrated().open()
            try connection.execute(
                """
                INSERT INTO silver.vital_reading (patient_id, recorded_at, source_partition, source_offset)
                VALUES ('\(patient)', '2026-03-02 12:00Z', 0, 3)
                """)
            #expect(try connection.value("SELECT silver.make_partitions('2026-03-01', '2026-03-03')") == "2")
            #expect(try connection.value("SELECT count(*) FROM silver.vital_reading") == "1")
            let error = try #require(throws: PostgresError.self) {
                _ = try connection.value("SELECT silver.make_partitions('2020-01-01', '2026-03-03')")
            }
            #expect(error.sqlState == "22023")
        }

        @Test func `partitions can be made by several at once, and while a reading is being written`() async throws {
            let database = try TestDatabase.migrated()
            var writer = try database.open()
            try writer.execute("SELECT silver.make_partitions('2026-01-01', '2026-01-01')")
            try writer.execute(
                """
                BEGIN;
                INSERT INTO silver.vital_reading (patient_id, recorded_at, source_partition, source_offset)
                VALUES ('\(patient)', '2026-01-01 12:00Z', 0, 3)
                """)
            let made = try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        var connection = try database.open()
                        let make = "SELECT silver.make_partitions('2026-01-01', '2026-01-10')"
                        return try connection.query(make).int64(0, 0)
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(made == 9)
            try writer.execute("COMMIT")
        }

        @Test func `a change is applied when the row is as it was read`() throws {
            var connection = try changeable()
            try connection.execute(
                stage("'2026-03-01 10:00Z', 81, 37, NULL, NULL, NULL, NULL, 'A', true, 0, 1, 20, NULL")
                    + "; SELECT ops.apply_changes(1); COMMIT")
            let row = try connection.query(
                "SELECT heart_rate, temperature, consciousness, supplemental_oxygen, source_partition, source_offset "
                    + "FROM silver.vital_reading WHERE recorded_at = '2026-03-01 10:00Z'")
            #expect((0..<6).map { row.text(0, $0) } == ["81", "37", "A", "t", "1", "20"])
            #expect(try connection.value("SELECT count(*) FROM pg_temp.stage_change") == "0")
        }

        @Test func `a change of a row that moved on is a conflict and changes nothing`() throws {
            var connection = try changeable()
            try connection.execute("UPDATE silver.vital_reading SET source_offset = 11")
            let error = try #require(throws: PostgresError.self) {
                try connection.execute(
                    stage("'2026-03-01 10:00Z', 81, 37, NULL, NULL, NULL, NULL, NULL, NULL, 0, 1, 20, NULL")
                        + "; SELECT ops.apply_changes(1); COMMIT")
            }
            #expect(error.sqlState == .changedMeanwhile)
            #expect(error.disposition == .conflict)
            try connection.execute("ROLLBACK")
            let rates = "SELECT string_agg(heart_rate::text, ' ') FROM silver.vital_reading"
            #expect(try connection.value(rates) == "80 80")
        }

        @Test func `changes of several days, one of them in the default partition, are one call`() throws {
            var connection = try changeable()
            try connection.execute(
                stage("'2026-03-01 10:00Z', 81, 37, NULL, NULL, NULL, NULL, NULL, NULL, 0, 1, 20, NULL") + ";"
                    + stageRow("'1999-01-01 10:00Z', 82, 37, NULL, NULL, NULL, NULL, NULL, NULL, 0, 1, 21, NULL")
                    + "; SELECT ops.apply_changes(2); COMMIT")
            let rates = "SELECT string_agg(heart_rate::text, ' ' ORDER BY recorded_at) FROM silver.vital_reading"
            #expect(try connection.value(rates) == "82 81")
        }

        @Test(arguments: ["1970-01-01 00:00:00.001Z", "2026-02-28 23:59:59.999Z", "9999-12-31 23:59:59.999Z"])
        func `the view gives milliseconds exactly`(time: String) throws {
            var connection = try TestDatabase.migrated().open()
            try connection.execute(
                """
                INSERT INTO silver.vital_reading (patient_id, recorded_at, source_partition, source_offset)
                VALUES ('\(patient)', '\(time)', 0, 3)
                """)
            let same = "SELECT timestamp = extract(epoch FROM '\(time)'::timestamptz) * 1000 FROM public.health_records"
            #expect(try connection.value(same) == "t")
            let type = "SELECT pg_typeof(timestamp) FROM public.health_records"
            #expect(try connection.value(type) == "bigint")
        }

        @Test func `the last hour is found through the index, on every day that has more than a few pages`() throws {
            var connection = try TestDatabase.migrated().open()
            try connection.execute(
                """
                SELECT silver.make_partitions(current_date - 3, current_date + 1);
                INSERT INTO silver.vital_reading
                SELECT md5((n % 100)::text)::uuid, now() - n * interval '1 second', 60 + n % 40, 37, 97,
                    NULL, NULL, NULL, NULL, NULL, 0, 0, n, NULL
                FROM generate_series(260000, 1, -1) AS n
                """)
            try connection.execute("VACUUM ANALYZE silver.vital_reading")
            let query = """
                SELECT patient_id, AVG(heart_rate) as avg_heart_rate, AVG(temperature) as avg_temperature,
                       AVG(oxygen_saturation) as avg_oxygen, COUNT(*) as total_readings
                FROM health_records
                WHERE timestamp >= extract(epoch from now() - interval '1 hour') * 1000
                GROUP BY patient_id
                """
            let rows = try connection.query("SELECT count(*), sum(total_readings) FROM (\(query)) AS q")
            #expect(rows.int64(0, 0) == 100)
            // One reading a second, less those that grew older than an hour while all this ran.
            #expect((3000...3600).contains(rows.int64(0, 1)))
            let plan = try connection.query("EXPLAIN (COSTS OFF) \(query)")
            let lines = (0..<plan.rowCount).map { plan.text($0, 0) }
            let sequential = lines.filter { $0.contains("Seq Scan on vital_reading_2") }
            #expect(lines.filter { $0.contains("Bitmap Index Scan on vital_reading_2") }.count >= 3, "\(lines)")
            // Only tomorrow's, which is empty, and a day that has just begun.
            #expect(sequential.count <= 2, "\(sequential)")
        }

        /// A day's partition and a reading in it, one in the default partition, and a session with its stage.
        private func changeable() throws -> Connection {
            var connection = try TestDatabase.migrated().open()
            try connection.execute(
                """
                SELECT silver.make_partitions('2026-03-01', '2026-03-01');
                CREATE TEMPORARY TABLE stage_change (patient_id uuid, recorded_at timestamptz,
                    \(stagedValues(prefix: "")), \(stagedValues(prefix: "old_"))) ON COMMIT DELETE ROWS;
                INSERT INTO silver.vital_reading VALUES
                    ('\(patient)', '2026-03-01 10:00Z', 80, 37, NULL, NULL, NULL, NULL, NULL, NULL, 0, 1, 10, NULL),
                    ('\(patient)', '1999-01-01 10:00Z', 80, 37, NULL, NULL, NULL, NULL, NULL, NULL, 0, 1, 10, NULL)
                """)
            return connection
        }

        private func stagedValues(prefix: String) -> String {
            """
            \(prefix)heart_rate real, \(prefix)temperature real, \(prefix)oxygen_saturation real,
            \(prefix)respiratory_rate real, \(prefix)systolic_pressure real, \(prefix)diastolic_pressure real,
            \(prefix)consciousness "char", \(prefix)supplemental_oxygen boolean, \(prefix)suspect smallint,
            \(prefix)source_partition integer, \(prefix)source_offset bigint, \(prefix)origin_id integer
            """
        }

        private func stage(_ new: String) -> String {
            "BEGIN; " + stageRow(new)
        }

        private func stageRow(_ new: String) -> String {
            "INSERT INTO stage_change VALUES ('\(patient)', \(new), "
                + "80, 37, NULL, NULL, NULL, NULL, NULL, NULL, 0, 1, 10, NULL)"
        }
    }
}
