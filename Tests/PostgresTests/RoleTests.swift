import Postgres
import Service
import Testing

/// Logins of a test: members of the product's group roles, and of nothing else.
struct RoleLogins {
    let database: TestDatabase
    let service: String
    let analyst: String

    /// A migrated database with a partition, a reading, a letter and a row of the ledger.
    static func made() throws -> RoleLogins {
        let database = try TestDatabase.migrated()
        var connection = try database.open()
        let suffix = UUIDBytes.random().text.prefix(8)
        let logins = RoleLogins(database: database, service: "service_\(suffix)", analyst: "analyst_\(suffix)")
        try connection.execute(
            """
            CREATE ROLE \(logins.service) LOGIN IN ROLE vitalstream_service;
            CREATE ROLE \(logins.analyst) LOGIN IN ROLE vitalstream_analyst;
            SELECT silver.make_partitions('2026-03-01', '2026-03-01');
            INSERT INTO silver.vital_reading (patient_id, recorded_at, heart_rate, source_partition, source_offset)
            VALUES ('\(patient)', '2026-03-01 10:00Z', 70, 0, 1);
            INSERT INTO bronze.dead_letter (topic, partition, "offset", reason, payload, headers)
            VALUES ('vitals', 0, 2, 'not_an_object', 'x', '{}');
            INSERT INTO ops.partition_progress
                (consumer_group, topic, partition, first_offset, next_offset, consumed, inserted, rejected)
            VALUES ('g', 'vitals', 0, 1, 3, 2, 1, 1)
            """)
        return logins
    }

    static let patient = "8a1c6f8e-0000-4000-8000-0123456789ab"

    /// Runs each statement by itself; every one has to be refused for want of a right.
    /// - Returns: those that were not, with what came of them.
    static func notRefused(_ statements: [String], _ connection: inout Connection) throws -> [String] {
        var wrong: [String] = []
        for statement in statements {
            do throws(PostgresError) {
                try connection.execute("BEGIN; \(statement)")
                wrong.append("\(statement): allowed")
            } catch {
                if error.sqlState != .insufficientPrivilege { wrong.append("\(statement): \(error)") }
            }
            try connection.execute("ROLLBACK")
        }
        return wrong
    }
}

extension OnAServer {
    /// What each role must not do, and what it must.
    struct RoleTests {
        private static let anyFunction = [
            "SELECT silver.make_partitions('2026-01-01', '2026-01-02')", "SELECT silver.empty_default('2026-01-01')",
            "SELECT ops.drop_reading_partition('vital_reading_20260301', '2026-03-02')",
            "SELECT ops.expire_rows('silver.vital_reading', '2026-03-02', 0, 1, NULL)",
            "SELECT ops.expire_dead_letters('vitals', 0, '2026-03-02', 0, 10, NULL)",
            "SELECT ops.take_over('g', 'vitals', 0, gen_random_uuid(), 0)",
            "SELECT ops.advance('g', 'vitals', 0, gen_random_uuid(), 1, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0)",
            "SELECT ops.end_blockers('g', 'vitals', 0)", "SELECT ops.apply_changes(0)",
        ]

        private static let anyDefinition = [
            "CREATE SCHEMA mine", "CREATE TABLE public.mine (n integer)", "CREATE TABLE silver.mine (n integer)",
            "CREATE TABLE silver.mine PARTITION OF silver.vital_reading "
                + "FOR VALUES FROM ('2027-01-01') TO ('2027-01-02')",
            "CREATE TABLE gold.mine (n integer)", "CREATE VIEW ops.mine AS SELECT 1",
            "CREATE FUNCTION silver.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "CREATE INDEX ON silver.vital_reading (origin_id)",
            "CREATE TRIGGER mine BEFORE INSERT ON silver.vital_reading "
                + "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "ALTER TABLE silver.vital_reading ADD COLUMN mine integer",
            "ALTER TABLE silver.vital_reading DETACH PARTITION silver.vital_reading_20260301",
            "DROP TABLE silver.vital_reading_20260301", "DROP TABLE silver.origin", "DROP VIEW public.health_records",
            "DROP SCHEMA gold", "DROP FUNCTION silver.make_partitions(date, date)",
            "ALTER FUNCTION silver.make_partitions(date, date) RESET search_path",
            "ALTER DEFAULT PRIVILEGES FOR ROLE vitalstream_owner GRANT SELECT ON TABLES TO PUBLIC",
            "SET ROLE vitalstream_owner", "CREATE ROLE mine", "ALTER ROLE vitalstream_owner SUPERUSER",
            "COPY silver.origin TO PROGRAM 'true'", "SELECT pg_read_file('postgresql.conf')",
            "LOCK TABLE silver.vital_reading IN ACCESS EXCLUSIVE MODE",
        ]

        private static let refusedToService =
            anyDefinition + [
                "TRUNCATE silver.vital_reading", "TRUNCATE bronze.dead_letter", "DELETE FROM silver.vital_reading",
                "DELETE FROM silver.vital_reading_history", "DELETE FROM silver.origin",
                "DELETE FROM ops.partition_progress", "DELETE FROM ops.retention_run",
                "DELETE FROM ops.dead_letter_retry", "DELETE FROM ops.schema_migration",
                "UPDATE silver.vital_reading SET patient_id = gen_random_uuid()",
                "UPDATE silver.vital_reading SET recorded_at = now()",
                "UPDATE silver.vital_reading_20260301 SET heart_rate = 1",
                "INSERT INTO silver.vital_reading_20260301 SELECT * FROM silver.vital_reading",
                "UPDATE silver.vital_reading_history SET heart_rate = 1", "UPDATE silver.origin SET device_id = 'x'",
                "UPDATE bronze.dead_letter SET payload = NULL", "UPDATE bronze.dead_letter SET received_at = now()",
                "UPDATE ops.dead_letter_retry SET outcome = 'stale'", "UPDATE ops.schema_migration SET checksum = ''",
                "INSERT INTO ops.schema_migration (number, name, checksum) VALUES (99, 'x', 'x')",
                "INSERT INTO ops.retention_run (table_name, partition_name, range_from, range_to, dropped_rows) "
                    + "VALUES ('silver.vital_reading', 'x', now(), now(), 1)",
                "UPDATE ops.retention_run SET dropped_rows = 0", "INSERT INTO silver.facility VALUES ('f')",
                "INSERT INTO silver.sector_capacity VALUES ('f', 's', now(), 1)",
                "UPDATE public.health_records SET heart_rate = 1", "SELECT ops.check_retention('2026-01-01')",
                "SELECT ops.book_retention(NULL, 'x', 'x', NULL, NULL, now(), now(), now(), 1)",
            ]

        private static let refusedToAnalyst =
            anyDefinition + anyFunction + [
                "SELECT payload FROM bronze.dead_letter", "SELECT headers FROM bronze.dead_letter",
                "SELECT * FROM bronze.dead_letter", "SELECT d FROM bronze.dead_letter AS d",
                "SELECT 1 FROM bronze.dead_letter WHERE payload = 'x'", "TABLE bronze.dead_letter",
                "SET ROLE vitalstream_service", "UPDATE public.health_records SET heart_rate = 1",
                "DELETE FROM public.health_records", "SELECT * FROM silver.vital_reading FOR UPDATE",
            ]

        @Test func `the service is refused what it does not need`() throws {
            let logins = try RoleLogins.made()
            var connection = try logins.database.open(user: logins.service)
            #expect(try RoleLogins.notRefused(Self.refusedToService, &connection) == [])
        }

        @Test func `the analyst is refused payloads, functions and every write`() throws {
            let logins = try RoleLogins.made()
            var owner = try logins.database.open()
            let tables = try owner.query(
                """
                SELECT c.oid::regclass, (SELECT quote_ident(attname) FROM pg_attribute AS a
                    WHERE a.attrelid = c.oid AND attnum > 0 AND attidentity = ''
                    ORDER BY attnum LIMIT 1)
                FROM pg_class AS c WHERE c.relkind IN ('r', 'p')
                    AND c.relnamespace IN ('bronze'::regnamespace, 'silver'::regnamespace, 'gold'::regnamespace,
                        'ops'::regnamespace)
                """)
            var statements = Self.refusedToAnalyst
            for row in 0..<tables.rowCount {
                let (table, column) = (tables.text(row, 0), tables.text(row, 1))
                statements += [
                    "INSERT INTO \(table) DEFAULT VALUES", "UPDATE \(table) SET \(column) = \(column)",
                    "DELETE FROM \(table)", "TRUNCATE \(table)",
                ]
            }
            #expect(tables.rowCount > 10)
            var connection = try logins.database.open(user: logins.analyst)
            #expect(try RoleLogins.notRefused(statements, &connection) == [])
        }

        @Test func `a login without a role sees nothing`() throws {
            let logins = try RoleLogins.made()
            var owner = try logins.database.open()
            let stranger = "stranger_" + UUIDBytes.random().text.prefix(8)
            try owner.execute("CREATE ROLE \(stranger) LOGIN")
            var connection = try logins.database.open(user: stranger)
            let statements =
                Self.anyFunction + [
                    "SELECT count(*) FROM silver.vital_reading", "SELECT count(*) FROM public.health_records",
                    "SELECT count(*) FROM ops.partition_progress", "SELECT topic FROM bronze.dead_letter",
                ]
            #expect(try RoleLogins.notRefused(statements, &connection) == [])
        }

        @Test func `the service may do what lanes and commands do`() throws {
            let logins = try RoleLogins.made()
            var connection = try logins.database.open(user: logins.service)
            let owner = "11111111-1111-4111-8111-111111111111"
            let statements = [
                "CREATE TEMPORARY TABLE stage_change AS SELECT v.*, v.heart_rate AS old FROM silver.vital_reading AS v",
                "SELECT max(number) FROM ops.schema_migration",
                "SELECT ops.take_over('h', 'vitals', 0, '\(owner)', 10)",
                "SELECT ops.advance('h', 'vitals', 0, '\(owner)', 1, 10, 12, 20, 0, 5, 2, 0, 0, 0, 0, 0)",
                "SELECT ops.end_blockers('h', 'vitals', 0)",
                "INSERT INTO silver.vital_reading (patient_id, recorded_at, source_partition, source_offset) "
                    + "VALUES (gen_random_uuid(), '2026-03-01 11:00Z', 0, 10) ON CONFLICT DO NOTHING",
                "UPDATE silver.vital_reading SET heart_rate = 71, source_offset = 11",
                "SELECT 1 FROM silver.vital_reading FOR UPDATE",
                "INSERT INTO silver.vital_reading_history (patient_id, recorded_at, replaced_by_partition, "
                    + "replaced_by_offset) VALUES ('\(RoleLogins.patient)', '2026-03-01 10:00Z', 0, 11)",
                "INSERT INTO silver.origin (facility_id) VALUES ('f') ON CONFLICT DO NOTHING",
                "INSERT INTO bronze.dead_letter (topic, partition, \"offset\", reason) VALUES ('vitals', 0, 7, 'x') "
                    + "ON CONFLICT DO NOTHING",
                "SELECT payload, headers FROM bronze.dead_letter FOR UPDATE",
                "UPDATE bronze.dead_letter SET topic = 'vitals.before-epoch-2' WHERE \"offset\" = 7",
                "DELETE FROM bronze.dead_letter WHERE \"offset\" = 7",
                "INSERT INTO ops.dead_letter_retry (consumer_group, topic, partition, \"offset\", reason, outcome) "
                    + "VALUES ('h', 'vitals', 0, 7, 'x', 'inserted')",
                "UPDATE ops.dead_letter_retry SET consumer_group = 'h before epoch 2'",
                "UPDATE ops.partition_progress SET next_offset = 13, gaps = 1, epoch = epoch + 1",
                "SELECT count(*) FROM silver.facility, silver.sector_capacity, public.health_records, "
                    + "ops.retention_run, ops.reading_partition, silver.vital_reading_default",
                "SELECT silver.make_partitions('2026-03-02', '2026-03-04')",
                "SELECT silver.empty_default('2026-03-09')",
                "SELECT ops.drop_reading_partition('vital_reading_20260304', '2026-03-05')",
                "SELECT ops.expire_rows('silver.vital_reading_history', '2026-03-05', 0, 10, NULL)",
                "SELECT ops.expire_dead_letters('vitals', 0, '2026-03-05', 0, 10, NULL)",
            ]
            for statement in statements { try connection.execute(statement) }
            #expect(try productMigrator.migrate(&connection).isEmpty)
        }

        @Test func `the analyst reads silver, gold, the books, the view, and letters without their payload`() throws {
            let logins = try RoleLogins.made()
            var connection = try logins.database.open(user: logins.analyst)
            #expect(
                try connection.value(
                    "SELECT topic || partition || \"offset\" || reason || detail FROM bronze.dead_letter")
                    == "vitals02not_an_object")
            #expect(try connection.value("SELECT count(*) FROM bronze.dead_letter WHERE received_at > 'epoch'") == "1")
            #expect(try connection.value("SELECT heart_rate FROM public.health_records") == "70")
            let tables = try connection.query(
                """
                SELECT c.oid::regclass FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p', 'v') AND n.nspname IN ('silver', 'gold', 'ops')
                """)
            #expect(tables.rowCount > 10)
            for row in 0..<tables.rowCount { _ = try connection.query("SELECT count(*) FROM \(tables.text(row, 0))") }
        }
    }
}
