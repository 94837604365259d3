internal import Postgres
internal import Service

/// What is due now and then and belongs to no lane: migrating at the start, daily partitions ahead of time.
///
/// A thread of its own with a connection of its own that is open only while something is due. The lanes wait by
/// themselves for the schema; nothing waits for this thread.
final class Housekeeping: Sendable {
    private let thread: ServiceThread

    /// Days of partitions kept ready before and after today.
    static let partitionDays = (behind: 2, ahead: 7)
    private static let interval: Duration = .seconds(600)
    private static let longestPause: Duration = .seconds(10)

    init(_ settings: ResolvedSettings, stop: StopFlag, log: Log) throws(SystemError) {
        let wake = try WakeEvent()
        stop.wake(wake)
        let databaseURL = settings.string("DATABASE_URL")
        let migrates = settings.flag("MIGRATE")
        thread = try ServiceThread(name: "housekeeping") {
            Self.run(databaseURL, migrates: migrates, stop: stop, wake: wake, log: log)
        }
    }

    func join(within limit: Duration) -> Bool { thread.join(within: limit) }

    private static func run(_ databaseURL: String, migrates: Bool, stop: StopFlag, wake: WakeEvent, log: Log) {
        var poll = PollSet(capacity: 1)
        poll.set(0, wake.descriptor, read: true)
        var hasMigrated = !migrates
        var pause = Duration.milliseconds(200)
        while !stop.isSet {
            var next = interval
            do {
                var connection = try Connection.open(databaseURL, applicationName: "vitalstream housekeeping")
                if !hasMigrated {
                    let applied = try ProductSchema.migrator.migrate(&connection)
                    for migration in applied {
                        log.info(
                            "migration applied", .field("number", migration.number), .field("name", migration.name))
                    }
                    hasMigrated = true
                }
                try makePartitions(&connection, log)
                try watchDefaultPartition(&connection, log)
                pause = .milliseconds(200)
            } catch {
                // The database was made anew, or restored from before a migration.
                if lacksSchema(error) { hasMigrated = !migrates }
                log.warning(
                    hasMigrated
                        ? "housekeeping has to wait" : "the schema is not up to date yet: waiting",
                    .field("reason", remedy(error, databaseURL)), every: .seconds(60), key: "\(error)")
                next = pause
                pause = min(pause * 2, longestPause)
            }
            if !stop.isSet { _ = poll.wait(until: .after(next)) }
        }
    }

    private static func makePartitions(_ connection: inout Connection, _ log: Log) throws {
        // A transaction a day: attaching one locks the default partition while it is searched for that day's rows.
        var count: Int64 = 0
        for day in -partitionDays.behind...partitionDays.ahead {
            let made = try connection.query(
                """
                SELECT silver.make_partitions((now() AT TIME ZONE 'UTC')::date + $1::integer, \
                (now() AT TIME ZONE 'UTC')::date + $1::integer)
                """, ["\(day)"])
            count += made.int64(0, 0)
        }
        if count > 0 { log.info("daily partitions made ahead", .field("count", count)) }
    }

    /// Readings of days without a partition are found as well, but retention cannot drop them as a whole, and the day
    /// cannot be given its partition as long as they stand there.
    private static func watchDefaultPartition(_ connection: inout Connection, _ log: Log) throws {
        let found = try connection.query(
            """
            SELECT EXISTS (SELECT FROM ONLY silver.vital_reading_default), estimated_rows \
            FROM ops.reading_partition WHERE is_default
            """)
        guard found.rowCount > 0, found.boolean(0, 0) else { return }
        log.warning(
            "readings stand in the default partition: vitalstream partitions --empty-default moves them",
            .field("estimated_rows", found.int64(0, 1)), every: .seconds(3_600), key: "default partition")
    }

    /// Whether a table, a column, a function or a whole schema is not there.
    private static func lacksSchema(_ error: any Error) -> Bool {
        let states: [SQLState] = ["42P01", "3F000", "42883", "42703"]
        return postgresError(in: error)?.sqlState.map(states.contains) ?? false
    }

    private static func postgresError(in error: any Error) -> PostgresError? {
        error as? PostgresError ?? (error as? MigrationError)?.postgresError
    }

    /// The cause, and what to do where that is known.
    private static func remedy(_ error: any Error, _ databaseURL: String) -> String {
        let cause = postgresError(in: error)
        if let cause, let diagnosis = Connection.explain(cause, databaseURL: databaseURL, within: .seconds(1)) {
            return "\(diagnosis)"
        }
        return cause?.sqlState == .insufficientPrivilege ? "\(error): run vitalstream migrate as the owner" : "\(error)"
    }
}
