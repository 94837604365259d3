/// The body of `/readyz`: the judgement and the snapshot it was made from. Written here and read back here, so that
/// `vitalstream demo` shows what the service itself says.
public struct ReadinessReport: Sendable, Equatable {
    /// Why the service is not ready; empty when it is.
    public let reasons: [String]
    /// What was judged.
    public let health: ServiceHealth

    /// Judges a snapshot.
    public init(health: ServiceHealth) {
        self.reasons = HealthJudgement.reasonsNotReady(health)
        self.health = health
    }

    /// Whether the service does its work on every partition it owns.
    public var isReady: Bool { reasons.isEmpty }

    // MARK: Writing

    /// The report as JSON text.
    public var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("status", isReady ? "ready" : "not ready")
            writer.member("reasons", reasons)
            writer.array("lanes", health.lanes) { writer, lane in Self.write(lane, to: &writer) }
        }
        return writer.bytes
    }

    private static func write(_ lane: LaneHealth, to writer: inout JSONWriter) {
        writer.member("name", lane.name)
        writer.member("lastTurnAgeMilliseconds", lane.lastTurnAgeMilliseconds)
        writer.member("group", lane.membership == .joined ? "joined" : "joining")
        switch lane.database {
        case .writable:
            writer.member("database", "writable")
        case .unavailable(let reason):
            writer.member("database", "unavailable")
            writer.member("databaseReason", reason)
        }
        if let latency = lane.commitLatency {
            writer.object("commitLatency") { writer in
                writer.member("p50Milliseconds", latency.p50Milliseconds)
                writer.member("p99Milliseconds", latency.p99Milliseconds)
            }
        }
        writer.object("counters") { writer in
            for field in LaneCounters.fields { writer.member(field.name, lane.counters[keyPath: field.path]) }
        }
        writer.array("partitions", lane.partitions) { writer, partition in Self.write(partition, to: &writer) }
    }

    private static func write(_ partition: PartitionHealth, to writer: inout JSONWriter) {
        writer.member("topic", partition.topic)
        writer.member("partition", Int64(partition.partition))
        writer.member("lag", partition.lag)
        switch partition.state {
        case .running:
            writer.member("state", "running")
        case .waiting(let reason):
            writer.member("state", "waiting")
            writer.member("reason", reason)
        case .stopped(let reason):
            writer.member("state", "stopped")
            writer.member("reason", reason)
        }
    }

    // MARK: Reading

    /// Reads a report back. Unknown members are passed over.
    public init(parsing json: [UInt8]) throws(JSONError) {
        let root = try JSONValue(parsing: json)
        reasons = try root.elements("reasons").map { value throws(JSONError) in try value.text() }
        health = ServiceHealth(lanes: try root.elements("lanes").map(Self.lane))
    }

    private static func lane(_ value: JSONValue) throws(JSONError) -> LaneHealth {
        var counters = LaneCounters()
        for field in LaneCounters.fields {
            counters[keyPath: field.path] = try value.member("counters").member(field.name).integer()
        }
        var latency: CommitLatency?
        if let found = value.optionalMember("commitLatency") {
            latency = CommitLatency(
                p50Milliseconds: try found.member("p50Milliseconds").double(),
                p99Milliseconds: try found.member("p99Milliseconds").double())
        }
        let isWritable = try value.member("database").text() == "writable"
        return LaneHealth(
            name: try value.member("name").text(),
            lastTurnAgeMilliseconds: try value.member("lastTurnAgeMilliseconds").integer(),
            membership: try value.member("group").text() == "joined" ? .joined : .joining,
            database: isWritable ? .writable : .unavailable(reason: try value.member("databaseReason").text()),
            partitions: try value.elements("partitions").map(Self.partition),
            commitLatency: latency, counters: counters)
    }

    private static func partition(_ value: JSONValue) throws(JSONError) -> PartitionHealth {
        let state: PartitionHealth.State
        switch try value.member("state").text() {
        case "running": state = .running
        case "waiting": state = .waiting(reason: try value.member("reason").text())
        case "stopped": state = .stopped(reason: try value.member("reason").text())
        default: throw .unexpected(member: "state")
        }
        guard let number = Int32(exactly: try value.member("partition").integer()) else {
            throw .unexpected(member: "partition")
        }
        let lag = try value.member("lag")
        return PartitionHealth(
            topic: try value.member("topic").text(), partition: number,
            lag: lag == .null ? nil : try lag.integer(), state: state)
    }
}
