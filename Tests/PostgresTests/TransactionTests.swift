import Postgres
import Testing

extension OnAServer {
    struct TransactionTests {
        private func prepared() throws -> TestDatabase {
            let database = try TestDatabase.empty()
            var connection = try database.open()
            try connection.execute("CREATE TABLE t (n integer)")
            return database
        }

        @Test func `commit stores and gives the connection back`() throws {
            var transaction = try Transaction.begin(try prepared().open())
            try transaction.connection.execute("INSERT INTO t VALUES (1)")
            var connection = try transaction.commit()
            #expect(try connection.value("SELECT count(*) FROM t") == "1")
        }

        @Test func `rollback stores nothing and gives the connection back`() throws {
            var transaction = try Transaction.begin(try prepared().open())
            try transaction.connection.execute("INSERT INTO t VALUES (1)")
            var connection = try transaction.rollback()
            #expect(try connection.value("SELECT count(*) FROM t") == "0")
        }

        @Test func `a token that is dropped stores nothing`() throws {
            let database = try prepared()
            func leave() throws {
                var transaction = try Transaction.begin(try database.open())
                try transaction.connection.execute("INSERT INTO t VALUES (1)")
            }
            try leave()
            var other = try database.open()
            // Takes the lock that the lost transaction held, so its end is over.
            try other.execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; COMMIT")
            #expect(try other.value("SELECT count(*) FROM t") == "0")
        }

        @Test func `a transaction in which a statement failed cannot be committed`() throws {
            let database = try prepared()
            func commitAfterFailure() throws {
                var transaction = try Transaction.begin(try database.open())
                try transaction.connection.execute("INSERT INTO t VALUES (1)")
                #expect(throws: PostgresError.self) { try transaction.connection.execute("SELECT 1/0") }
                _ = try transaction.commit()
            }
            let error = try #require(throws: PostgresError.self) { try commitAfterFailure() }
            #expect(error.kind == .protocolMisuse)
            var other = try database.open()
            #expect(try other.value("SELECT count(*) FROM t") == "0")
        }

        @Test func `a snapshot sees one state and writes nothing`() throws {
            let database = try prepared()
            var other = try database.open()
            var transaction = try Transaction.begin(try database.open(), .snapshot)
            #expect(try transaction.connection.value("SELECT count(*) FROM t") == "0")
            try other.execute("INSERT INTO t VALUES (1)")
            #expect(try transaction.connection.value("SELECT count(*) FROM t") == "0")
            let error = try #require(throws: PostgresError.self) {
                try transaction.connection.execute("INSERT INTO t VALUES (2)")
            }
            #expect(error.sqlState == "25006")
            var connection = try transaction.rollback()
            #expect(try connection.value("SELECT count(*) FROM t") == "1")
        }
    }
}
