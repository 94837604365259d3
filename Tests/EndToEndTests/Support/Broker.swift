import Kafka
import Postgres
import Service
import Testing

/// A broker that a test talks to: librdkafka's mock in this process, or Apache Kafka where KAFKA_HOME names it.
protocol Broker: AnyObject, Sendable {
    var bootstrapServers: String { get }
    func createTopic(_ name: String, partitions: Int) throws
}

/// librdkafka's mock cluster. It keeps 5 MiB a partition, and a group forms after 3 s.
///
/// Unchecked: any thread may call a `MockCluster`, and nothing of this class changes.
final class MockBroker: Broker, @unchecked Sendable {
    let cluster: MockCluster
    let bootstrapServers: String

    init() throws(KafkaError) {
        cluster = try MockCluster()
        // It would make the topic as soon as a service asks for it.
        cluster.setTopic("patient-flow", error: 3)
        bootstrapServers = cluster.bootstrapServers
    }

    func createTopic(_ name: String, partitions: Int) throws {
        try cluster.createTopic(name, partitions: partitions)
    }
}

/// Apache Kafka in a temporary directory, around a suite; only where KAFKA_HOME says where it is.
final class RealBroker: Broker {
    @TaskLocal static var current: RealBroker?

    static var home: String? { HostProcess.environment["KAFKA_HOME"] }
    static var isAvailable: Bool { home != nil }

    let bootstrapServers: String

    init(bootstrapServers: String) {
        self.bootstrapServers = bootstrapServers
    }

    func createTopic(_ name: String, partitions: Int) throws {
        var admin = try admin()
        try admin.createTopic(name, partitions: partitions)
    }

    func admin() throws(KafkaError) -> Admin {
        try Admin(properties: [("bootstrap.servers", bootstrapServers)])
    }
}

/// Starts one real broker around the suite.
struct RealBrokerTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard let home = RealBroker.home else { return }
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-kafka-end-to-end")
        // Below the range the system gives to clients; another test process would have to meet the same one.
        let port = 30_001 + Int.random(in: 0..<1_000) * 2
        let tool = home + "/kafka"
        defer {
            do {
                _ = try ChildProcess.run(tool, ["clean", "--dir", directory], within: .seconds(60))
                try FileSystem.removeTree(directory)
            } catch {
                Issue.record("the broker's directory \(directory) stays: \(error)")
            }
        }
        let start = try ChildProcess.run(
            tool, ["start", "--dir", directory, "--port", String(port)], within: .seconds(90))
        try #require(start.status?.isSuccess == true, "kafka start: \(start.output)")
        let broker = RealBroker(bootstrapServers: "127.0.0.1:\(port)")
        try await RealBroker.$current.withValue(broker) { try await function() }
    }
}

extension Trait where Self == RealBrokerTrait {
    /// One real broker for the whole suite.
    static var realBroker: RealBrokerTrait { RealBrokerTrait() }
}

/// Starts one PostgreSQL, on the loopback address too, around a suite.
struct DatabaseServerTrait: SuiteTrait, TestScoping {
    @TaskLocal static var server: PrivateServer?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        // Survives a kill of the server all the same; only the machine's own crash would lose something.
        let server = try PrivateServer(
            listening: .loopback(port: nil), settings: [("max_connections", "100")], isDurable: false)
        defer { server.remove() }
        try await Self.$server.withValue(server) { try await function() }
    }
}

extension Trait where Self == DatabaseServerTrait {
    /// One private PostgreSQL for the whole suite.
    static var databaseServer: DatabaseServerTrait { DatabaseServerTrait() }
}
