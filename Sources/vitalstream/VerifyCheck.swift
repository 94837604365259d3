internal import Kafka
internal import Postgres

/// One equation that has to hold, as numbers.
struct VerifyCheck {
    /// What it is about: `group topic[partition]`, or `all groups`.
    let scope: String
    /// The equation, left side first.
    let name: String
    /// What the right side gives.
    let expected: Int64
    /// What the left side is.
    let actual: Int64

    /// Whether it holds.
    var holds: Bool { expected == actual }

    /// The table of all checks, for standard output.
    static func table(_ checks: [VerifyCheck]) -> String {
        var table = TableText([
            ("about", .left), ("check", .left), ("expected", .right), ("actual", .right), ("verdict", .left),
        ])
        for check in checks {
            table.add([
                check.scope, check.name, "\(check.expected)", "\(check.actual)", check.holds ? "ok" : "DIFFERS",
            ])
        }
        return table.text
    }
}

/// The books of one snapshot: the ledger, and what it has to agree with.
struct VerifyBooks {
    /// Every partition of every group.
    var ledger: [LedgerRow]
    /// Rows of `silver.vital_reading`.
    var storedRows: Int64
    /// Rows of `silver.vital_reading_history`.
    var historyRows: Int64
    /// Rows that retention has booked as dropped, of the two tables.
    var droppedRows: Int64
    var droppedHistoryRows: Int64
    /// The topic whose messages become no readings.
    var patientFlowTopic: String

    /// Begins the transaction that is the snapshot. Partitions are locked before it is taken: one that retention drops
    /// after it would be missing from the count without a line in the books that the snapshot sees.
    static func snapshot(_ connection: consuming Connection) throws(PostgresError) -> Transaction {
        var snapshot = try Transaction.begin(connection, .snapshot)
        try snapshot.connection.execute("LOCK TABLE silver.vital_reading IN ACCESS SHARE MODE")
        return snapshot
    }

    /// Reads them. The caller's transaction is the snapshot.
    static func read(
        _ connection: inout Connection, patientFlowTopic: String
    ) throws(PostgresError) -> VerifyBooks {
        let ledger = try LedgerRow.read(&connection)
        let counts = try connection.query(
            """
            SELECT (SELECT count(*) FROM silver.vital_reading), (SELECT count(*) FROM silver.vital_reading_history), \
            (SELECT coalesce(sum(dropped_rows), 0)::bigint FROM ops.retention_run \
            WHERE table_name IN ('silver.vital_reading', 'vital_reading')), \
            (SELECT coalesce(sum(dropped_rows), 0)::bigint FROM ops.retention_run \
            WHERE table_name IN ('silver.vital_reading_history', 'vital_reading_history'))
            """)
        return VerifyBooks(
            ledger: ledger, storedRows: counts.int64(0, 0), historyRows: counts.int64(0, 1),
            droppedRows: counts.int64(0, 2), droppedHistoryRows: counts.int64(0, 3),
            patientFlowTopic: patientFlowTopic)
    }

    /// The ledger's rows whose messages become readings: all but those of patient flow, whose inserted are events. A
    /// topic that was read under another name stays among them.
    var vitals: [LedgerRow] { ledger.filter { $0.partition.topic != patientFlowTopic } }

    /// The checks of the contract, "The ledger".
    ///
    /// Each correction writes one row of history and nothing else does: a jump leaves `corrected` alone, a message read
    /// again is stale or a duplicate (unless retention has dropped reading and history: then both come again, and are
    /// counted again), and a retried letter never corrects. So that equation can be judged always.
    func checks() -> [VerifyCheck] {
        var checks: [VerifyCheck] = []
        for row in ledger {
            let scope = "\(row.group) \(row.partition)"
            checks.append(
                VerifyCheck(
                    scope: scope, name: "consumed = next_offset - first_offset - gaps",
                    expected: row.nextOffset - row.firstOffset - row.gaps, actual: row.consumed))
            checks.append(
                VerifyCheck(
                    scope: scope, name: "consumed = the sum of the six classes", expected: row.classes.sum,
                    actual: row.consumed))
            checks.append(
                VerifyCheck(
                    scope: scope, name: "rejected = dead letters in the range, not retried", expected: row.deadLetters,
                    actual: row.classes.rejected))
            let negative = row.classes.named.filter { $0.count < 0 }.count
            checks.append(
                VerifyCheck(scope: scope, name: "classes below zero", expected: 0, actual: Int64(negative)))
        }
        let inserted = vitals.reduce(0) { $0 + $1.classes.inserted }
        let corrected = vitals.reduce(0) { $0 + $1.classes.corrected }
        checks.append(
            VerifyCheck(
                scope: "all groups", name: "rows of vital_reading = inserted - dropped",
                expected: inserted - droppedRows, actual: storedRows))
        checks.append(
            VerifyCheck(
                scope: "all groups", name: "rows of vital_reading_history = corrected - dropped",
                expected: corrected - droppedHistoryRows, actual: historyRows))
        return checks
    }
}
