import Postgres

/// What the database holds, read as text, in the words of the naive fold.
struct DatabaseState {
    private(set) var rows: [NaiveFold.Key: NaiveFold.Row] = [:]
    private(set) var history: [NaiveFold.Replacement] = []
    private(set) var counts: [Int: NaiveFold.Counts] = [:]
    private(set) var letters: [String: String] = [:]

    /// Column and field of each vital sign.
    private static let vitals = [
        ("heart_rate", "heartRate"), ("temperature", "temperature"), ("oxygen_saturation", "oxygenSaturation"),
        ("respiratory_rate", "respiratoryRate"), ("systolic_pressure", "systolicPressure"),
        ("diastolic_pressure", "diastolicPressure"), ("consciousness", "consciousness"),
        ("supplemental_oxygen", "supplementalOxygen"),
    ]

    /// Reads all of it in one snapshot.
    /// - Parameter group: the consumer group whose ledger is read.
    init(_ connection: inout Connection, group: String, topic: String) throws {
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        try readRows(&connection)
        try readHistory(&connection)
        let ledger = try connection.query(
            """
            SELECT partition, inserted, merged, corrected, duplicate, stale, rejected FROM ops.partition_progress
            WHERE consumer_group = $1 AND topic = $2
            """, [group, topic])
        for row in 0..<ledger.rowCount {
            counts[Int(ledger.int64(row, 0))] = NaiveFold.Counts(
                inserted: Int(ledger.int64(row, 1)), merged: Int(ledger.int64(row, 2)),
                corrected: Int(ledger.int64(row, 3)), duplicate: Int(ledger.int64(row, 4)),
                stale: Int(ledger.int64(row, 5)), rejected: Int(ledger.int64(row, 6)))
        }
        let dead = try connection.query(
            "SELECT partition::text || '/' || \"offset\", reason FROM bronze.dead_letter WHERE topic = $1", [topic])
        for row in 0..<dead.rowCount { letters[dead.text(row, 0)] = dead.text(row, 1) }
        try connection.execute("COMMIT")
    }

    private mutating func readRows(_ connection: inout Connection) throws {
        let columns = Self.vitals.map { "v.\($0.0)::text" }.joined(separator: ", ")
        let found = try connection.query(
            """
            SELECT v.patient_id::text, (extract(epoch FROM v.recorded_at) * 1000)::bigint, v.suspect,
                v.source_partition, v.source_offset, v.origin_id IS NULL, o.facility_id, o.sector_id, o.device_id,
                \(columns) FROM silver.vital_reading AS v LEFT JOIN silver.origin AS o USING (origin_id)
            """)
        for row in 0..<found.rowCount {
            let key = NaiveFold.Key(patient: found.text(row, 0), time: found.int64(row, 1))
            rows[key] = NaiveFold.Row(
                vitals: Self.values(found, row, from: 9), suspect: Int(found.int64(row, 2)),
                partition: Int(found.int64(row, 3)), offset: found.int64(row, 4),
                origin: found.boolean(row, 5) ? nil : (6...8).map { found.textIfPresent(row, $0) })
        }
    }

    private mutating func readHistory(_ connection: inout Connection) throws {
        let columns = Self.vitals.map { "\($0.0)::text" }.joined(separator: ", ")
        let found = try connection.query(
            """
            SELECT patient_id::text, (extract(epoch FROM recorded_at) * 1000)::bigint, replaced_by_partition,
                replaced_by_offset, \(columns) FROM silver.vital_reading_history
            """)
        for row in 0..<found.rowCount {
            history.append(
                NaiveFold.Replacement(
                    key: NaiveFold.Key(patient: found.text(row, 0), time: found.int64(row, 1)),
                    partition: Int(found.int64(row, 2)), offset: found.int64(row, 3),
                    values: Self.values(found, row, from: 4).map { "\($0.key)=\($0.value)" }.sorted()))
        }
        history.sort()
    }

    private static func values(_ found: borrowing ResultSet, _ row: Int, from first: Int) -> [String: VitalValue] {
        var values: [String: VitalValue] = [:]
        for (index, vital) in vitals.enumerated() {
            guard let text = found.textIfPresent(row, first + index) else { continue }
            switch vital.1 {
            case "consciousness": values[vital.1] = .letter(text)
            case "supplementalOxygen": values[vital.1] = .truth(text == "true")
            default: values[vital.1] = Float(text).map { .number($0) }
            }
        }
        return values
    }

    /// The first differences between what is stored and what should be; empty when there are none.
    func differences(from wanted: NaiveFold) -> [String] {
        var found: [String] = []
        for key in Set(rows.keys).union(wanted.rows.keys).sorted() where rows[key] != wanted.rows[key] {
            found.append(
                "row \(key): \(Self.text(rows[key])), wanted \(Self.text(wanted.rows[key]))")
        }
        let stored = Set(history)
        let due = Set(wanted.history)
        found += stored.subtracting(due).sorted().map { "history has \($0)" }
        found += due.subtracting(stored).sorted().map { "history lacks \($0)" }
        if stored.count != history.count { found.append("history repeats itself") }
        for partition in Set(counts.keys).union(wanted.counts.keys).sorted() {
            let mine = counts[partition, default: NaiveFold.Counts()]
            let theirs = wanted.counts[partition, default: NaiveFold.Counts()]
            if mine != theirs { found.append("ledger of \(partition): \(mine), wanted \(theirs)") }
        }
        for place in Set(letters.keys).union(wanted.letters.keys).sorted() where letters[place] != wanted.letters[place]
        {
            found.append(
                "dead letter \(place): \(letters[place] ?? "none"), wanted \(wanted.letters[place] ?? "none")")
        }
        return found.count > 12 ? found.prefix(12) + ["and \(found.count - 12) more"] : found
    }

    private static func text(_ row: NaiveFold.Row?) -> String {
        row.map { "\($0)" } ?? "none"
    }
}

extension Connection {
    /// All rows of a query, as text.
    mutating func texts(_ sql: String) throws(PostgresError) -> [[String?]] {
        let found = try query(sql)
        var rows: [[String?]] = []
        for row in 0..<found.rowCount { rows.append((0..<found.columnCount).map { found.textIfPresent(row, $0) }) }
        return rows
    }
}
