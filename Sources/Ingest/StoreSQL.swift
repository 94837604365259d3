internal import Postgres

/// The statements of a lane's store, one text each.
enum StoreSQL {
    /// Columns of a reading, in the order in which they are written and read.
    static let readingColumns = """
        patient_id, recorded_at, heart_rate, temperature, oxygen_saturation, respiratory_rate, systolic_pressure, \
        diastolic_pressure, consciousness, supplemental_oxygen, suspect, source_partition, source_offset, origin_id
        """

    /// Once per session. Joins are keyed look-ups through the primary key, which only a nested loop does partition by
    /// partition; a hash join would read whole partitions for a few rows.
    static let session = """
        \(Connection.sessionDefaults); SET enable_hashjoin = off; SET enable_mergejoin = off; \
        CREATE TEMPORARY TABLE IF NOT EXISTS stage_change (patient_id uuid, recorded_at timestamptz, \
        \(changeColumns(prefix: "")), \(changeColumns(prefix: "old_"))) ON COMMIT DELETE ROWS; \
        CREATE INDEX IF NOT EXISTS stage_change_time ON stage_change (recorded_at); \
        CREATE TEMPORARY TABLE IF NOT EXISTS stage_dead_letter (topic text, partition integer, "offset" bigint, \
        reason text, detail text, payload bytea, headers jsonb, received_at timestamptz) ON COMMIT DELETE ROWS; \
        SELECT max(number) FROM ops.schema_migration
        """

    /// The newest row of each patient at or after a time: one index probe a patient. $3 is the oldest of the times, a
    /// constant that lets the server leave whole partitions out.
    static let newest = """
        SELECT k.ordinal, r.* FROM unnest($1::uuid[], $2::timestamptz[]) WITH ORDINALITY \
        AS k (patient_id, oldest, ordinal) CROSS JOIN LATERAL (SELECT \(storedColumns) \
        FROM silver.vital_reading AS v WHERE v.patient_id = k.patient_id AND v.recorded_at >= k.oldest \
        AND v.recorded_at >= $3 ORDER BY v.recorded_at DESC LIMIT 1) AS r
        """

    /// The rows stored under keys; $3 and $4 bound their times. LIMIT keeps the planner from turning the join around:
    /// with statistics older than the rows it read the day's partition first, and all keys again for each row.
    static let stored = """
        SELECT k.ordinal, r.* FROM unnest($1::uuid[], $2::timestamptz[]) WITH ORDINALITY \
        AS k (patient_id, recorded_at, ordinal) CROSS JOIN LATERAL (SELECT \(storedColumns) \
        FROM silver.vital_reading AS v WHERE v.patient_id = k.patient_id AND v.recorded_at = k.recorded_at \
        AND v.recorded_at BETWEEN $3 AND $4 LIMIT 1) AS r
        """

    /// Makes the origins that do not exist yet; ids are never changed, so nothing has to be undone.
    static let makeOrigins = """
        INSERT INTO silver.origin (facility_id, sector_id, device_id) \
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING
        """

    /// The ids of origins, each by one probe of their unique index. That index cannot serve `IS NOT DISTINCT FROM`, so
    /// there is a branch for each pattern of absent names; those that do not apply are never executed. (20,000 look-ups
    /// among 20,000 origins: 0.45 s; with one condition for all patterns, a sequential scan each: 190 s.)
    static let originIDs = """
        SELECT k.ordinal, f.origin_id \
        FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k (facility, sector, device, ordinal) \
        CROSS JOIN LATERAL (\((0..<8).map(originBranch).joined(separator: " UNION ALL "))) AS f
        """

    /// The look-up of origins whose names of the bits in `absent` are absent.
    private static func originBranch(absent: Int) -> String {
        let names = [("facility_id", "facility"), ("sector_id", "sector"), ("device_id", "device")]
        let conditions = names.enumerated().map { bit, name in
            absent & (1 << bit) == 0
                ? "o.\(name.0) = k.\(name.1)" : "k.\(name.1) IS NULL AND o.\(name.0) IS NULL"
        }
        return "SELECT o.origin_id FROM silver.origin AS o WHERE " + conditions.joined(separator: " AND ")
    }

    /// Who owns the partitions of a group.
    static let ownership = """
        SELECT p.topic, p.partition, p.epoch, p.owner FROM unnest($2::text[], $3::integer[]) AS k (topic, partition) \
        JOIN ops.partition_progress AS p \
        ON p.consumer_group = $1 AND p.topic = k.topic AND p.partition = k.partition
        """

    static let copyReadings = "COPY silver.vital_reading (\(readingColumns)) FROM STDIN (FORMAT binary)"
    static let copyChanges = "COPY stage_change FROM STDIN (FORMAT binary)"
    static let copyReplacements = """
        COPY silver.vital_reading_history (patient_id, recorded_at, heart_rate, temperature, oxygen_saturation, \
        respiratory_rate, systolic_pressure, diastolic_pressure, consciousness, supplemental_oxygen, \
        replaced_by_partition, replaced_by_offset) FROM STDIN (FORMAT binary)
        """
    /// Another group's reading of the same message has left the same letter: it adds none.
    static let copyDeadLetters = "COPY stage_dead_letter FROM STDIN (FORMAT binary)"
    static let keepDeadLetters = """
        INSERT INTO bronze.dead_letter (topic, partition, "offset", reason, detail, payload, headers, received_at) \
        SELECT * FROM stage_dead_letter ON CONFLICT DO NOTHING
        """

    /// A text as an SQL literal; the sessions have standard_conforming_strings on.
    static func literal(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    private static let storedColumns = """
        v.patient_id, v.recorded_at, v.heart_rate, v.temperature, v.oxygen_saturation, v.respiratory_rate, \
        v.systolic_pressure, v.diastolic_pressure, v.consciousness, v.supplemental_oxygen, v.source_partition, \
        v.source_offset, v.origin_id
        """

    private static func changeColumns(prefix: String) -> String {
        """
        \(prefix)heart_rate real, \(prefix)temperature real, \(prefix)oxygen_saturation real, \
        \(prefix)respiratory_rate real, \(prefix)systolic_pressure real, \(prefix)diastolic_pressure real, \
        \(prefix)consciousness "char", \(prefix)supplemental_oxygen boolean, \(prefix)suspect smallint, \
        \(prefix)source_partition integer, \(prefix)source_offset bigint, \(prefix)origin_id integer
        """
    }
}
