internal import Postgres
internal import Service

/// What `check` asks the database.
struct CheckDatabase: Sendable {
    let databaseURL: String
    private let shownURL: String
    private let migrates: Bool

    private static let leastVersion = 150_000
    /// Of each answer; a few questions are asked.
    private static let answerMilliseconds: Int32 = 4_000

    init(_ settings: ResolvedSettings) {
        databaseURL = settings.string("DATABASE_URL")
        shownURL = databaseURL.isEmpty ? "libpq's own settings (PG*)" : SecretMask.connectionString(databaseURL)
        migrates = settings.flag("MIGRATE")
    }

    /// Asks one thing after the other.
    func run(_ report: CheckReport) {
        var connection: Connection
        do throws(PostgresError) {
            connection = try Connection.open(databaseURL, applicationName: "vitalstream check")
        } catch {
            let diagnosis = Connection.explain(error, databaseURL: databaseURL)
            report.add(
                .failure, "database", diagnosis?.cause ?? "\(shownURL): \(error)",
                remedy: diagnosis?.remedy ?? Self.remedy(error))
            return
        }
        connection.blockingTimeoutMilliseconds = Self.answerMilliseconds
        do throws(PostgresError) {
            try checkServer(&connection, report)
            checkEncryption(connection, report)
            try checkClock(&connection, report)
            try checkRoom(&connection, report)
            try checkRole(&connection, report)
            let rights = try MigrationRights(&connection)
            guard checkSchema(&connection, rights, report) else { return }
            try checkWriting(&connection, report)
            try checkPartitions(&connection, report)
        } catch {
            report.add(.failure, "database", "a question was not answered: \(error)", remedy: Self.remedy(error))
        }
    }

    private func checkServer(_ connection: inout Connection, _ report: CheckReport) throws(PostgresError) {
        let said = try connection.query(
            "SELECT current_setting('server_version'), pg_is_in_recovery(), current_setting('transaction_read_only')")
        let version = "PostgreSQL \(said.text(0, 0)), \(connection.summary)"
        if connection.serverVersion < Self.leastVersion {
            report.add(.failure, "database", "\(version): too old", remedy: "use PostgreSQL 15 or later")
        } else {
            report.add(.fine, "database", version)
        }
        if said.boolean(0, 1) {
            report.add(
                .failure, "database", "it is a standby, which takes no writes",
                remedy: "name the primary in DATABASE_URL, or all hosts with target_session_attrs=read-write")
        } else if said.text(0, 2) == "on" {
            report.add(
                .failure, "database", "sessions are read-only",
                remedy: "see default_transaction_read_only of the server, the database and the role")
        }
    }

    /// Whether the schema is there and as this program knows it, so that more can be asked.
    private func checkSchema(
        _ connection: inout Connection, _ rights: MigrationRights, _ report: CheckReport
    ) -> Bool {
        do throws(MigrationError) {
            let pending = try ProductSchema.migrator.pending(&connection)
            if pending.isEmpty {
                report.add(.fine, "schema", "up to date, at migration \(ProductSchema.newest)")
                return true
            }
            let names = pending.map { "\($0.number) \($0.name)" }.joined(separator: ", ")
            if let missing = rights.missing {
                report.add(
                    .failure, "schema", "not applied yet: \(names); this role may not (\(missing))",
                    remedy: "run vitalstream migrate as the owner of the database")
            } else if migrates {
                report.add(
                    .warning, "schema", "not applied yet: \(names)",
                    remedy: "nothing, serve does it at its start; or run vitalstream migrate")
            } else {
                report.add(.failure, "schema", "not applied yet: \(names)", remedy: "run vitalstream migrate")
            }
        } catch {
            let isDenied = error.postgresError?.sqlState == .insufficientPrivilege
            report.add(
                .failure, "schema", "\(error)",
                remedy: isDenied ? "GRANT USAGE ON SCHEMA ops, and SELECT on its tables, to this role" : nil)
        }
        return false
    }

    private func checkWriting(_ connection: inout Connection, _ report: CheckReport) throws(PostgresError) {
        let denied = try connection.query(Self.deniedRights)
        if denied.rowCount == 0 {
            report.add(.fine, "rights", "may write readings, dead letters and the ledger")
            return
        }
        let names = (0..<denied.rowCount).map { denied.text($0, 0) }
        let more = names.count > 6 ? " and \(names.count - 6) more" : ""
        report.add(
            .failure, "rights", "missing: \(names.prefix(6).joined(separator: ", "))\(more)",
            remedy: "GRANT vitalstream_service TO this role, or connect as one that is a member")
    }

    private func checkPartitions(_ connection: inout Connection, _ report: CheckReport) throws(PostgresError) {
        let said = try connection.query(Self.partitionState, ["\(Housekeeping.partitionDays.ahead)"])
        let missing = said.int64(0, 0)
        let mayMake = said.boolean(0, 1)
        let inDefault = said.boolean(0, 2)
        let days = Housekeeping.partitionDays.ahead
        if !mayMake {
            report.add(
                .warning, "partitions",
                "this role may not make daily partitions; \(missing) of the next \(days + 1) are missing",
                remedy: "GRANT vitalstream_service TO this role")
        } else if missing > 0 {
            report.add(
                .warning, "partitions", "\(missing) of the next \(days + 1) daily partitions are missing",
                remedy: inDefault
                    ? "their rows are in silver.vital_reading_default: move them, then the partitions can be made"
                    : "nothing, serve makes them at its start and every 10 minutes")
        } else {
            report.add(.fine, "partitions", "made \(days) days ahead, and this role may make more")
        }
    }

    /// What to do about an error that is no known fault of the connection.
    private static func remedy(_ error: PostgresError) -> String? {
        if error.kind == .protocolMisuse { return "correct DATABASE_URL" }
        return error.sqlState == nil ? "start it, or correct DATABASE_URL (or libpq's PG* variables)" : nil
    }
}

/// Whether a role could bring the schema up to date.
struct MigrationRights {
    /// What it lacks, nil when nothing.
    let missing: String?

    init(_ connection: inout Connection) throws(PostgresError) {
        let said = try connection.query(
            """
            SELECT
                (SELECT count(*) FROM pg_namespace WHERE nspname IN ('bronze', 'silver', 'gold', 'ops')) = 4
                    OR has_database_privilege(current_database(), 'CREATE'),
                has_schema_privilege('public', 'CREATE'),
                NOT EXISTS (SELECT FROM pg_namespace WHERE nspname IN ('bronze', 'silver', 'gold', 'ops')
                    AND NOT has_schema_privilege(oid, 'CREATE'))
            """)
        var lacks: [String] = []
        if !said.boolean(0, 0) { lacks.append("CREATE on the database") }
        if !said.boolean(0, 1) { lacks.append("CREATE on the schema public") }
        if !said.boolean(0, 2) { lacks.append("CREATE on the schemas bronze, silver, gold and ops") }
        missing = lacks.isEmpty ? nil : lacks.joined(separator: ", ")
    }
}

extension CheckDatabase {
    /// A row for each right that a lane needs and this role lacks. By object id, since a name in a schema that may not
    /// be used cannot even be looked up.
    private static let deniedRights = """
        SELECT privilege || ' on ' || nspname || '.' || relname
        FROM (VALUES
            ('bronze', 'dead_letter', 'SELECT'), ('bronze', 'dead_letter', 'INSERT'),
            ('silver', 'vital_reading', 'SELECT'), ('silver', 'vital_reading', 'INSERT'),
            ('silver', 'vital_reading', 'UPDATE'), ('silver', 'vital_reading_history', 'INSERT'),
            ('silver', 'origin', 'SELECT'), ('silver', 'origin', 'INSERT'),
            ('ops', 'partition_progress', 'SELECT'), ('ops', 'partition_progress', 'INSERT'),
            ('ops', 'partition_progress', 'UPDATE')) AS needed (schema_name, table_name, privilege)
        JOIN pg_namespace AS n ON n.nspname = schema_name
        JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = table_name
        WHERE NOT has_table_privilege(c.oid, privilege)
            AND NOT (privilege = 'UPDATE' AND has_any_column_privilege(c.oid, privilege))
        UNION ALL
        SELECT 'USAGE on schema ' || nspname FROM pg_namespace
        WHERE nspname IN ('bronze', 'silver', 'ops') AND NOT has_schema_privilege(oid, 'USAGE')
        UNION ALL
        SELECT 'EXECUTE on ' || nspname || '.' || proname
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE nspname = 'ops' AND proname IN ('take_over', 'advance', 'end_blockers', 'apply_changes')
            AND NOT has_function_privilege(p.oid, 'EXECUTE')
        UNION ALL
        SELECT 'TEMPORARY on the database' WHERE NOT has_database_privilege(current_database(), 'TEMPORARY')
        """

    /// How many daily partitions from today to $1 days ahead are missing, whether this role could make them, and
    /// whether rows of those days in the default partition are in the way.
    private static let partitionState = """
        WITH days AS (
            SELECT (now() AT TIME ZONE 'UTC')::date + n AS day FROM generate_series(0, $1::integer) AS n
        ), missing AS (
            SELECT day FROM days WHERE NOT EXISTS (
                SELECT FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace
                WHERE s.nspname = 'silver' AND c.relname = 'vital_reading_' || to_char(day, 'YYYYMMDD'))
        )
        SELECT (SELECT count(*) FROM missing),
            EXISTS (SELECT FROM pg_proc AS p WHERE p.pronamespace = c.relnamespace AND p.proname = 'make_partitions'
                AND has_function_privilege(p.oid, 'EXECUTE')),
            EXISTS (SELECT FROM missing JOIN silver.vital_reading_default
                ON recorded_at >= day::timestamp AT TIME ZONE 'UTC'
                AND recorded_at < (day + 1)::timestamp AT TIME ZONE 'UTC')
        FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace
        WHERE s.nspname = 'silver' AND c.relname = 'vital_reading'
        """
}
