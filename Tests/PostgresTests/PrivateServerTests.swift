import Postgres
import Service
import Testing

/// Has a server of its own, which it stops and kills.
struct PrivateServerTests {
    @Test func `lives through stops and kills, keeps what was committed, and leaves nothing behind`() throws {
        let parent = try FileSystem.makeTemporaryDirectory(prefix: "private server's")
        defer { #expect(throws: Never.self) { try FileSystem.removeTree(parent) } }
        let server = try PrivateServer(
            directory: parent + "/pg", listening: .loopback(port: nil), settings: [("work_mem", "5MB")],
            isDurable: false)
        defer { server.remove() }
        try server.createDatabase("health_db")
        try server.createDatabase("health_db")
        let url = server.connectionURL(database: "health_db")
        var connection = try Connection.open(url, applicationName: "tests")
        #expect(try connection.value("SHOW work_mem") == "5MB")
        try connection.execute("CREATE TABLE t (n integer); INSERT INTO t VALUES (1)")

        try server.restart(.immediate)
        let error = try #require(throws: PostgresError.self) { _ = try connection.value("SELECT 1") }
        #expect(error.disposition == .reconnect)

        for round in 2...3 {
            var next = try Connection.open(server.loopbackURL(database: "health_db"), applicationName: "tests")
            try next.execute("INSERT INTO t VALUES (\(round))")
            try next.execute("BEGIN; INSERT INTO t VALUES (100)")
            server.kill()
            #expect(server.pid == nil)
            #expect(throws: PostgresError.self) { _ = try Connection.open(url, applicationName: "tests") }
            try server.start()
        }
        var last = try Connection.open(url, applicationName: "tests")
        #expect(try last.value("SELECT string_agg(n::text, ' ' ORDER BY n) FROM t") == "1 2 3")
        last.close()
        try server.stop(.smart)
        #expect(server.pid == nil)

        // Another one in the same directory finds the data; one that cannot start leaves them alone.
        #expect(throws: PrivateServerError.self) {
            _ = try PrivateServer(directory: server.directory, settings: [("no_such_setting", "1")])
        }
        let heir = try PrivateServer(directory: server.directory, isDurable: false)
        var again = try Connection.open(heir.connectionURL(database: "health_db"), applicationName: "tests")
        #expect(try again.value("SELECT count(*) FROM t") == "3")
        again.close()
        heir.remove()
        #expect(try FileSystem.entries(of: server.directory).isEmpty)
        server.remove()
        #expect(!FileSystem.fileExists(server.directory))
    }

    @Test func `a start that cannot work says why`() throws {
        let error = try #require(throws: PrivateServerError.self) {
            _ = try PrivateServer(settings: [("no_such_setting", "1")], isDurable: false)
        }
        guard case .start(let line) = error else { throw error }
        #expect(line.contains("no_such_setting"))
    }

    @Test func `a directory with something else in it is refused and stays as it was`() throws {
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "other")
        defer { #expect(throws: Never.self) { try FileSystem.removeTree(directory) } }
        try FileSystem.writeText(directory + "/notes", "mine")
        #expect(throws: PrivateServerError.self) { _ = try PrivateServer(directory: directory, isDurable: false) }
        #expect(try FileSystem.entries(of: directory) == ["notes"])
    }

    @Test func `a directory that the server's user cannot reach is replaced by a temporary one`() throws {
        guard HostProcess.isRoot else { return }
        let closed = try FileSystem.makeTemporaryDirectory(prefix: "closed")
        defer { #expect(throws: Never.self) { try FileSystem.removeTree(closed) } }
        // The parent is root's alone (0700), so nobody else can enter what lies in it.
        let server = try PrivateServer(directory: closed + "/inner/pg", isDurable: false)
        defer { server.remove() }
        #expect(!server.directory.hasPrefix(closed))
        #expect(!FileSystem.fileExists(closed + "/inner/pg"))
        var connection = try Connection.open(server.connectionURL(), applicationName: "tests")
        #expect(try connection.value("SELECT current_user") == PrivateServer.user)
        #expect(server.psqlCommand(database: "health_db").hasPrefix("psql -h \(server.directory) -p 5432 -U postgres"))
    }
}
