import Postgres
import Schema
import Service
import Testing

/// The root of all tests that need a server: one private server, started before the first and removed after the last.
@Suite(.privateServer) enum OnAServer {}

/// Starts the server around a suite.
struct PrivateServerTrait: SuiteTrait, TestScoping {
    @TaskLocal static var server: PrivateServer?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        // Small: machines that run tests have other things to do. It survives a kill of the server all the same.
        let server = try PrivateServer(settings: [("max_connections", "60")], isDurable: false)
        defer { server.remove() }
        try await Self.$server.withValue(server) { try await function() }
    }
}

extension Trait where Self == PrivateServerTrait {
    /// One private server for the whole suite.
    static var privateServer: Self { Self() }
}

/// A database of its own for one test.
struct TestDatabase {
    let url: String

    /// A new database on the suite's server.
    static func empty() throws -> TestDatabase {
        let server = try #require(PrivateServerTrait.server)
        let name = "test_" + UUIDBytes.random().text.replacing("-", with: "")
        try server.createDatabase(name)
        return TestDatabase(url: server.connectionURL(database: name))
    }

    /// A new database with the product's schema.
    static func migrated() throws -> TestDatabase {
        let database = try empty()
        var connection = try database.open()
        _ = try productMigrator.migrate(&connection)
        return database
    }

    func open(user: String? = nil) throws(PostgresError) -> Connection {
        try Connection.open(url, applicationName: "tests", extra: user.map { [("user", $0)] } ?? [])
    }
}

/// The product's migrations.
let productMigrator = Migrator(Schema.migrations.map { Migration(number: $0.number, name: $0.name, sql: $0.sql) })

extension Connection {
    /// The only value of a query.
    mutating func value(_ sql: String, _ parameters: [String?] = []) throws(PostgresError) -> String {
        try query(sql, parameters).text(0, 0)
    }

    /// Sends a string of statements and feeds its COPYs in turn, by the stepping calls alone.
    ///
    /// - Returns: the command tags, and how many COPYs the server opened. Throws the first error once idle again.
    mutating func drive(_ sql: String, feeding copies: [[UInt8]]) throws(PostgresError) -> Driven {
        try send(sql)
        var driven = Driven()
        var first: PostgresError?
        while true {
            do throws(PostgresError) {
                switch try step() {
                case .needs(let read, let write): try wait(read: read, write: write)
                case .copyIn:
                    try feed(copies[driven.copies], &driven)
                    driven.copies += 1
                case .result(let result):
                    driven.tags.append(result.commandTag)
                case .idle:
                    if let first { throw first }
                    return driven
                }
            } catch {
                if isIdle || error.kind == .connection { throw error }
                first = first ?? error
            }
        }
    }

    private mutating func feed(_ bytes: [UInt8], _ driven: inout Driven) throws(PostgresError) {
        var position = 0
        while true {
            let outcome = bytes.withUnsafeBytes { raw in
                Result { () throws(PostgresError) in try putCopy(raw, from: &position) }
            }
            if try outcome.get() { break }
            driven.waits += 1
            try wait(read: true, write: true)
        }
        try endCopy()
    }
}

/// What came back from a driven string of statements.
struct Driven {
    var tags: [String] = []
    var copies = 0
    /// How often the socket would not take more.
    var waits = 0
}

/// Binary COPY data of rows, each a list of field values in binary form (nil: NULL).
func copyBytes(_ rows: [[[UInt8]?]]) -> [UInt8] {
    var bytes: [UInt8] = Array("PGCOPY\n".utf8) + [0xff, 0x0d, 0x0a, 0x00] + bigEndian(Int32(0)) + bigEndian(Int32(0))
    for row in rows {
        bytes += bigEndian(Int16(row.count))
        for field in row {
            bytes += bigEndian(Int32(field?.count ?? -1))
            bytes += field ?? []
        }
    }
    return bytes + bigEndian(Int16(-1))
}

/// The bytes of an integer, most significant first.
func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
}
