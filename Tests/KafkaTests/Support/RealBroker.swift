import Kafka
import Service
import Testing

/// Apache Kafka in a temporary directory, for the suites marked `.realBroker`; only where KAFKA_HOME says where it is.
struct RealBroker: SuiteTrait, TestTrait, TestScoping {
    /// Address of the suite's broker.
    @TaskLocal static var bootstrapServers = ""

    static var home: String? { HostProcess.environment["KAFKA_HOME"] }
    static var isAvailable: Bool { home != nil }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard let home = Self.home else { return }
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-kafka-tests")
        // Below the range the system gives to clients; another test process would have to meet the same one.
        let port = 20_000 + Int.random(in: 0..<5_000) * 2
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
        try await Self.$bootstrapServers.withValue("127.0.0.1:\(port)") { try await function() }
    }
}

extension Trait where Self == RealBroker {
    /// Starts a real broker around the suite.
    static var realBroker: RealBroker { RealBroker() }
}
