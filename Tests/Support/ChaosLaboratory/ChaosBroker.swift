internal import Glibc
internal import Kafka
internal import Service
internal import TestSupport

/// The broker of a chaos run: Apache Kafka where KAFKA_HOME names it, else the embedded one in a process of its own.
final class ChaosBroker {
    static let topic = "vitals"
    static let partitions = 8
    /// The shortest session that both kinds take.
    static let sessionMilliseconds = 4_000

    let bootstrapServers: String
    let isReal: Bool
    private let directory: String
    private let tool: String
    private let embedded: ChildProcess?

    init(directory: String) throws {
        self.directory = directory + "/kafka"
        if let home = HostProcess.environment["KAFKA_HOME"], !home.isEmpty {
            isReal = true
            embedded = nil
            tool = home + "/kafka"
            // Below the range the system gives to clients.
            let port = 31_001 + Int.random(in: 0..<400) * 4
            bootstrapServers = "127.0.0.1:\(port)"
            try call([
                "start", "--port", "\(port)", "--set", "group.min.session.timeout.ms=\(Self.sessionMilliseconds)",
                "--set", "group.initial.rebalance.delay.ms=0",
            ])
            var admin = try Admin(properties: [("bootstrap.servers", bootstrapServers)])
            try admin.createTopic(Self.topic, partitions: Self.partitions)
            return
        }
        isReal = false
        tool = ""
        var command = try Programs.command(["broker", "--partitions", "\(Self.partitions)"], settings: [:])
        command.error = .null
        let process = try ChildProcess(command)
        guard let address = process.waitForLine(containing: ":", within: .seconds(10)) else {
            throw TestFailure("the embedded broker told no address")
        }
        embedded = process
        bootstrapServers = address
    }

    /// Stands still, or goes on.
    func pause(_ isPaused: Bool) throws {
        let signal = isPaused ? SIGSTOP : SIGCONT
        if let embedded {
            embedded.signal(signal)
            return
        }
        let text = try FileSystem.readText(directory + "/1.pid")
        if let pid = Int32(text.filter(\.isNumber)) { Glibc.kill(pid, signal) }
    }

    /// SIGKILL, or an orderly end.
    func end(killed: Bool) throws { try call(killed ? ["kill", "1"] : ["stop"]) }

    func startAgain() throws { try call(["start-broker", "1"]) }

    /// Where each partition's log ends.
    func ends() throws -> [Int64] {
        var reader = try LogReader(properties: [("bootstrap.servers", bootstrapServers)])
        return try (0..<Self.partitions).map { number in
            try reader.watermarks(of: TopicPartition(topic: Self.topic, partition: Int32(number))).high
        }
    }

    func remove() throws {
        if let embedded {
            embedded.signal(SIGKILL)
            _ = embedded.wait(within: .seconds(5))
        } else {
            try call(["clean"])
        }
    }

    private func call(_ arguments: [String]) throws {
        let run = try ChildProcess.run(tool, arguments + ["--dir", directory], within: .seconds(90))
        guard run.status?.isSuccess == true else { throw TestFailure("kafka \(arguments): \(run.output)") }
    }
}
