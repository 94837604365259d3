import Postgres
import Service
import Testing

extension OnAServer {
    struct ConnectionTests {
        @Test func `connects step by step and is ready for statements`() throws {
            let database = try TestDatabase.empty()
            var connection = try Connection(connecting: database.url, applicationName: "stepping")
            try connection.wait(read: false, write: true)
            connecting: while true {
                switch try connection.advanceConnecting() {
                case .wantsRead: try connection.wait(read: true, write: false)
                case .wantsWrite: try connection.wait(read: false, write: true)
                case .ready: break connecting
                }
            }
            let driven = try connection.drive(Connection.sessionDefaults, feeding: [])
            #expect(driven.tags == Array(repeating: "SET", count: 8))
            #expect(try connection.value("SHOW jit") == "off")
            #expect(try connection.value("SHOW idle_in_transaction_session_timeout") == "5s")
            #expect(try connection.value("SHOW application_name") == "stepping")
            #expect(try connection.value("SHOW client_encoding") == "UTF8")
            #expect(connection.serverVersion >= 150_000)
            #expect(connection.transactionStatus == .idle)
        }

        @Test func `an application name in the URL beats ours`() throws {
            let url = try TestDatabase.empty().url + "&application_name=theirs"
            var connection = try Connection.open(url, applicationName: "ours")
            #expect(try connection.value("SHOW application_name") == "theirs")
        }

        @Test func `a server that is not there is one line and asks for another try`() throws {
            let error = try #require(throws: PostgresError.self) {
                _ = try Connection.open("host=/nowhere port=1 user=x dbname=y", applicationName: "tests")
            }
            #expect(error.kind == .connection)
            #expect(error.disposition == .reconnect)
            #expect(!error.message.contains("\n"))
        }

        @Test(arguments: [
            "postgresql://u:secret@h:x:y/db",  // two ports
            "postgresql://u:pa@ss:secret@h/db",  // an "@" that is not encoded: the rest is host and port
            "postgresql://u:secret%zz@h/db",  // no such encoding
            "host=h password=my secret",  // a space without quotes
        ])
        func `a malformed URL is an error and never shows a password`(url: String) throws {
            let error = try #require(throws: PostgresError.self) {
                _ = try Connection(connecting: url, applicationName: "tests")
            }
            #expect(!error.message.contains("secret"), "\(error)")
        }

        @Test func `a password with an at sign that is taken for the host's name is not shown`() throws {
            let error = try #require(throws: PostgresError.self) {
                _ = try Connection.open("postgresql://u:pa@secret@127.0.0.1:1/db", applicationName: "tests")
            }
            #expect(!error.message.contains("secret"), "\(error)")
        }

        @Test func `one string of statements gives its results in order, as text`() throws {
            var connection = try TestDatabase.empty().open()
            try connection.send("SELECT 1 AS one, NULL; SELECT 'zwei'; ; SELECT true")
            var texts: [String] = []
            loop: while true {
                switch try connection.step() {
                case .needs(let read, let write): try connection.wait(read: read, write: write)
                case .copyIn: Issue.record("no COPY was sent")
                case .result(let result):
                    texts.append(result.rowCount > 0 ? result.text(0, 0) : result.commandTag)
                    if texts.count == 1 {
                        #expect(result.columnName(0) == "one")
                        #expect(result.isNull(0, 1) == true)
                        #expect(result.textIfPresent(0, 1) == nil)
                        #expect(result.int64(0, 0) == 1)
                    }
                case .idle: break loop
                }
            }
            #expect(texts == ["1", "zwei", "t"])
        }

        @Test func `bytes that end with a NUL are sent as they are`() throws {
            var connection = try TestDatabase.empty().open()
            try connection.send(bytes: Array("SELECT 'ä'".utf8) + [0])
            try connection.finish()
            #expect(connection.isIdle == true)
        }

        @Test func `an error in the middle of a string is thrown once and the rest never runs`() throws {
            var connection = try TestDatabase.empty().open()
            try connection.execute("CREATE TABLE t (n integer)")
            let error = try #require(throws: PostgresError.self) {
                try connection.execute("INSERT INTO t VALUES (1); SELECT 1/0; INSERT INTO t VALUES (2)")
            }
            #expect(error.sqlState == "22012")
            #expect(try connection.value("SELECT count(*) FROM t") == "0")
        }

        @Test func `messages hold neither details nor values`() throws {
            var connection = try TestDatabase.empty().open()
            try connection.execute("CREATE TABLE t (id uuid PRIMARY KEY, n real CHECK (n < 5))")
            let id = "8a1c6f8e-0000-4000-8000-0123456789ab"
            try connection.execute("INSERT INTO t VALUES ('\(id)', 1)")
            for sql in [
                "INSERT INTO t VALUES ('\(id)', 1)", "INSERT INTO t VALUES (gen_random_uuid(), 123.25)",
                "INSERT INTO t VALUES ('\(id)x', 1)", "INSERT INTO t VALUES (gen_random_uuid(), '123.25 bpm')",
            ] {
                let error = try #require(throws: PostgresError.self) { try connection.execute(sql) }
                #expect(error.sqlState != nil)
                #expect(!"\(error)".contains("8a1c6f8e") && !"\(error)".contains("123.25"), "\(error)")
            }
        }

        @Test func `a session that the server ends asks for a new connection`() throws {
            let database = try TestDatabase.empty()
            var victim = try database.open()
            var other = try database.open()
            _ = try other.query("SELECT pg_terminate_backend($1::integer)", ["\(victim.backendProcessID)"])
            let error = try #require(throws: PostgresError.self) {
                // The first statement may still have been taken before the end was noticed, never the second.
                _ = try victim.query("SELECT 1")
                _ = try victim.query("SELECT 1")
            }
            #expect(error.disposition == .reconnect)
            #expect(victim.isBroken == true)
        }

        @Test func `cancelling ends what runs, and the connection lives on`() throws {
            let database = try TestDatabase.empty()
            var connection = try database.open()
            var other = try database.open()
            try connection.send("SELECT pg_sleep(600)")
            let isRunning = "SELECT state FROM pg_stat_activity WHERE pid = \(connection.backendProcessID)"
            while try other.value(isRunning) != "active" {}
            #expect(connection.cancelInBackground() == true)
            let error = try #require(throws: PostgresError.self) { try connection.finish() }
            #expect(error.sqlState == "57014")
            #expect(try connection.value("SELECT 7") == "7")
        }

        @Test func `a wait of a blocking call is bounded`() throws {
            var connection = try TestDatabase.empty().open()
            connection.blockingTimeoutMilliseconds = 50
            let error = try #require(throws: PostgresError.self) { try connection.execute("SELECT pg_sleep(600)") }
            #expect(error.kind == .timedOut)
        }
    }
}
