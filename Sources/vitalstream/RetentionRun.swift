internal import Postgres
internal import Service

/// One run of retention. Each step commits by itself: whatever stops the run, what went is booked and the rest stands.
struct RetentionRun: ~Copyable {
    private var connection: Connection
    private let isDryRun: Bool
    private var totals: [(table: String, before: String, parts: Int, rows: Int64)] = []

    /// Pages that one transaction looks at: 16 MiB.
    private static let batchPages: Int64 = 2_048
    /// Dead letters that one transaction looks at; it holds the ledger's rows of their partition.
    private static let batchLetters = 2_000

    init(_ connection: consuming Connection, isDryRun: Bool) {
        self.connection = connection
        self.isDryRun = isDryRun
    }

    /// Settings of the session. A lock that is asked for makes everybody wait who comes later.
    mutating func begin() throws(PostgresError) {
        connection.blockingTimeoutMilliseconds = 3_600_000
        try connection.execute("SET lock_timeout = '2s'")
    }

    /// An age of a table that this version drops nothing of: refused where the table is, for who asked would believe
    /// it done; passed over where it is not, so that one command line serves databases with it and without.
    /// - Throws: before anything is changed.
    mutating func passOver(_ flag: String, table: String) throws {
        let isThere = try connection.query("SELECT to_regclass($1) IS NOT NULL", [table]).boolean(0, 0)
        guard isThere else {
            return Console.writeLine("--\(flag): this database has no \(table), so nothing of it is dropped")
        }
        throw CommandFailure(
            "--\(flag): this version cannot drop rows of \(table): leave the flag out; nothing was changed")
    }

    /// History of readings that are gone is in the way when the log is read again: the same correction would write the
    /// same row once more.
    /// - Throws: when the history would be kept longer than the readings; before anything is changed.
    mutating func require(_ history: RetentionAge, notBeyond vitals: RetentionAge) throws {
        let bounds = (try history.bound(&connection), try vitals.bound(&connection))
        guard bounds.0.day < bounds.1.day else { return }
        throw CommandFailure(
            "--history \(history.text) keeps what was replaced in readings that --vitals \(vitals.text) drops: "
                + "give both the same age, or the history a shorter one; nothing was changed")
    }

    // MARK: - Readings

    /// Whole partitions, then rows of the default partition.
    mutating func dropReadings(_ age: RetentionAge) throws {
        let bound = try age.bound(&connection)
        let found = try connection.query(
            """
            SELECT partition_name, quote_ident(partition_name) FROM ops.reading_partition \
            WHERE NOT is_default AND range_to <= $1::timestamptz ORDER BY range_to
            """, [bound.instant])
        let names = (0..<found.rowCount).map { (found.text($0, 0), found.text($0, 1)) }
        var rows: Int64 = 0
        var parts = 0
        // Counted also when a step fails: those before it are done.
        defer { totals.append(("silver.vital_reading", bound.day, parts, rows)) }
        for (name, quoted) in names {
            let isDryRun = isDryRun
            let dropped = try LockPatience.attempt("partition \(name)", &connection) {
                (connection) throws(PostgresError) in
                isDryRun
                    ? try connection.query("SELECT count(*) FROM ONLY silver.\(quoted)").int64(0, 0)
                    : try connection.query(
                        "SELECT ops.drop_reading_partition($1, $2::timestamptz)", [name, bound.instant]
                    ).int64(0, 0)
            }
            say(name, dropped, "dropped")
            rows += dropped
            parts += 1
        }
        let late = try expire("silver.vital_reading", stored: "silver.vital_reading_default", bound)
        guard late > 0 else { return }
        say("vital_reading_default", late, "deleted")
        rows += late
        parts += 1
    }

    // MARK: - Rows in batches

    /// The values that corrections have replaced.
    mutating func expireHistory(_ age: RetentionAge) throws {
        let bound = try age.bound(&connection)
        let rows = try expire("silver.vital_reading_history", stored: "silver.vital_reading_history", bound)
        if rows > 0 { say("vital_reading_history", rows, "deleted") }
        totals.append(("silver.vital_reading_history", bound.day, rows > 0 ? 1 : 0, rows))
    }

    /// One pass through the pages of a table; those that are added meanwhile hold nothing old.
    private mutating func expire(_ table: String, stored: String, _ bound: RetentionBound) throws -> Int64 {
        guard !isDryRun else {
            return try connection.query(
                "SELECT count(*) FROM ONLY \(stored) WHERE recorded_at < $1::timestamptz", [bound.instant]
            ).int64(0, 0)
        }
        let pages = try connection.query(
            "SELECT pg_relation_size($1::regclass) / current_setting('block_size')::bigint", [stored]
        ).int64(0, 0)
        var rows: Int64 = 0
        var run: String?
        var page: Int64 = 0
        while page < pages {
            let parameters = [table, bound.instant, "\(page)", "\(Self.batchPages)", run]
            let (next, deleted) = try LockPatience.attempt(stored, &connection) {
                (connection) throws(PostgresError) in
                let said = try connection.query(
                    """
                    SELECT run, deleted FROM \
                    ops.expire_rows($1, $2::timestamptz, $3::bigint, $4::bigint, $5::bigint)
                    """, parameters)
                return (said.textIfPresent(0, 0), said.int64(0, 1))
            }
            run = next
            rows += deleted
            page += Self.batchPages
        }
        return rows
    }

    // MARK: - Dead letters

    /// Letters by the time they were received, partition by partition.
    mutating func expireDeadLetters(_ age: RetentionAge) throws {
        let bound = try age.bound(&connection)
        let found = try connection.query(
            """
            SELECT topic, partition, min("offset"), max("offset"), count(*) FROM bronze.dead_letter \
            WHERE received_at < $1::timestamptz GROUP BY topic, partition ORDER BY topic, partition
            """, [bound.instant])
        var rows: Int64 = 0
        var parts = 0
        defer { totals.append(("bronze.dead_letter", bound.day, parts, rows)) }
        for row in 0..<found.rowCount {
            let (topic, partition) = (found.text(row, 0), found.text(row, 1))
            let deleted =
                isDryRun
                ? found.int64(row, 4)
                : try expireLetters(topic, partition, found.int64(row, 2)...found.int64(row, 3), bound)
            say("\(TableText.printable(topic))[\(partition)]", deleted, "deleted")
            rows += deleted
            parts += 1
        }
    }

    private mutating func expireLetters(
        _ topic: String, _ partition: String, _ offsets: ClosedRange<Int64>, _ bound: RetentionBound
    ) throws -> Int64 {
        var deleted: Int64 = 0
        var run: String?
        var from: Int64? = offsets.lowerBound
        while let offset = from, offset <= offsets.upperBound {
            let parameters = [topic, partition, bound.instant, "\(offset)", "\(Self.batchLetters)", run]
            let step = try LockPatience.attempt("the ledger of \(topic)[\(partition)]", &connection) {
                (connection) throws(PostgresError) in
                let said = try connection.query(
                    """
                    SELECT run, deleted, next_from FROM \
                    ops.expire_dead_letters($1, $2::integer, $3::timestamptz, $4::bigint, $5::integer, $6::bigint)
                    """, parameters)
                return (run: said.textIfPresent(0, 0), deleted: said.int64(0, 1), next: said.int64IfPresent(0, 2))
            }
            run = step.run
            deleted += step.deleted
            from = step.next
        }
        return deleted
    }

    // MARK: - What it says

    private func say(_ part: String, _ rows: Int64, _ verb: String) {
        Console.writeLine("\(isDryRun ? "would be \(verb)" : verb): \(part), \(rows.grouped) rows")
    }

    /// The sums.
    func report() {
        var table = TableText([("table", .left), ("before", .left), ("parts", .right), ("rows", .right)])
        for total in totals { table.add([total.table, total.before, "\(total.parts)", total.rows.grouped]) }
        if !totals.isEmpty { Console.write(table.text) }
        if isDryRun { Console.writeLine("dry run: nothing was changed") }
    }
}

/// Repeats a statement that commits by itself while its locks are not granted.
enum LockPatience {
    private static let attempts = 12
    private static let longestPause: Duration = .seconds(5)

    /// - Parameter what: what the lock is on, for the error.
    static func attempt<Result>(
        _ what: String, _ connection: inout Connection,
        _ body: (inout Connection) throws(PostgresError) -> Result
    ) throws -> Result {
        var pause = Duration.milliseconds(100)
        for _ in 1..<attempts {
            do throws(PostgresError) { return try body(&connection) } catch {
                guard error.disposition == .retry, !connection.isBroken else { throw error }
            }
            // Whoever waits behind this lock goes first.
            var nothing = PollSet(capacity: 1)
            nothing.wait(until: .after(pause))
            pause = min(pause * 2, longestPause)
        }
        do throws(PostgresError) { return try body(&connection) } catch {
            guard error.disposition == .retry else { throw error }
            throw CommandFailure(
                "\(what) is in use by another session (\(error)): see pg_blocking_pids and pg_stat_activity, then run "
                    + "it again; what was done before is done")
        }
    }
}
