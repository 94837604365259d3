import Postgres
import Schema
import Service
import Testing

extension OnAServer {
    /// Who owns what, and how a database comes to that.
    struct RoleSchemaTests {
        private static let ours =
            "('bronze'::regnamespace, 'silver'::regnamespace, 'gold'::regnamespace, 'ops'::regnamespace)"

        @Test func `every object belongs to the owner, who can do nothing else`() throws {
            var connection = try TestDatabase.migrated().open()
            _ = try connection.value("SELECT silver.make_partitions('2026-01-01', '2026-01-02')")
            let others = try connection.value(
                """
                SELECT coalesce(string_agg(what, ' '), '') FROM (
                    SELECT oid::regclass::text, relowner FROM pg_class
                    WHERE relnamespace IN \(Self.ours) OR oid = 'public.health_records'::regclass
                    UNION ALL SELECT oid::regprocedure::text, proowner FROM pg_proc WHERE pronamespace IN \(Self.ours)
                    UNION ALL SELECT oid::regtype::text, typowner FROM pg_type WHERE typnamespace IN \(Self.ours)
                    UNION ALL SELECT nspname, nspowner FROM pg_namespace WHERE oid IN \(Self.ours)
                ) AS object (what, owner) WHERE pg_get_userbyid(owner) <> 'vitalstream_owner'
                """)
            #expect(others == "")
            let powers = try connection.query(
                """
                SELECT rolname FROM pg_roles WHERE rolname LIKE 'vitalstream%'
                    AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolcanlogin OR rolreplication OR rolbypassrls)
                """)
            #expect(powers.rowCount == 0)
        }

        @Test func `no function is anybody's, and those with the owner's rights look names up in one place`() throws {
            var connection = try TestDatabase.migrated().open()
            let open = try connection.value(
                """
                SELECT coalesce(string_agg(p.oid::regprocedure::text, ' '), '') FROM pg_proc AS p
                WHERE pronamespace IN \(Self.ours) AND EXISTS (
                    SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0)
                """)
            #expect(open == "")
            let loose = try connection.value(
                """
                SELECT coalesce(string_agg(oid::regprocedure::text, ' '), '') FROM pg_proc
                WHERE pronamespace IN \(Self.ours) AND prosecdef
                    AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(proconfig, '{}'))
                """)
            #expect(loose == "")
            #expect(
                try connection.value("SELECT count(*) FROM pg_proc WHERE prosecdef AND pronamespace IN \(Self.ours)")
                    == "7")
        }

        @Test func `what a later migration makes is the owner's and is read by both roles`() throws {
            let logins = try RoleLogins.made()
            var connection = try logins.database.open()
            let later = Migration(
                number: 900, name: "later",
                sql: """
                    CREATE TABLE gold.later (n integer);
                    CREATE TABLE bronze.later (payload bytea);
                    CREATE FUNCTION gold.later() RETURNS integer LANGUAGE sql AS 'SELECT 1'
                    """)
            let all = Schema.migrations.map { Migration(number: $0.number, name: $0.name, sql: $0.sql) } + [later]
            #expect(try Migrator(all).migrate(&connection).map(\.number) == [900])
            #expect(
                try connection.value("SELECT relowner::regrole FROM pg_class WHERE oid = 'gold.later'::regclass")
                    == "vitalstream_owner")
            #expect(try connection.value("SELECT current_user") == PrivateServer.user)
            for user in [logins.service, logins.analyst] {
                var reader = try logins.database.open(user: user)
                #expect(try reader.value("SELECT count(*) FROM gold.later") == "0")
                let refused = ["INSERT INTO gold.later VALUES (1)", "SELECT gold.later()", "DROP TABLE gold.later"]
                #expect(try RoleLogins.notRefused(refused, &reader) == [])
            }
            var analyst = try logins.database.open(user: logins.analyst)
            #expect(try RoleLogins.notRefused(["SELECT * FROM bronze.later"], &analyst) == [])
        }

        @Test func `the service may not migrate, and is told who may`() throws {
            let logins = try RoleLogins.made()
            var connection = try logins.database.open(user: logins.service)
            let later = Migration(number: 900, name: "later", sql: "CREATE TABLE gold.later (n integer)")
            let all = Schema.migrations.map { Migration(number: $0.number, name: $0.name, sql: $0.sql) } + [later]
            let error = try #require(throws: MigrationError.self) { _ = try Migrator(all).migrate(&connection) }
            #expect(error.postgresError?.sqlState == .insufficientPrivilege)
            #expect("\(error)".contains("belongs to vitalstream_owner"))
            #expect(try productMigrator.migrate(&connection).isEmpty)
        }
    }
}

/// On servers of their own: roles belong to a whole server.
@Suite(.serialized) struct FirstMigrationTests {
    private func open(
        _ server: PrivateServer, _ database: String, user: String = PrivateServer.user
    ) throws(PostgresError) -> Connection {
        try Connection.open(
            server.connectionURL(database: database), applicationName: "tests", extra: [("user", user)])
    }

    @Test func `who may not make the roles is told what a superuser has to type, and that is enough`() throws {
        let server = try PrivateServer(isDurable: false)
        defer { server.remove() }
        var superuser = try open(server, "postgres")
        try superuser.execute("CREATE ROLE plain LOGIN")
        try superuser.execute("CREATE DATABASE health_db OWNER plain")
        var plain = try open(server, "health_db", user: "plain")
        let error = try #require(throws: MigrationError.self) { _ = try productMigrator.migrate(&plain) }
        #expect(error.postgresError?.sqlState == .insufficientPrivilege)
        let text = "\(error)"
        let start = try #require(text.firstRange(of: "type ")).upperBound
        let end = try #require(text.firstRange(of: "; then migrate again")).lowerBound
        try superuser.execute(String(text[start..<end]))
        #expect(try productMigrator.migrate(&plain).map(\.number).contains(2))
        #expect(
            try plain.value("SELECT count(*) FROM pg_class WHERE relowner = 'plain'::regrole") == "0")
        // Somebody else's second database on the same server: the roles are there, the membership is not.
        try superuser.execute("CREATE ROLE other LOGIN")
        try superuser.execute("CREATE DATABASE other_db OWNER other")
        var other = try open(server, "other_db", user: "other")
        let again = try #require(throws: MigrationError.self) { _ = try productMigrator.migrate(&other) }
        #expect("\(again)".contains("type GRANT vitalstream_owner TO other; then migrate again"))
        try superuser.execute("GRANT vitalstream_owner TO other")
        #expect(try productMigrator.migrate(&other).map(\.number).contains(2))
    }

    @Test func `an owner of the database who may create roles needs nobody`() throws {
        let server = try PrivateServer(isDurable: false)
        defer { server.remove() }
        var superuser = try open(server, "postgres")
        try superuser.execute("CREATE ROLE maker LOGIN CREATEROLE")
        try superuser.execute("CREATE DATABASE health_db OWNER maker")
        var maker = try open(server, "health_db", user: "maker")
        #expect(try productMigrator.migrate(&maker).count == Schema.migrations.count)
        #expect(try maker.value("SELECT silver.make_partitions('2026-01-01', '2026-01-02')") == "2")
    }

    @Test func `an owner that is a superuser is refused`() throws {
        let server = try PrivateServer(isDurable: false)
        defer { server.remove() }
        var superuser = try open(server, "postgres")
        try superuser.execute("CREATE ROLE vitalstream_owner SUPERUSER")
        let error = try #require(throws: MigrationError.self) { _ = try productMigrator.migrate(&superuser) }
        #expect("\(error)".contains("ALTER ROLE vitalstream_owner NOSUPERUSER"))
    }
}
