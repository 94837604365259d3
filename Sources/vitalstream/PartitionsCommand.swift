internal import Postgres
internal import Service

/// `vitalstream partitions`: the daily partitions of readings, and what stands outside them.
enum PartitionsCommand {
    static func run(_ settings: ResolvedSettings) -> Int32 {
        CommandRun.run("partitions", settings) {
            var connection = try Connection.open(
                settings.string("DATABASE_URL"), applicationName: "vitalstream partitions")
            connection.blockingTimeoutMilliseconds = 3_600_000
            let ahead = settings.optionalInteger("ahead")
            if let ahead { try makeAhead(ahead, &connection) }
            if settings.flag("empty-default") {
                try emptyDefault(mostDays: settings.integer("most-days"), &connection)
            } else if ahead == nil {
                try list(&connection)
            }
            return 0
        }
    }

    // MARK: - Listing

    private static func list(_ connection: inout Connection) throws(PostgresError) {
        let found = try connection.query(
            """
            SELECT partition_name, coalesce(to_char(range_from AT TIME ZONE 'UTC', 'YYYY-MM-DD'), '-'), \
            coalesce(to_char(range_to AT TIME ZONE 'UTC', 'YYYY-MM-DD'), '-'), estimated_rows, \
            pg_size_pretty(total_bytes) FROM ops.reading_partition ORDER BY is_default, range_from
            """)
        var table = TableText([
            ("partition", .left), ("from", .left), ("to", .left), ("rows (estimate)", .right), ("size", .right),
        ])
        for row in 0..<found.rowCount {
            table.add([
                found.text(row, 0), found.text(row, 1), found.text(row, 2), found.int64(row, 3).grouped,
                found.text(row, 4),
            ])
        }
        Console.write(table.text)
        let days = try DefaultPartition.days(&connection)
        guard !days.isEmpty else { return Console.writeLine("the default partition is empty") }
        var outside = TableText([("day in the default partition", .left), ("rows", .right)])
        for day in days { outside.add([day.day, day.rows.grouped]) }
        Console.write("\n" + outside.text)
        let rows = days.reduce(0) { $0 + $1.rows }
        Console.writeLine(
            "\(rows.grouped) rows of \(days.count) days stand in the default partition: "
                + "vitalstream partitions --empty-default moves them")
    }

    // MARK: - Making

    private static func makeAhead(_ days: Int, _ connection: inout Connection) throws {
        let made = try LockPatience.attempt("silver.vital_reading", &connection) {
            (connection) throws(PostgresError) in
            let said = try connection.query(
                """
                SELECT silver.make_partitions(today, today + $1::integer), to_char(today + $1::integer, 'YYYY-MM-DD') \
                FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS t
                """, ["\(days)"])
            return (count: said.int64(0, 0), last: said.text(0, 1))
        }
        Console.writeLine("made \(made.count) partitions; they reach to \(made.last)")
        let missing = try connection.query(
            """
            SELECT count(*) FROM generate_series(0, $1::integer) AS n WHERE NOT EXISTS (\
            SELECT FROM ops.reading_partition WHERE range_from = \
            ((now() AT TIME ZONE 'UTC')::date + n)::timestamp AT TIME ZONE 'UTC')
            """, ["\(days)"]
        ).int64(0, 0)
        guard missing > 0 else { return }
        throw CommandFailure(
            "\(missing) of these days have rows in the default partition already, and no partition: "
                + "run vitalstream partitions --empty-default")
    }

    // MARK: - Emptying

    private static func emptyDefault(mostDays: Int, _ connection: inout Connection) throws {
        try connection.execute("SET lock_timeout = '2s'")
        let days = try DefaultPartition.days(&connection)
        guard !days.isEmpty else { return Console.writeLine("the default partition is empty") }
        let chosen = days.sorted { ($0.rows, $1.day) > ($1.rows, $0.day) }.prefix(mostDays).map(\.day).sorted()
        var rows: Int64 = 0
        for day in chosen {
            let start = MonotonicTime.now()
            let moved = try LockPatience.attempt("silver.vital_reading", &connection) {
                (connection) throws(PostgresError) in
                try connection.query("SELECT silver.empty_default($1::date)", [day]).int64(0, 0)
            }
            rows += moved
            Console.writeLine(
                "\(day): \(moved.grouped) rows moved into a partition of their own, "
                    + "\((MonotonicTime.now() - start).wholeMilliseconds) ms")
        }
        Console.writeLine("moved \(rows.grouped) rows of \(chosen.count) days")
        let left = try DefaultPartition.days(&connection)
        guard !left.isEmpty else { return Console.writeLine("the default partition is empty") }
        Console.writeLine(
            "\(left.reduce(0) { $0 + $1.rows }.grouped) rows of \(left.count) days stay in the default partition; "
                + "--most-days is \(mostDays)")
    }
}

/// What stands in the default partition.
private enum DefaultPartition {
    /// Its rows by UTC day, `2026-01-31`. Reads all of it.
    static func days(_ connection: inout Connection) throws(PostgresError) -> [(day: String, rows: Int64)] {
        let found = try connection.query(
            """
            SELECT to_char(date_trunc('day', recorded_at, 'UTC') AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, count(*) \
            FROM ONLY silver.vital_reading_default GROUP BY 1 ORDER BY 1
            """)
        return (0..<found.rowCount).map { (found.text($0, 0), found.int64($0, 1)) }
    }
}
