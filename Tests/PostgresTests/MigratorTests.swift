import Postgres
import Service
import Testing

extension OnAServer {
    struct MigratorTests {
        private let first = Migration(number: 1, name: "one", sql: "CREATE TABLE one (n integer)")
        private let second = Migration(number: 2, name: "two", sql: "CREATE TABLE two (n integer); SELECT 1")

        @Test func `applies what is missing, in order, once`() throws {
            var connection = try TestDatabase.empty().open()
            let half = Migrator([first])
            #expect(try half.pending(&connection).map(\.number) == [1])
            #expect(try half.migrate(&connection).map(\.number) == [1])
            let whole = Migrator([second, first])
            #expect(try whole.pending(&connection).map(\.number) == [2])
            #expect(try whole.migrate(&connection).map(\.number) == [2])
            #expect(try whole.migrate(&connection).isEmpty)
            let rows = try connection.query("SELECT number, name, checksum FROM ops.schema_migration ORDER BY 1")
            #expect(rows.rowCount == 2)
            #expect(rows.text(1, 1) == "two")
            #expect(rows.text(1, 2) == second.checksum)
        }

        @Test func `an edited migration is refused`() throws {
            var connection = try TestDatabase.empty().open()
            _ = try Migrator([first]).migrate(&connection)
            let edited = Migrator([Migration(number: 1, name: "one", sql: first.sql + " ")])
            let error = try #require(throws: MigrationError.self) { _ = try edited.migrate(&connection) }
            guard case .checksumMismatch(1, "one") = error else { throw error }
        }

        @Test func `a database that is ahead of the program is refused`() throws {
            var connection = try TestDatabase.empty().open()
            _ = try Migrator([first, second]).migrate(&connection)
            let error = try #require(throws: MigrationError.self) { _ = try Migrator([first]).pending(&connection) }
            guard case .unknownMigration(2, "two") = error else { throw error }
        }

        @Test func `a migration that fails leaves nothing, and those before it stay`() throws {
            var connection = try TestDatabase.empty().open()
            let broken = Migration(number: 2, name: "two", sql: "CREATE TABLE two (n integer); SELECT 1/0")
            let error = try #require(throws: MigrationError.self) {
                _ = try Migrator([first, broken]).migrate(&connection)
            }
            guard case .failed(2, "two", let cause) = error else { throw error }
            #expect(cause.sqlState == "22012")
            #expect(try connection.value("SELECT to_regclass('one') IS NOT NULL AND to_regclass('two') IS NULL") == "t")
            // The lock is free again and the same connection can go on.
            #expect(try Migrator([first, second]).migrate(&connection).map(\.number) == [2])
        }

        @Test func `several programs that start at once migrate once`() async throws {
            let database = try TestDatabase.empty()
            let slow = Migration(number: 1, name: "one", sql: "CREATE TABLE one (n integer); SELECT pg_sleep(0.2)")
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var connection = try database.open()
                        return try Migrator([slow]).migrate(&connection).count
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(applied == 1)
        }

        @Test func `with nothing to do a role that may only read is enough, and is refused otherwise`() throws {
            let database = try TestDatabase.migrated()
            var owner = try database.open()
            let role = "reader_" + UUIDBytes.random().text.prefix(8)
            try owner.execute(
                """
                CREATE ROLE \(role) LOGIN; GRANT USAGE ON SCHEMA ops TO \(role);
                GRANT SELECT ON ops.schema_migration TO \(role)
                """)
            var reader = try database.open(user: role)
            #expect(try productMigrator.migrate(&reader).isEmpty)
            var empty = try TestDatabase.empty().open(user: role)
            let error = try #require(throws: MigrationError.self) { _ = try Migrator([first]).migrate(&empty) }
            #expect(error.postgresError?.sqlState == .insufficientPrivilege)
        }
    }
}
