internal import API
internal import Kafka
internal import Service

/// What a figure was measured on.
struct Machine {
    let facts: [(String, String)]

    init(_ bench: Bench) throws {
        let cpu = try FileSystem.readText("/proc/cpuinfo").split(separator: "\n")
            .first { $0.hasPrefix("model name") }?.split(separator: ":").last
        let memory = try FileSystem.readText("/proc/meminfo").split(separator: "\n")
            .first { $0.hasPrefix("MemTotal") }?.split(separator: " ").dropFirst().first
        let kernel = try FileSystem.readText("/proc/sys/kernel/osrelease")
        let load = try FileSystem.readText("/proc/loadavg").split(separator: " ").prefix(3).joined(separator: " ")
        facts = [
            ("processor", "\(HostProcess.processorCount) x \(cpu.map { String($0.drop { $0 == " " }) } ?? "unknown")"),
            ("memory", "\((memory.flatMap { Int($0) } ?? 0) / 1_048_576) GiB"),
            ("kernel", String(kernel.prefix { $0 != "\n" })),
            ("load before", load),
            ("commit", HostProcess.buildCommit),
            ("librdkafka", KafkaLibrary.version),
            ("broker", bench.broker.kind.rawValue),
            ("settings given", Bench.passedOn.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")),
            ("PostgreSQL", try bench.database.version()),
            ("PostgreSQL's settings", bench.database.settings.map { "\($0)=\($1)" }.joined(separator: " ")),
        ]
    }

    var json: JSONValue { .object(Dictionary(uniqueKeysWithValues: facts.map { ($0, .string($1)) })) }

    var lines: [String] { facts.map { "\($0): \($1)" } }
}
