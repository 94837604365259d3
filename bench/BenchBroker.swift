internal import Kafka
internal import Service

/// The broker of a run: Apache Kafka where KAFKA_HOME names it, else the embedded one in a process of its own.
final class BenchBroker {
    enum Kind: String {
        case kafka = "Apache Kafka"
        case embedded = "embedded broker"
    }

    let kind: Kind
    /// The most messages of about 330 bytes that a topic can hold until they are read.
    var backlogLimit: Int { kind == .kafka ? .max : 600_000 }

    private let program: String
    private let tool: String
    private let directory: String
    private var kafka: (address: String, pid: Int32)?
    /// One embedded broker a topic: each makes one topic itself, with the partitions asked for.
    private var embedded: [String: (address: String, child: ChildProcess)] = [:]

    init(program: String) throws {
        self.program = program
        directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-bench-kafka")
        guard let home = HostProcess.environment["KAFKA_HOME"], !home.isEmpty else {
            kind = .embedded
            tool = ""
            return
        }
        kind = .kafka
        tool = home + "/kafka"
        let port = 31_001 + Int.random(in: 0..<450) * 2
        let start = try ChildProcess.run(
            tool,
            [
                "start", "--dir", directory, "--port", "\(port)", "--set", "log.message.timestamp.type=LogAppendTime",
                "--set", "group.initial.rebalance.delay.ms=0",
            ], within: .seconds(90))
        guard start.status?.isSuccess == true else { throw BenchError("kafka start: \(start.output)") }
        kafka = ("127.0.0.1:\(port)", try Self.processNaming(directory))
    }

    /// Makes a topic.
    /// - Parameter isBacklog: it must hold many messages until they are read. The embedded broker keeps 5 MiB a
    ///   partition, so it then gets 64 of them.
    func createTopic(_ name: String, partitions: Int, isBacklog: Bool = true) throws {
        if let kafka {
            var admin = try Admin(properties: [("bootstrap.servers", kafka.address)])
            return try admin.createTopic(
                name, partitions: partitions, configuration: [("segment.bytes", "536870912")])
        }
        let count = isBacklog ? 64 : partitions
        var command = ChildCommand(program, ["broker", "--partitions", "\(count)"])
        command.environment = ["PATH": "/usr/bin:/bin", "VITALS_TOPIC": name]
        command.output = .pipe
        command.error = .file(directory + "/\(name).log", appending: false)
        command.ownProcessGroup = true
        command.diesWithParent = true
        let child = try ChildProcess(command)
        guard let line = child.waitForLine(containing: ":", within: .seconds(10)) else {
            throw BenchError("the embedded broker told no address within 10 s")
        }
        embedded[name] = (line, child)
    }

    /// Where clients of a topic find the broker.
    func address(of topic: String) throws -> String {
        guard let address = kafka?.address ?? embedded[topic]?.address else { throw BenchError("no topic \(topic)") }
        return address
    }

    /// Processor time of the broker so far.
    func processorSeconds(of topic: String) -> Double {
        (kafka?.pid ?? embedded[topic]?.child.pid).map { ProcessFigures.processorSeconds(of: $0) } ?? 0
    }

    /// Frees what a topic takes.
    func deleteTopic(_ name: String) throws {
        if let kafka {
            var admin = try Admin(properties: [("bootstrap.servers", kafka.address)])
            return try admin.deleteTopic(name)
        }
        embedded.removeValue(forKey: name)?.child.stop(within: .seconds(5))
    }

    /// Ends it and removes what it kept.
    func remove() {
        for broker in embedded.values { broker.child.stop(within: .seconds(5)) }
        do {
            if kind == .kafka {
                _ = try ChildProcess.run(tool, ["clean", "--dir", directory], within: .seconds(60))
            }
            try FileSystem.removeTree(directory)
        } catch {
            Console.writeError("vitalstream-bench: \(directory) stays: \(error)")
        }
    }

    /// The process whose command line names a directory.
    private static func processNaming(_ directory: String) throws -> Int32 {
        for entry in try FileSystem.entries(of: "/proc") {
            guard let pid = Int32(entry), pid != HostProcess.identifier,
                // It may have ended since the directory was read.
                let line = try? FileSystem.readText("/proc/\(pid)/cmdline"), line.contains(directory),
                line.contains("kafka.Kafka")
            else { continue }
            return pid
        }
        throw BenchError("no process of the broker in \(directory)")
    }
}
