internal import Kafka
internal import Service

/// The broker of a run: Apache Kafka where KAFKA_HOME names it, else the embedded one in a process of its own.
final class BenchBroker {
    enum Kind: String {
        case kafka = "Apache Kafka"
        case embedded = "embedded broker"
    }

    let kind: Kind
    let address: String
    /// Process whose time is the broker's.
    let pid: Int32
    /// Partitions of a backlog's topic. The embedded broker keeps 5 MiB a partition, so it needs many for a backlog.
    var backlogPartitions: Int { kind == .kafka ? 4 : 64 }
    /// The most messages of about 330 bytes that a topic can hold until they are read.
    var backlogLimit: Int { kind == .kafka ? .max : 600_000 }

    private let tool: String
    private let directory: String
    private let embedded: ChildProcess?

    init(program: String) throws {
        directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-bench-kafka")
        guard let home = HostProcess.environment["KAFKA_HOME"], !home.isEmpty else {
            kind = .embedded
            tool = ""
            var command = ChildCommand(program, ["broker", "--partitions", "64"])
            command.output = .pipe
            command.error = .file(directory + "/broker.log", appending: false)
            command.ownProcessGroup = true
            command.diesWithParent = true
            let child = try ChildProcess(command)
            guard let line = child.waitForLine(containing: ":", within: .seconds(10)) else {
                throw BenchError("the embedded broker told no address within 10 s")
            }
            embedded = child
            address = line
            pid = child.pid
            return
        }
        kind = .kafka
        embedded = nil
        tool = home + "/kafka"
        let port = 31_001 + Int.random(in: 0..<900) * 2
        let start = try ChildProcess.run(
            tool,
            [
                "start", "--dir", directory, "--port", "\(port)", "--set", "log.message.timestamp.type=LogAppendTime",
                "--set", "group.initial.rebalance.delay.ms=0",
            ], within: .seconds(90))
        guard start.status?.isSuccess == true else { throw BenchError("kafka start: \(start.output)") }
        address = "127.0.0.1:\(port)"
        pid = try Self.processNaming(directory)
    }

    /// Makes a topic.
    func createTopic(_ name: String, partitions: Int) throws {
        // The embedded broker makes its one topic itself, and others with 4 partitions when they are asked for.
        if kind == .embedded { return }
        var admin = try Admin(properties: [("bootstrap.servers", address)])
        try admin.createTopic(name, partitions: partitions, configuration: [("segment.bytes", "536870912")])
    }

    /// Frees a topic's disk.
    func deleteTopic(_ name: String) throws {
        if kind == .embedded { return }
        var admin = try Admin(properties: [("bootstrap.servers", address)])
        try admin.deleteTopic(name)
    }

    /// Ends it and removes what it kept.
    func remove() {
        embedded?.stop(within: .seconds(5))
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
