import Kafka
import Postgres
import Service
import TestSupport
import Testing

/// A database, a log and the settings with which commands reach both.
struct World {
    let log: MockLog
    let server: PrivateServer
    let database: String
    var group = "commands"

    static let user = PrivateServer.user

    /// What the commands are told.
    var settings: [String: String] {
        [
            "KAFKA_BOOTSTRAP_SERVERS": log.bootstrapServers, "KAFKA_GROUP_ID": group, "VITALS_TOPIC": MockLog.topic,
            "DATABASE_URL": server.connectionURL(database: database), "MAX_MESSAGE_BYTES": "2000", "LANES": "1",
            "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0",
        ]
    }

    /// A new database with the product's schema beside `log`.
    static func empty(_ log: MockLog) throws -> World {
        let server = try #require(FedWorldTrait.server)
        let world = World(log: log, server: server, database: freshName())
        try server.createDatabase(world.database)
        let migrated = try world.run("migrate")
        guard migrated.code == 0 else { throw TestFailure("migrate: \(migrated.text)") }
        return world
    }

    /// The suite's world, in a database of its own.
    static func copy() throws -> World {
        let fed = try #require(FedWorldTrait.fed)
        let world = World(log: fed.log, server: fed.server, database: freshName())
        var connection = try Connection.open(fed.server.connectionURL(), applicationName: "tests")
        try connection.execute("CREATE DATABASE \(world.database) TEMPLATE \(fed.database)")
        return world
    }

    /// Runs a command, its words divided by blanks, to its end.
    func run(_ line: String, _ more: [String: String] = [:]) throws -> CommandRun {
        let words = line.split(separator: " ").map(String.init)
        return Programs.finish(try Commands.start(words, settings: settings.merging(more) { $1 }))
    }

    func connect() throws(PostgresError) -> Connection {
        try Connection.open(server.connectionURL(database: database), applicationName: "tests")
    }

    /// Runs statements.
    func execute(_ sql: String) throws(PostgresError) {
        var connection = try connect()
        try connection.execute(sql)
    }

    /// The only value of a query.
    func value(_ sql: String) throws(PostgresError) -> String {
        var connection = try connect()
        return try connection.query(sql).text(0, 0)
    }

    /// Lets a service read until the ledger of this group stands at `offset` in all partitions together.
    func serve(until offset: Int, _ more: [String: String] = [:]) throws {
        let child = try Commands.start(["serve"], settings: settings.merging(more) { $1 })
        var connection = try connect()
        do {
            try eventually("the ledger at \(offset)") {
                if child.exitStatus != nil { throw TestFailure("serve has ended") }
                let found = try connection.query(
                    "SELECT coalesce(sum(next_offset), 0)::bigint FROM ops.partition_progress "
                        + "WHERE consumer_group = $1", [group])
                return found.int64(0, 0) >= Int64(offset)
            }
        } catch {
            throw TestFailure("\(error)\n\(child.errorOutput?.text ?? "")")
        }
        let end = child.stop(within: .seconds(10))
        guard end?.isSuccess == true else {
            throw TestFailure("serve: \(String(describing: end))\n\(child.errorOutput?.text ?? "")")
        }
    }

    /// A digest of all readings and all corrections, all columns.
    func checksum() throws(PostgresError) -> String {
        try value(
            """
            SELECT (SELECT md5(string_agg(v::text, '|' ORDER BY v::text)) FROM silver.vital_reading AS v)
                || (SELECT md5(string_agg(h::text, '|' ORDER BY h::text)) FROM silver.vital_reading_history AS h)
            """)
    }

    /// Both ways of verifying must find nothing, and name no patient.
    func expectSound(_ more: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation) throws {
        for line in ["verify", "verify --against-log"] {
            let run = try run(line, more)
            #expect(run.code == 0, "\(line): \(run.text)", sourceLocation: sourceLocation)
            #expect(run.errors.isEmpty, "\(run.errors)", sourceLocation: sourceLocation)
            #expect(!run.text.contains(Messages.mark), "names a patient", sourceLocation: sourceLocation)
        }
    }

    private static func freshName() -> String {
        "commands_" + UUIDBytes.random().text.split(separator: "-").joined()
    }
}

/// One PostgreSQL and one world that a service has read once, around the suite. Tests copy its database.
struct FedWorldTrait: SuiteTrait, TestScoping {
    @TaskLocal static var server: PrivateServer?
    @TaskLocal static var fed: World?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let server = try PrivateServer(settings: [("max_connections", "40")], isDurable: false)
        defer { server.remove() }
        try await Self.$server.withValue(server) {
            let world = try Self.feed()
            try await Self.$fed.withValue(world) { try await function() }
        }
    }

    /// What the ledger must say of the fed world, both partitions together.
    static let messages = 39
    static let rejected = 6

    private static func feed() throws -> World {
        let log = try MockLog(partitions: 2)
        let world = try World.empty(log)
        let origin = "\"facilityId\":\"north\",\"sectorId\":\"ward 3\""
        try log.send(
            [
                Messages.reading(1, 0, "\"heartRate\":60,\"temperature\":36.5,\(origin)"),
                Messages.reading(1, 0, "\"heartRate\":60,\"temperature\":36.5"),
                Messages.reading(1, 0, "\"respiratoryRate\":16"),
                Messages.reading(1, 0, "\"heartRate\":61,\"oxygenSaturation\":97.3"),
                nil,
                "{\"patientId\":",
                Messages.reading(1, 1, "\"heartRate\":400"),
                Messages.reading(1, 1, "\"heartRate\":15"),
                Messages.reading(2, 0, "\"heartRate\":50,\"temperature\":37.25", pad: 3_000),
                Messages.reading(2, 0, "\"heartRate\":70"),
            ] + (0..<12).map { Messages.reading(3, $0, "\"heartRate\":\(70 + $0)") }, to: 0)
        let vitals =
            "\"systolicPressure\":120,\"diastolicPressure\":80,\"consciousness\":\"V\",\"supplementalOxygen\":true"
        try log.send(
            [
                Messages.reading(4, 0, "\(vitals),\"deviceId\":\"m-7\""),
                Messages.reading(4, 1_000_000, "\"heartRate\":80"),
                Messages.reading(4, 0, "\"consciousness\":\"A\""),
                Messages.reading(5, 0, "\"heartRate\":90", pad: 70_000),
                Messages.reading(4, 0, "\"supplementalOxygen\":true"),
            ] + (0..<12).map { Messages.reading(5, $0, "\"temperature\":36.\($0)") }, to: 1,
            headers: [MessageHeader(name: "trace", value: Array("7".utf8))])
        try world.serve(until: messages)
        return world
    }
}

extension Trait where Self == FedWorldTrait {
    /// The fed world.
    static var fedWorld: Self { Self() }
}
