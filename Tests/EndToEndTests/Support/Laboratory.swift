import ChaosLaboratory
import Kafka
import Postgres
import Service
import TestSupport
import Testing

/// One test's world: a database of its own, a broker, services with their logs, and what must hold in the end.
final class Laboratory {
    let broker: any Broker
    let server: PrivateServer
    let database: String
    let directory: String
    private(set) var services: [ServeProcess] = []
    private var feeders: [Feeder] = []
    private var proxies: [WireProxy] = []

    private init(broker: any Broker, server: PrivateServer) throws {
        self.broker = broker
        self.server = server
        database = "lab_" + UUIDBytes.random().text.prefix(8)
        directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-laboratory")
        if server.pid != nil { try server.createDatabase(database) }
    }

    /// Opens a world, lets the test work in it, judges all logs written, and leaves nothing behind.
    static func open(
        _ broker: (any Broker)? = nil, server: PrivateServer? = nil, migrated: Bool = true,
        _ body: (Laboratory) throws -> Void
    ) throws {
        let server = try #require(server ?? DatabaseServerTrait.server)
        let laboratory = try Laboratory(broker: try broker ?? MockBroker(), server: server)
        defer { laboratory.close() }
        do {
            if migrated { try laboratory.migrate() }
            try body(laboratory)
        } catch {
            throw TestFailure("\(error)\n" + laboratory.services.map { $0.tail() }.joined(separator: "\n"))
        }
        try laboratory.judgeLogs()
    }

    // MARK: - Parts

    /// The database as services reach it; `tag` is what `progressJournal` calls the service.
    func databaseURL(tag: String = "", port: UInt16? = nil) -> String {
        let options = tag.isEmpty ? "" : "&options=-c%20laboratory.tag%3D\(tag)"
        return "postgresql://\(PrivateServer.user)@127.0.0.1:\(port ?? server.port)/\(database)"
            + "?sslmode=disable&gssencmode=disable\(options)"
    }

    func connect() throws(PostgresError) -> Connection {
        try Connection.open(server.connectionURL(database: database), applicationName: "laboratory")
    }

    /// Makes the schema, and a journal of every move of a partition, with the one who moved it.
    func migrate() throws {
        let run = try Programs.run(["migrate"], settings: ["DATABASE_URL": databaseURL()])
        guard run.status?.isSuccess == true else { throw TestFailure("migrate: \(run.output)") }
        var connection = try connect()
        try connection.execute(ProgressJournal.schema)
    }

    /// Puts an empty database in the place of this one.
    func emptyDatabase() throws {
        var connection = try Connection.open(server.connectionURL(), applicationName: "laboratory")
        try connection.execute("DROP DATABASE \(database) WITH (FORCE)")
        try connection.execute("CREATE DATABASE \(database)")
    }

    /// A new topic.
    func topic(_ name: String = "vitals", partitions: Int) throws -> SentLog {
        try broker.createTopic(name, partitions: partitions)
        return SentLog(topic: name, partitions: partitions, bootstrapServers: broker.bootstrapServers)
    }

    /// A name that no other test uses, for brokers that are shared.
    static func freshName(_ stem: String) -> String { "\(stem)-\(UUIDBytes.random().text.prefix(8))" }

    /// Starts a service on a topic.
    @discardableResult
    func serve(
        _ log: SentLog, name: String = "serve", group: String = "lab", databaseURL: String? = nil,
        _ settings: [String: String] = [:]
    ) throws -> ServeProcess {
        let all = [
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrapServers, "KAFKA_GROUP_ID": group, "VITALS_TOPIC": log.topic,
            "DATABASE_URL": databaseURL ?? self.databaseURL(tag: name), "LANES": "1", "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": "0", "LOG_FORMAT": "json", "LOG_LEVEL": "debug", "PATIENT_CACHE_ENTRIES": "1024",
        ].merging(settings) { _, given in given }
        let service = try ServeProcess(
            name: name, logPath: "\(directory)/\(services.count)-\(name).log", settings: all)
        services.append(service)
        return service
    }

    /// Starts sending a load of readings of some hundred patients.
    /// - Parameters:
    ///   - perSecond: a million or more is as fast as it goes.
    ///   - limit: ends by itself after so many.
    func feed(
        _ log: SentLog, perSecond: Int, limit: Int = .max, patients: Int = 300,
        seed: UInt64 = .random(in: 1..<1_000_000)
    ) throws -> Feeder {
        let start = WallClock.nowMilliseconds() - 7_200_000
        let feeder = try Feeder(
            log, LoadStream(seed: seed, patients: patients, now: start), perSecond: perSecond, limit: limit)
        feeders.append(feeder)
        return feeder
    }

    /// A proxy before the database; give its port to `databaseURL`.
    func proxy() throws -> WireProxy {
        let proxy = try WireProxy(target: server.port)
        proxies.append(proxy)
        return proxy
    }

    // MARK: - States

    /// Sum of the ledger's positions: how many messages of a topic that began at 0 are in the database.
    func position(_ log: SentLog, group: String = "lab") throws -> Int {
        var connection = try connect()
        return try Self.position(&connection, log, group)
    }

    static func position(_ connection: inout Connection, _ log: SentLog, _ group: String) throws -> Int {
        let found = try connection.query(
            "SELECT coalesce(sum(next_offset), 0)::bigint FROM ops.partition_progress "
                + "WHERE consumer_group = $1 AND topic = $2", [group, log.topic])
        return Int(found.int64(0, 0))
    }

    /// Waits until the ledger stands at `position` or beyond; nil: at the end of what was sent.
    func awaitPosition(
        _ log: SentLog, at wanted: Int? = nil, group: String = "lab", within limit: Duration = .seconds(90)
    ) throws {
        var connection = try connect()
        var found = -1
        try eventually("ledger of \(group) at \(wanted ?? log.count) (it is at \(found))", within: limit) {
            found = try Self.position(&connection, log, group)
            return found >= wanted ?? log.count
        }
    }

    /// A digest of every reading and every replaced value, all columns.
    func checksum() throws -> String {
        var connection = try connect()
        let found = try connection.query(
            """
            SELECT (SELECT md5(coalesce(string_agg(v::text, '|' ORDER BY patient_id, recorded_at), ''))
                FROM silver.vital_reading AS v)
                || (SELECT md5(coalesce(string_agg(h::text, '|' ORDER BY h::text), ''))
                FROM silver.vital_reading_history AS h)
            """)
        return found.text(0, 0)
    }

    /// How many readings are stored.
    func rows() throws -> Int64 {
        var connection = try connect()
        return try connection.query("SELECT count(*) FROM silver.vital_reading").int64(0, 0)
    }

    // MARK: - Judgements

    /// The database must hold what the naive fold of the log says, and the journal of its moves must be sound.
    func judge(_ log: SentLog, group: String = "lab", against wanted: NaiveFold? = nil) throws {
        var connection = try connect()
        let state = try DatabaseState(&connection, group: group, topic: log.topic)
        var differences = state.differences(from: wanted ?? NaiveFold(log))
        differences += try ProgressJournal.faults(&connection)
        let position = try Self.position(&connection, log, group)
        if position != log.count { differences.append("ledger at \(position), log ends at \(log.count)") }
        if !differences.isEmpty { throw TestFailure(differences.joined(separator: "\n")) }
    }

    /// `vitalstream verify --against-log` must agree.
    func verify(_ log: SentLog) throws {
        let run = try Programs.run(["verify", "--against-log"], settings: commandSettings(log))
        guard run.status?.isSuccess == true else { throw TestFailure("verify --against-log: \(run.output)") }
    }

    /// `vitalstream offsets set`.
    func sendBack(_ log: SentLog, partition: Int, to place: String, group: String = "lab") throws {
        let run = try Programs.run(
            ["offsets", "set", "--topic", log.topic, "--partition", "\(partition)", "--to", place, "--yes"],
            settings: commandSettings(log, group: group))
        guard run.status?.isSuccess == true else { throw TestFailure("offsets set: \(run.output)") }
    }

    private func commandSettings(_ log: SentLog, group: String = "lab") -> [String: String] {
        [
            "KAFKA_BOOTSTRAP_SERVERS": log.bootstrapServers, "KAFKA_GROUP_ID": group, "VITALS_TOPIC": log.topic,
            "DATABASE_URL": databaseURL(tag: ProgressJournal.operatorTag),
        ]
    }

    /// No service may write a patient's id or a payload's text, and every line is JSON.
    private func judgeLogs() throws {
        for service in services {
            _ = try service.records()
            let text = try service.log.lowercased()
            for secret in [Patients.mark, Patients.marker] where text.contains(secret) {
                let line = text.split(separator: "\n").first { $0.contains(secret) } ?? ""
                throw TestFailure("\(service.name) logs patient data: \(line)")
            }
        }
    }

    private func close() {
        for proxy in proxies { proxy.stop() }
        for feeder in feeders { feeder.abandon() }
        for service in services { service.process.signal(9) }
        for service in services { _ = service.process.wait(within: .seconds(10)) }
        do {
            if server.pid != nil {
                var connection = try Connection.open(server.connectionURL(), applicationName: "laboratory")
                try connection.execute("DROP DATABASE IF EXISTS \(database) WITH (FORCE)")
            }
            try FileSystem.removeTree(directory)
        } catch {
            Issue.record("the laboratory could not be cleared: \(error)")
        }
    }
}
