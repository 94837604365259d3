import Postgres
import Testing

extension OnAServer {
    struct CopyTests {
        private let statements = """
            BEGIN; SELECT fence(1); COPY a FROM STDIN BINARY; COPY b FROM STDIN BINARY; SELECT book(2); COMMIT
            """

        private func prepared() throws -> TestDatabase {
            let database = try TestDatabase.empty()
            var connection = try database.open()
            try connection.execute(
                """
                CREATE TABLE a (n integer PRIMARY KEY); CREATE TABLE b (n integer, t text);
                CREATE TABLE epoch (value integer); INSERT INTO epoch VALUES (1); CREATE TABLE books (n integer);
                CREATE FUNCTION fence(expected integer) RETURNS void LANGUAGE plpgsql AS $$
                BEGIN
                    UPDATE epoch SET value = value WHERE value = expected;
                    IF NOT FOUND THEN RAISE EXCEPTION 'fenced' USING ERRCODE = 'VS001'; END IF;
                END $$;
                CREATE FUNCTION book(n integer) RETURNS void LANGUAGE sql AS 'INSERT INTO books VALUES (n)'
                """)
            return database
        }

        private let rowsOfA = copyBytes((0..<1000).map { [bigEndian(Int32($0))] })
        private let rowsOfB = copyBytes([[bigEndian(Int32(1)), Array("x".utf8)], [bigEndian(Int32(2)), nil]])

        @Test func `several COPYs in one string are fed in turn and commit together`() throws {
            var connection = try prepared().open()
            let driven = try connection.drive(statements, feeding: [rowsOfA, rowsOfB])
            #expect(driven.copies == 2)
            #expect(driven.tags == ["BEGIN", "SELECT 1", "COPY 1000", "COPY 2", "SELECT 1", "COMMIT"])
            #expect(try connection.value("SELECT count(*) FROM a") == "1000")
            #expect(try connection.value("SELECT count(*) FROM b WHERE t IS NULL") == "1")
            #expect(try connection.value("SELECT count(*) FROM books") == "1")
        }

        @Test func `a fence that fails opens no COPY, stores nothing, and leaves the connection usable`() throws {
            let database = try prepared()
            var connection = try database.open()
            try connection.execute("UPDATE epoch SET value = 2")
            let error = try #require(throws: PostgresError.self) {
                _ = try connection.drive(statements, feeding: [])
            }
            #expect(error.sqlState == .fenced)
            #expect(error.disposition == .fenced)
            #expect(connection.isIdle == true)
            #expect(connection.transactionStatus == .failed)
            try connection.execute("ROLLBACK; UPDATE epoch SET value = 1")
            #expect(connection.transactionStatus == .idle)
            _ = try connection.drive(statements, feeding: [rowsOfA, rowsOfB])
            #expect(try connection.value("SELECT count(*) FROM books") == "1")
        }

        @Test func `a row that the first COPY refuses is told after its end, and the second never opens`() throws {
            var connection = try prepared().open()
            let twice = copyBytes([[bigEndian(Int32(7))], [bigEndian(Int32(7))]])
            let error = try #require(throws: PostgresError.self) {
                _ = try connection.drive(statements, feeding: [twice])
            }
            #expect(error.sqlState == .uniqueViolation)
            #expect(error.disposition == .conflict)
            try connection.execute("ROLLBACK")
            #expect(try connection.value("SELECT count(*) FROM a") == "0")
        }

        @Test func `an error after the COPYs undoes them`() throws {
            var connection = try prepared().open()
            let error = try #require(throws: PostgresError.self) {
                _ = try connection.drive(
                    "BEGIN; COPY a FROM STDIN BINARY; SELECT 1/0; COPY b FROM STDIN BINARY; COMMIT", feeding: [rowsOfA])
            }
            #expect(error.sqlState == "22012")
            try connection.execute("ROLLBACK")
            #expect(try connection.value("SELECT count(*) FROM a") == "0")
        }

        @Test func `data that is not COPY data is a data error`() throws {
            var connection = try prepared().open()
            let error = try #require(throws: PostgresError.self) {
                _ = try connection.drive(statements, feeding: [Array("not a copy stream".utf8)])
            }
            #expect(error.disposition == .data)
            try connection.execute("ROLLBACK")
        }

        @Test func `a COPY can be given up`() throws {
            var connection = try prepared().open()
            try connection.send("BEGIN; COPY a FROM STDIN BINARY")
            while !connection.isCopyingIn {
                if case .needs(let read, let write) = try connection.step() {
                    try connection.wait(read: read, write: write)
                }
            }
            try connection.abortCopy(reason: "changed our mind")
            let error = try #require(throws: PostgresError.self) { try connection.finish() }
            #expect(error.sqlState == "57014")
            try connection.execute("ROLLBACK")
        }

        @Test func `a stream larger than the socket's buffers waits and arrives whole`() throws {
            let database = try prepared()
            var connection = try database.open()
            var blocker = try database.open()
            // The first row's trigger waits for this lock, and the server takes no data meanwhile: the socket fills up.
            try blocker.execute(
                """
                CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
                CREATE TRIGGER hold BEFORE INSERT ON b EXECUTE FUNCTION hold();
                SELECT pg_advisory_lock(1)
                """)
            let rows = copyBytes((0..<400_000).map { [bigEndian(Int32($0))] })
            try connection.send("SELECT 1; COPY b (n) FROM STDIN BINARY")
            var position = 0
            var fullAt = -1
            loop: while true {
                switch try connection.step() {
                case .needs(let read, let write): try connection.wait(read: read, write: write)
                case .copyIn:
                    while true {
                        let isDone = try rows.withUnsafeBytes { try connection.putCopy($0, from: &position) }
                        if isDone { break }
                        if fullAt < 0 {
                            fullAt = position
                            try blocker.execute("SELECT pg_advisory_unlock(1)")
                        }
                        try connection.wait(read: true, write: true)
                    }
                    try connection.endCopy()
                case .result: continue
                case .idle: break loop
                }
            }
            #expect(fullAt > 0 && fullAt < rows.count)
            #expect(try connection.value("SELECT count(*) FROM b") == "400000")
        }

        @Test func `COPY TO STDOUT hands out every row`() throws {
            var connection = try prepared().open()
            try connection.execute("INSERT INTO a SELECT generate_series(1, 50000)")
            var lines = 0
            try connection.copyOut("COPY a TO STDOUT") { piece in lines += piece.last == 10 ? 1 : 0 }
            #expect(lines == 50_000)
            let error = try #require(throws: PostgresError.self) {
                try connection.copyOut("COPY missing TO STDOUT") { _ in }
            }
            #expect(error.sqlState == .undefinedTable)
            let noCopy = try #require(throws: PostgresError.self) { try connection.copyOut("SELECT 1") { _ in } }
            #expect(noCopy.kind == .protocolMisuse)
            #expect(try connection.value("SELECT 1") == "1")
        }

        @Test func `the blocking COPY stores its bytes`() throws {
            var connection = try prepared().open()
            try rowsOfA.withUnsafeBytes { try connection.copyIn("COPY a FROM STDIN BINARY", $0) }
            #expect(try connection.value("SELECT sum(n) FROM a") == "499500")
        }
    }
}
