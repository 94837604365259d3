import Kafka
import Postgres
import Service
import TestSupport
import Testing

/// Apache Kafka with a port for each way to reach it, and a database without any protection; only where KAFKA_HOME says
/// where Kafka is.
final class SecureBroker: Sendable {
    @TaskLocal static var current: SecureBroker?

    static var home: String? { HostProcess.environment["KAFKA_HOME"] }
    static var isAvailable: Bool { home != nil }

    static let topic = "vitals"
    static let user = "vitalstream"
    /// Of PLAIN; occurs nowhere but where it has to be.
    static let password = "swordfish-9e27"
    /// Of SCRAM, as the tool that starts the broker sets it.
    static let scramPassword = "correct-horse"

    /// A listener.
    enum Port: Int, Sendable {
        case plaintext = 0
        case tls = 100
        case login = 101
        case mutual = 102
        case expired = 103
    }

    let directory: String
    let server: PrivateServer
    /// Signed the certificates of all ports, for 127.0.0.1 alone.
    let authority: Authority
    let stranger: Authority
    let client: KeyPair
    let strangeClient: KeyPair
    private let firstPort: Int
    private let tool: String

    init(home: String) throws {
        tool = home + "/kafka"
        directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-security-tests")
        // Below the range the system gives to clients; another test process would have to meet the same ones.
        firstPort = 26_000 + Int.random(in: 0..<250) * 8
        authority = try Authority("ward-authority", in: directory)
        stranger = try Authority("stranger", in: directory)
        client = try authority.sign("service")
        strangeClient = try stranger.sign("service")
        server = try PrivateServer(settings: [("max_connections", "60")], isDurable: false)
        let good = try authority.sign("broker", names: "IP:127.0.0.1")
        let old = try authority.sign("broker-old", days: -1, names: "IP:127.0.0.1")
        try startBroker(good, old)
        var admin = try Admin(properties: [("bootstrap.servers", address(.plaintext))])
        try admin.createTopic(
            Self.topic, partitions: 1, configuration: [("message.timestamp.type", "LogAppendTime")])
        let migrated = try Program.run(["migrate"], ["DATABASE_URL": server.connectionURL()])
        guard migrated.code == 0 else { throw TestFailure("migrate: \(migrated.text)") }
    }

    private func startBroker(_ good: KeyPair, _ old: KeyPair) throws {
        let listeners =
            "PLAINTEXT://\(address(.plaintext)),SSL://\(address(.tls)),SASL_SSL://\(address(.login)),"
            + "MUTUAL://\(address(.mutual)),EXPIRED://\(address(.expired))"
        let properties = [
            "listeners=\(listeners),CONTROLLER://127.0.0.1:\(firstPort + 1)",
            "advertised.listeners=\(listeners)",
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,"
                + "MUTUAL:SSL,EXPIRED:SSL",
            "ssl.keystore.location=\(good.both)", "ssl.truststore.location=\(authority.file)", "ssl.client.auth=none",
            "listener.name.mutual.ssl.client.auth=required",
            "listener.name.expired.ssl.keystore.type=PEM", "listener.name.expired.ssl.keystore.location=\(old.both)",
            "listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule "
                + "required user_\(Self.user)=\"\(Self.password)\";",
        ]
        let start = try ChildProcess.run(
            tool,
            ["start", "--secure", "--dir", directory + "/kafka", "--port", "\(firstPort)"]
                + properties.flatMap { ["--set", $0] }, within: .seconds(90))
        guard start.status?.isSuccess == true else { throw TestFailure("kafka start: \(start.output)") }
    }

    /// Ends broker and server and removes the files.
    func remove() throws {
        _ = try ChildProcess.run(tool, ["clean", "--dir", directory + "/kafka"], within: .seconds(60))
        server.remove()
        try FileSystem.removeTree(directory)
    }

    func address(_ port: Port, host: String = "127.0.0.1") -> String { "\(host):\(firstPort + port.rawValue)" }

    /// Everything that is right for a port, unless it is changed; nil leaves a setting out.
    func settings(
        _ port: Port, host: String = "127.0.0.1", _ changes: [String: String?] = [:]
    ) throws -> [String: String] {
        var all: [String: String?] = [
            "KAFKA_BOOTSTRAP_SERVERS": address(port, host: host),
            "KAFKA_GROUP_ID": "security-\(UUIDBytes.random().text)",
            "VITALS_TOPIC": Self.topic, "LANES": "1", "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0",
            "DATABASE_URL": server.connectionURL(),
        ]
        if port != .plaintext {
            all["KAFKA_CONFIG_SECURITY_PROTOCOL"] = port == .login ? "sasl_ssl" : "ssl"
            all["KAFKA_CONFIG_SSL_CA_LOCATION"] = authority.file
        }
        if port == .login {
            all["KAFKA_CONFIG_SASL_MECHANISM"] = "PLAIN"
            all["KAFKA_CONFIG_SASL_USERNAME"] = Self.user
            all["KAFKA_CONFIG_SASL_PASSWORD_FILE"] = try file(Self.password)
        }
        if port == .mutual {
            all["KAFKA_CONFIG_SSL_CERTIFICATE_LOCATION"] = client.certificate
            all["KAFKA_CONFIG_SSL_KEY_LOCATION"] = client.key
        }
        all.merge(changes) { $1 }
        return all.compactMapValues { $0 }
    }

    /// A file with a secret.
    func file(_ secret: String) throws -> String {
        let path = "\(directory)/secret-\(UUIDBytes.random().text)"
        try FileSystem.writeText(path, secret + "\n")
        return path
    }

    /// Sends a reading, by the port without protection.
    func send(heartRate: Int) throws {
        var producer = try Producer(properties: [("bootstrap.servers", address(.plaintext))])
        let id = UUIDBytes.random().text
        let payload =
            "{\"patientId\":\"\(id)\",\"timestamp\":\(WallClock.nowMilliseconds()),\"heartRate\":\(heartRate)}"
        let result = producer.enqueue(
            topic: Self.topic, partition: 0, key: Array(id.utf8), payload: Array(payload.utf8), headers: [])
        guard result == .queued, producer.flush(within: .seconds(30)) == 0, producer.failedCount == 0 else {
            throw TestFailure("the reading was not delivered: \(result)")
        }
    }
}

/// One `SecureBroker` around a suite.
struct SecureBrokerTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard let home = SecureBroker.home else { return }
        let broker = try SecureBroker(home: home)
        try await SecureBroker.$current.withValue(broker) { try await function() }
        try broker.remove()
    }
}

extension Trait where Self == SecureBrokerTrait {
    /// The broker.
    static var secureBroker: Self { Self() }
}
