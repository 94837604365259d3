internal import Ingest
internal import Kafka
internal import Postgres
internal import VitalSigns

/// Writes accepted letters of one partition: rows, ledger, letters, retries, inside the caller's transaction.
struct DeadLetterStore {
    /// A letter that passes today.
    struct Accepted {
        var reading: Reading
        var origin: OriginNames?
        /// Why it was a letter.
        var formerReason: String
    }

    /// What became of it.
    struct Outcome {
        var offset: Int64
        var formerReason: String
        var verdict: Verdict
    }

    let partition: TopicPartition

    // MARK: - Rows

    /// Applies the letters in offset order; their values never replace a stored one.
    func store(
        _ letters: [Accepted], _ connection: inout Connection
    ) throws(PostgresError) -> [Outcome] {
        var readings: [Reading] = []
        for letter in letters {
            var reading = letter.reading
            if let names = letter.origin { reading.origin = try originID(names, &connection) }
            readings.append(reading)
        }
        let rows = LogFoldRows(.key)
        try readStored(readings, &connection, into: rows)
        let storedCount = rows.count
        var changed: Set<Int> = []
        var outcomes: [Outcome] = []
        for (letter, reading) in zip(letters, readings) {
            var outcome = Outcome(offset: reading.offset, formerReason: letter.formerReason, verdict: .inserted)
            if let index = rows.find(reading) {
                let applied = rows.pointer(at: index).pointee.apply(reading, neverCorrects: true)
                outcome.verdict = applied.verdict
                if applied.changedRow { changed.insert(index) }
            } else {
                rows.append(reading)
            }
            outcomes.append(outcome)
        }
        let inserts = (storedCount..<rows.count).map { rows.pointer(at: $0).pointee }
        let updates = changed.sorted().filter { $0 < storedCount }.map { rows.pointer(at: $0).pointee }
        try write(inserts, Self.insert, &connection)
        try write(updates, Self.update, &connection)
        return outcomes
    }

    /// The rows under the letters' keys, locked. Lanes of other partitions may write to a patient's row as well.
    private func readStored(
        _ readings: [Reading], _ connection: inout Connection, into rows: LogFoldRows
    ) throws(PostgresError) {
        let keys = LogFoldRows(.key)
        var patients = BinaryArrayEncoder(elementType: .uuid)
        var times = BinaryArrayEncoder(elementType: .timestamp)
        for reading in readings where keys.find(reading) == nil {
            keys.append(reading)
            patients.append(uuidHigh: reading.patientHigh, low: reading.patientLow)
            times.append(milliseconds: reading.time)
        }
        let found = try connection.query(
            Self.select,
            parameters: [
                patients.parameter(), times.parameter(), .timestamp(milliseconds: readings.map(\.time).min() ?? 0),
                .timestamp(milliseconds: readings.map(\.time).max() ?? 0),
            ])
        for row in 0..<found.rowCount {
            var stored = TableReading(found, row: row, from: 0)
            stored.reading.origin = stored.originID ?? 0
            rows.append(stored.reading)
        }
    }

    private func originID(_ names: OriginNames, _ connection: inout Connection) throws(PostgresError) -> Int32 {
        let texts = [names.facility, names.sector, names.device]
        _ = try connection.query(
            "INSERT INTO silver.origin (facility_id, sector_id, device_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            texts)
        // Their index cannot serve IS NOT DISTINCT FROM.
        let conditions = zip(["facility_id", "sector_id", "device_id"], texts).enumerated().map { place, name in
            // Each parameter has to stand somewhere, also that of an absent name.
            name.1 == nil
                ? "\(name.0) IS NULL AND $\(place + 1)::text IS NULL" : "\(name.0) = $\(place + 1)::text"
        }
        let found = try connection.query(
            "SELECT origin_id FROM silver.origin WHERE " + conditions.joined(separator: " AND "), texts)
        return Int32(truncatingIfNeeded: found.int64(0, 0))
    }

    /// One statement for all rows; another writer's row in the way is a conflict, and the chunk starts again.
    private func write(
        _ rows: [Reading], _ sql: String, _ connection: inout Connection
    ) throws(PostgresError) {
        if rows.isEmpty { return }
        let written = try connection.query(sql, parameters: Self.arrays(rows)).affectedRows
        guard written == rows.count else {
            throw PostgresError(.server(.changedMeanwhile), "another writer changed a row meanwhile")
        }
    }

    /// The columns of `TableReading.columns`, each an array.
    private static func arrays(_ rows: [Reading]) -> [Parameter] {
        func texts(_ text: (Reading) -> String?) -> Parameter {
            var encoder = BinaryArrayEncoder(elementType: .text)
            for row in rows {
                if let text = text(row) { encoder.append(bytes: text.utf8) } else { encoder.appendNull() }
            }
            return encoder.parameter()
        }
        var patients = BinaryArrayEncoder(elementType: .uuid)
        var times = BinaryArrayEncoder(elementType: .timestamp)
        for row in rows {
            patients.append(uuidHigh: row.patientHigh, low: row.patientLow)
            times.append(milliseconds: row.time)
        }
        var arrays = [patients.parameter(), times.parameter()]
        for index in 0..<Reading.numericCount {
            // The shortest text that reads back as the same Float.
            arrays.append(texts { $0.presence & (1 << UInt8(index)) != 0 ? "\($0.values[index])" : nil })
        }
        let letters = ["", "A", "C", "V", "P", "U", "", ""]
        arrays.append(
            texts {
                $0.presence & Reading.consciousnessBit == 0
                    ? nil : letters[Int($0.categorical & Reading.consciousnessMask)]
            })
        arrays.append(
            texts {
                $0.presence & Reading.supplementalOxygenBit == 0
                    ? nil : $0.categorical & Reading.supplementalOxygenValue != 0 ? "true" : "false"
            })
        arrays.append(texts { "\(Limits.suspectMask(values: $0.values, presence: $0.presence))" })
        arrays.append(texts { "\($0.partition)" })
        arrays.append(texts { "\($0.offset)" })
        arrays.append(texts { $0.origin == 0 ? nil : "\($0.origin)" })
        return arrays
    }

    // MARK: - Books

    /// Moves the counts, removes the letters, leaves their lines. Every group that counted a letter as rejected now
    /// counts it otherwise and gets a line: ours under its class, others as a duplicate of what is stored. All are
    /// fenced, so that whoever remembers rows drops them.
    func book(
        _ outcomes: [Outcome], _ ledger: [LedgerRow], group: String, _ connection: inout Connection
    ) throws(PostgresError) {
        let offsets = Self.array(outcomes.map(\.offset))
        let place: [Parameter] = [.text(partition.topic), .int32(partition.partition)]
        let lines = try connection.query(
            "SELECT consumer_group, \"offset\" FROM ops.dead_letter_retry "
                + "WHERE topic = $1 AND partition = $2 AND \"offset\" = ANY ($3)", parameters: place + [offsets])
        var retried: [String: Set<Int64>] = [:]
        for row in 0..<lines.rowCount { retried[lines.text(row, 0), default: []].insert(lines.int64(row, 1)) }
        for row in ledger {
            var counted = outcomes.filter { outcome in
                row.range.contains(outcome.offset) && retried[row.group]?.contains(outcome.offset) != true
            }
            if row.group != group {
                for index in counted.indices { counted[index].verdict = .duplicate }
                // A group that accepted a message by its own settings never counted it as rejected.
                let surplus = row.classes.rejected - (row.deadLetters - Int64(counted.count))
                counted = Array(counted.prefix(Int(max(0, surplus))))
            }
            if !counted.isEmpty { try move(counted, row, &connection) }
        }
        _ = try connection.query(
            "DELETE FROM bronze.dead_letter WHERE topic = $1 AND partition = $2 AND \"offset\" = ANY ($3)",
            parameters: place + [offsets])
    }

    /// Moves letters of one group from `rejected` to their classes.
    private func move(
        _ outcomes: [Outcome], _ row: LedgerRow, _ connection: inout Connection
    ) throws(PostgresError) {
        let settled = Int64(outcomes.filter { $0.offset < row.settledBefore }.count)
        var classes = LedgerClasses()
        var reasons = BinaryArrayEncoder(elementType: .text)
        var verdicts = BinaryArrayEncoder(elementType: .text)
        for outcome in outcomes {
            classes.count(outcome.verdict)
            reasons.append(bytes: outcome.formerReason.utf8)
            verdicts.append(bytes: "\(outcome.verdict)".utf8)
        }
        let counts = [
            classes.inserted, classes.merged, classes.corrected, classes.duplicate, classes.stale, classes.sum,
        ]
        let place: [Parameter] = [.text(row.group), .text(partition.topic), .int32(partition.partition)]
        _ = try connection.query(
            """
            UPDATE ops.partition_progress SET inserted = inserted + $4, merged = merged + $5, \
            corrected = corrected + $6, duplicate = duplicate + $7, stale = stale + $8, rejected = rejected - $9, \
            settled_letters = greatest(0, settled_letters - $10), epoch = epoch + 1, owner = NULL, updated_at = now() \
            WHERE consumer_group = $1 AND topic = $2 AND partition = $3
            """, parameters: place + (counts + [settled]).map { .int64($0) })
        _ = try connection.query(
            """
            INSERT INTO ops.dead_letter_retry (consumer_group, topic, partition, "offset", reason, outcome) \
            SELECT $1, $2, $3, k.* FROM unnest($4::bigint[], $5::text[], $6::text[]) AS k
            """, parameters: place + [Self.array(outcomes.map(\.offset)), reasons.parameter(), verdicts.parameter()])
    }

    private static func array(_ offsets: [Int64]) -> Parameter {
        var encoder = BinaryArrayEncoder(elementType: .int8)
        for offset in offsets { encoder.append(offset) }
        return encoder.parameter()
    }

    // MARK: - Statements

    private static let given = """
        unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], \
        $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[]) \
        AS k (patient, instant, heart, temperature, saturation, respiration, systolic, diastolic, consciousness, \
        oxygen, suspect, partition, place, origin)
        """

    private static let select = """
        SELECT \(TableReading.columns) FROM silver.vital_reading AS v WHERE (v.patient_id, v.recorded_at) IN \
        (SELECT k.* FROM unnest($1::uuid[], $2::timestamptz[]) AS k) AND v.recorded_at BETWEEN $3 AND $4 \
        ORDER BY v.patient_id, v.recorded_at FOR UPDATE OF v
        """

    private static let insert = """
        INSERT INTO silver.vital_reading (\(TableReading.columns)) \
        SELECT k.patient, k.instant, k.heart::real, k.temperature::real, k.saturation::real, k.respiration::real, \
        k.systolic::real, k.diastolic::real, k.consciousness::"char", k.oxygen::boolean, k.suspect::smallint, \
        k.partition::integer, k.place::bigint, k.origin::integer FROM \(given) \
        ORDER BY k.patient, k.instant ON CONFLICT DO NOTHING
        """

    private static let update = """
        UPDATE silver.vital_reading AS v SET heart_rate = k.heart::real, temperature = k.temperature::real, \
        oxygen_saturation = k.saturation::real, respiratory_rate = k.respiration::real, \
        systolic_pressure = k.systolic::real, diastolic_pressure = k.diastolic::real, \
        consciousness = k.consciousness::"char", supplemental_oxygen = k.oxygen::boolean, \
        suspect = k.suspect::smallint, source_partition = k.partition::integer, source_offset = k.place::bigint, \
        origin_id = k.origin::integer FROM \(given) WHERE v.patient_id = k.patient AND v.recorded_at = k.instant
        """
}
