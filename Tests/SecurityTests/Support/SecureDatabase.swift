import Kafka
import Postgres
import Service
import TestSupport
import Testing

/// Three PostgreSQL servers of a hospital that takes TLS seriously, seriously but with an expired certificate, and not
/// at all; and a broker without any protection, for what `check` and `serve` ask of one.
///
/// Unchecked: nothing changes, and any thread may call a `MockCluster`.
final class SecureDatabase: @unchecked Sendable {
    @TaskLocal static var current: SecureDatabase?

    static let topic = "vitals"
    /// Occurs nowhere but where it has to be.
    static let password = "open-sesame-5c1f"

    /// Takes nobody without TLS.
    let server: PrivateServer
    let expired: PrivateServer
    let plain: PrivateServer
    let authority: Authority
    let stranger: Authority
    /// Of `ward_certificate`, who comes in by it.
    let client: KeyPair
    let expiredClient: KeyPair
    let strangeClient: KeyPair
    /// Has 20 days left.
    let endingClient: KeyPair
    let directory: String
    private let serverDirectory: String
    private let cluster: MockCluster

    init() throws {
        directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-security-tests")
        serverDirectory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-security-server")
        authority = try Authority("ward-authority", in: directory)
        stranger = try Authority("stranger", in: directory)
        client = try authority.sign("ward_certificate")
        expiredClient = try authority.sign("ward_expired", days: -1)
        strangeClient = try stranger.sign("ward_certificate")
        endingClient = try authority.sign("ward_ending", days: 20)
        let good = try Self.keep(try authority.sign("db", names: "DNS:db.test,IP:127.0.0.1"), serverDirectory, "good")
        let old = try Self.keep(
            try authority.sign("old", days: -1, names: "IP:127.0.0.1"), serverDirectory, "old")
        try FileSystem.writeText(serverDirectory + "/ca.pem", try FileSystem.readText(authority.file))
        try FileSystem.writeText(
            serverDirectory + "/hba",
            """
            local all all trust
            hostssl all ward_certificate 127.0.0.1/32 cert
            hostssl all all 127.0.0.1/32 scram-sha-256
            """)
        // The server refuses root, and a key that belongs to anybody but itself and root.
        if FileSystem.entriesBelongToRoot {
            let account = UserAccount.named("postgres") ?? UserAccount.named("nobody")
            try FileSystem.changeOwner(ofTree: serverDirectory, to: #require(account))
        }
        let common = [("max_connections", "40"), ("hba_file", serverDirectory + "/hba"), ("ssl", "on")]
        server = try PrivateServer(
            listening: .loopback(port: nil), settings: common + good + [("ssl_ca_file", serverDirectory + "/ca.pem")],
            isDurable: false)
        expired = try PrivateServer(listening: .loopback(port: nil), settings: common + old, isDurable: false)
        plain = try PrivateServer(
            listening: .loopback(port: nil), settings: [("max_connections", "10")], isDurable: false)
        cluster = try MockCluster()
        // It would make the topic as soon as a service asks for it.
        cluster.setTopic("patient-flow", error: 3)
        try cluster.createTopic(Self.topic, partitions: 1)
        let migrated = try Program.run(["migrate"], ["DATABASE_URL": server.connectionURL()])
        guard migrated.code == 0 else { throw TestFailure("migrate: \(migrated.text)") }
        var connection = try Connection.open(server.connectionURL(), applicationName: "tests")
        try connection.execute(
            """
            CREATE ROLE ward_password LOGIN PASSWORD '\(Self.password)' IN ROLE vitalstream_service;
            CREATE ROLE ward_certificate LOGIN IN ROLE vitalstream_service;
            """)
    }

    /// Ends the servers and removes the files.
    func remove() throws {
        for server in [server, expired, plain] { server.remove() }
        try FileSystem.removeTree(directory)
        try FileSystem.removeTree(serverDirectory)
    }

    /// Settings with this connection string in a file.
    func settings(_ connection: String) throws -> [String: String] {
        let path = "\(directory)/url-\(UUIDBytes.random().text)"
        try FileSystem.writeText(path, connection + "\n")
        return [
            "KAFKA_BOOTSTRAP_SERVERS": cluster.bootstrapServers,
            "KAFKA_GROUP_ID": "security-\(UUIDBytes.random().text)",
            "VITALS_TOPIC": Self.topic, "LANES": "1", "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0",
            "DATABASE_URL_FILE": path, "MIGRATE": "off",
        ]
    }

    /// A connection string to a server, with everything that is right unless it is changed; nil leaves a keyword out.
    func connection(to server: PrivateServer, _ changes: [String: String?] = [:]) -> String {
        var words: [String: String?] = [
            "host": "127.0.0.1", "port": "\(server.port)", "dbname": "postgres", "user": "ward_password",
            "password": Self.password, "sslmode": "verify-full", "sslrootcert": authority.file,
        ]
        words.merge(changes) { $1 }
        return words.sorted { $0.key < $1.key }.compactMap { name, value in value.map { "\(name)='\($0)'" } }
            .joined(separator: " ")
    }

    /// Key and certificate where a server finds them, as its settings.
    private static func keep(_ pair: KeyPair, _ directory: String, _ name: String) throws -> [(String, String)] {
        let place = "\(directory)/\(name)"
        try FileSystem.rename(pair.certificate, to: place + ".pem")
        try FileSystem.rename(pair.key, to: place + ".key")
        return [("ssl_cert_file", place + ".pem"), ("ssl_key_file", place + ".key")]
    }
}

extension FileSystem {
    /// Whether we are root, whom PostgreSQL refuses.
    static var entriesBelongToRoot: Bool {
        do throws(SystemError) {
            return try readText("/proc/self/status").contains("\nUid:\t0\t")
        } catch {
            return false
        }
    }
}

/// One `SecureDatabase` around a suite.
struct SecureDatabaseTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let database = try SecureDatabase()
        try await SecureDatabase.$current.withValue(database) { try await function() }
        try database.remove()
    }
}

extension Trait where Self == SecureDatabaseTrait {
    /// The servers.
    static var secureDatabase: Self { Self() }
}
