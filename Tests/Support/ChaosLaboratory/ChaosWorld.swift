internal import Glibc
internal import Kafka
internal import Postgres
internal import Schema
internal import Service
internal import TestSupport

/// The processes of a chaos run, and what can be asked of them. One thread only: the children end with it.
final class ChaosWorld {
    static let group = "chaos"
    private static let database = "chaos"
    /// A hundred sessions would be more than the fleet ever needs; few are exhausted sooner.
    static let mostConnections = 30

    let directory: String
    let server: PrivateServer
    let broker: ChaosBroker
    private(set) var instances: [ChaosInstance] = []
    private var producers: [ChildProcess] = []
    private var watcher: StoredConnection?
    private(set) var peakKibibytes = 0
    let seed: UInt64
    private var bursts: UInt64 = 0

    /// A connection in a place of its own.
    final class StoredConnection {
        var connection: Connection
        init(_ connection: consuming Connection) { self.connection = connection }
    }

    init(seed: UInt64) throws {
        self.seed = seed
        directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-chaos")
        server = try PrivateServer(
            listening: .loopback(port: nil), settings: [("max_connections", "\(Self.mostConnections)")],
            isDurable: false)
        try server.createDatabase(Self.database)
        broker = try ChaosBroker(directory: directory)
        var connection = try connect()
        let migrations = Schema.migrations.map { Migration(number: $0.number, name: $0.name, sql: $0.sql) }
        _ = try Migrator(migrations).migrate(&connection)
        try connection.execute(ProgressJournal.schema)
        for number in 0..<2 { try addInstance(number) }
    }

    func addInstance(_ number: Int) throws {
        instances.append(
            try ChaosInstance(
                number: number, server: server.port, database: Self.database, broker: broker, directory: directory))
    }

    /// One process more, or one less.
    func toggleInstance() throws {
        if instances.count == 2 { return try addInstance(2) }
        let last = instances.removeLast()
        guard try end(last) else { throw TestFailure("serve-2 does not end when it is asked to") }
        last.proxy.stop()
    }

    /// SIGTERM. False when it does not end within 10 s and with success.
    func end(_ instance: ChaosInstance) throws -> Bool {
        instance.process.signal(SIGTERM)
        return instance.process.wait(within: .seconds(10))?.isSuccess == true
    }

    func connect() throws(PostgresError) -> Connection {
        try Connection.open(server.connectionURL(database: Self.database), applicationName: "laboratory")
    }

    /// As a superuser, beside the database.
    func administer(_ sql: String) throws {
        var connection = try Connection.open(server.connectionURL(), applicationName: "laboratory")
        try connection.execute(sql)
    }

    func endSessions() throws {
        try administer(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'vitalstream%'")
    }

    func setReadOnly(_ isReadOnly: Bool) throws {
        try administer(
            "ALTER DATABASE \(Self.database) SET default_transaction_read_only = \(isReadOnly ? "on" : "off")")
        try endSessions()
    }

    // MARK: - Load

    /// Starts the duplicate producer's whole mix, and one patient who sends much of everything.
    func startLoad(rate: Int) throws {
        // The embedded broker keeps 5 MiB a partition: one patient cannot have half of a minute there.
        let share = broker.isReal ? rate / 2 : min(rate / 2, 150)
        producers.append(
            try produce(
                "duplicate-vitals-producer",
                ["--rate", "\(rate - share)", "--patients", "2000", "--seed", "\(seed)", "--late", "0.02"]))
        producers.append(
            try produce("vitals-producer", ["--rate", "\(share)", "--patients", "1", "--seed", "\(seed + 1)"]))
    }

    func burst() throws {
        bursts += 1
        let count = broker.isReal ? 20_000 : 1_500
        producers.append(
            try produce(
                "duplicate-vitals-producer",
                ["--rate", "0", "--count", "\(count)", "--patients", "500", "--seed", "\(seed + 1 + bursts)"]))
    }

    private func produce(_ program: String, _ arguments: [String]) throws -> ChildProcess {
        var command = ChildCommand(try Programs.path(program), arguments)
        command.environment = Programs.environment([
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrapServers, "VITALS_TOPIC": ChaosBroker.topic,
        ])
        command.output = .file("\(directory)/producers.log", appending: true)
        command.error = .file("\(directory)/producers.log", appending: true)
        command.diesWithParent = true
        return try ChildProcess(command)
    }

    /// Ends the load; what is queued is delivered first.
    func stopLoad() {
        for producer in producers { producer.signal(SIGTERM) }
        for producer in producers where producer.wait(within: .seconds(20)) == nil { producer.signal(SIGKILL) }
        producers = []
    }

    /// How a producer that should still run has ended; nil when none has.
    var endedProducer: String? {
        // The first two are the load; bursts end by themselves.
        for producer in producers.prefix(2) {
            if let status = producer.exitStatus { return "\(status), see \(directory)/producers.log" }
        }
        return nil
    }

    // MARK: - Looking

    /// Where the ledger stands, by partition; nil when the database does not answer.
    func positions(of group: String = ChaosWorld.group) -> [Int64]? {
        do throws(PostgresError) {
            let stored: StoredConnection
            if let watcher { stored = watcher } else { stored = StoredConnection(try connect()) }
            watcher = stored
            let found = try stored.connection.query(
                "SELECT partition, next_offset FROM ops.partition_progress WHERE consumer_group = $1", [group])
            var positions = [Int64](repeating: 0, count: ChaosBroker.partitions)
            for row in 0..<found.rowCount { positions[Int(found.int64(row, 0))] = found.int64(row, 1) }
            return positions
        } catch {
            watcher = nil
            return nil
        }
    }

    func noteMemory() {
        for instance in instances { peakKibibytes = max(peakKibibytes, instance.peakKibibytes ?? 0) }
    }

    /// A text file; nil when it cannot be read, as when its process has just ended.
    static func text(_ path: String) -> String? {
        do throws(SystemError) { return try FileSystem.readText(path) } catch { return nil }
    }

    /// `verify --against-log`: exit code and what it wrote.
    func verify() throws -> CommandRun {
        let command = try Programs.command(
            ["verify", "--against-log"],
            settings: [
                "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrapServers, "KAFKA_GROUP_ID": Self.group,
                "VITALS_TOPIC": ChaosBroker.topic, "DATABASE_URL": server.connectionURL(database: Self.database),
            ])
        return Programs.finish(try ChildProcess(command), within: .seconds(600))
    }

    /// A `serve` of another group, which reads everything again.
    func readAgain() throws -> ChildProcess {
        var command = ChildCommand(try Programs.path("vitalstream"), ["serve"])
        command.environment = Programs.environment([
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrapServers, "KAFKA_GROUP_ID": "again",
            "VITALS_TOPIC": ChaosBroker.topic, "DATABASE_URL": server.connectionURL(database: Self.database),
            "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0", "MIGRATE": "off",
        ])
        command.output = .null
        command.error = .file("\(directory)/again.log", appending: true)
        command.diesWithParent = true
        return try ChildProcess(command)
    }

    /// A digest of every reading, replaced value and dead letter, all columns but the wall clock's.
    func checksum() throws -> String {
        var connection = try connect()
        return try connection.query(
            """
            SELECT (SELECT md5(coalesce(string_agg(md5(v::text), '' ORDER BY patient_id, recorded_at), ''))
                FROM silver.vital_reading AS v)
                || (SELECT md5(coalesce(string_agg(md5(h::text), '' ORDER BY md5(h::text)), ''))
                FROM silver.vital_reading_history AS h)
                || (SELECT count(*) FROM bronze.dead_letter)
            """
        ).text(0, 0)
    }

    /// Patients of whom a log of the service speaks.
    func patientsInLogs() throws -> Int {
        var connection = try connect()
        let found = try connection.query("SELECT DISTINCT patient_id::text FROM silver.vital_reading")
        let patients = Set((0..<found.rowCount).map { found.text($0, 0) })
        var count = 0
        for instance in 0..<3 {
            guard let text = Self.text("\(directory)/serve-\(instance).log") else { continue }
            let words = text.lowercased().split { !($0.isHexDigit || $0 == "-") }
            count += words.count { patients.contains(String($0)) }
        }
        return count
    }

    func journalFaults() throws -> [String] {
        var connection = try connect()
        return try ProgressJournal.faults(&connection)
    }

    /// Ends everything and leaves nothing behind.
    func close() throws {
        for producer in producers { producer.signal(SIGKILL) }
        for instance in instances {
            instance.process.signal(SIGCONT)
            instance.kill()
            instance.proxy.stop()
        }
        watcher = nil
        try broker.remove()
        server.remove()
        try FileSystem.removeTree(directory)
    }
}
