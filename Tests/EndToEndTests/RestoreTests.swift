import Kafka
import Postgres
import Service
import Testing

/// Rows and offsets are rows of one database, so a backup brings both back to one moment, and the log does the rest.
@Suite(.serialized, .ownThread, .databaseServer) struct RestoreTests {
    /// All that a restore must bring back, as one digest a table. Of an origin its names, not its number: numbers are
    /// dealt as batches come.
    private static let digests = """
        SELECT (SELECT md5(string_agg(v::text || o.names, '|' ORDER BY patient_id, recorded_at))
            FROM (SELECT patient_id, recorded_at, heart_rate, temperature, oxygen_saturation, respiratory_rate,
                systolic_pressure, diastolic_pressure, consciousness, supplemental_oxygen, suspect, source_partition,
                source_offset FROM silver.vital_reading) AS v
            JOIN (SELECT patient_id, recorded_at, coalesce(concat_ws('/', facility_id, sector_id, device_id), '-')
                FROM silver.vital_reading LEFT JOIN silver.origin USING (origin_id))
                AS o (patient_id, recorded_at, names) USING (patient_id, recorded_at)),
            (SELECT md5(string_agg(h::text, '|' ORDER BY h::text)) FROM silver.vital_reading_history AS h),
            (SELECT md5(string_agg((topic, partition, "offset", reason, detail, payload, headers)::text, '|'
                ORDER BY topic, partition, "offset")) FROM bronze.dead_letter),
            (SELECT md5(string_agg((consumer_group, topic, partition, first_offset, next_offset, gaps,
                last_message_hash, consumed, inserted, merged, corrected, duplicate, stale, rejected)::text, '|'
                ORDER BY topic, partition)) FROM ops.partition_progress),
            (SELECT count(*) FROM silver.vital_reading), (SELECT count(*) FROM silver.vital_reading_history),
            (SELECT count(*) FROM bronze.dead_letter)
        """

    private static func digest(_ laboratory: Laboratory) throws -> [String?] {
        var connection = try laboratory.connect()
        return try connection.texts(digests)[0]
    }

    @Test func `an older dump in an emptied database, and a start, give the tables of the log again`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 2)
            let before = try laboratory.serve(log, name: "before")
            try laboratory.feed(log, perSecond: 1_000_000, limit: 2_000, patients: 40, seed: 1).awaitEnd()
            try laboratory.awaitPosition(log)
            let dumped = try Self.digest(laboratory)
            let dump = laboratory.directory + "/health.dump"
            try PostgresTools.run("pg_dump", ["-Fc", "-f", dump, "-d", laboratory.databaseURL()])

            // What comes after the dump: new readings, corrections and merges of dumped ones, bad messages.
            try laboratory.feed(log, perSecond: 1_000_000, limit: 2_000, patients: 40, seed: 1).awaitEnd()
            try laboratory.feed(log, perSecond: 1_000_000, limit: 1_000, patients: 40, seed: 2).awaitEnd()
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            let wanted = try Self.digest(laboratory)
            #expect(zip(wanted, dumped).allSatisfy { $0 != $1 }, "every table has changed since the dump")
            try before.stop()

            try laboratory.emptyDatabase()
            try PostgresTools.run(
                "pg_restore", ["--single-transaction", "--exit-on-error", "-d", laboratory.databaseURL(), dump])
            #expect(try Self.digest(laboratory) == dumped, "the restore is the dump")
            let after = try laboratory.serve(log, name: "after")
            try laboratory.awaitPosition(log)
            #expect(try Self.digest(laboratory) == wanted)
            try laboratory.judge(log)
            try laboratory.verify(log)
            // And it goes on.
            try log.send([SentReading(1, WallClock.nowMilliseconds(), ["heartRate": 70])])
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            try after.stop()
        }
    }
}
