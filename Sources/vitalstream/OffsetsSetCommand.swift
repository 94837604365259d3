internal import Glibc
internal import Ingest
internal import Kafka
internal import Postgres
internal import Service

/// `vitalstream offsets set`: moves a partition to another offset, and books the jump.
enum OffsetsSetCommand {
    static func run(_ settings: ResolvedSettings) -> Int32 {
        CommandRun.run("offsets set", settings) {
            try set(settings)
            return 0
        }
    }

    private static func set(_ settings: ResolvedSettings) throws {
        let partition = TopicPartition(
            topic: settings.string("topic"), partition: Int32(truncatingIfNeeded: settings.integer("partition")))
        let group = settings.string("KAFKA_GROUP_ID")
        let ends = try ends(of: partition, settings)
        let target = try target(settings, ends, partition)
        var connection = try Connection.open(
            settings.string("DATABASE_URL"), applicationName: "vitalstream offsets")
        let rows = try LedgerRow.read(&connection).filter { $0.partition == partition }
        var identities: [String: OffsetsLogIdentity] = [:]
        for row in rows { identities[row.group] = try OffsetsLogIdentity.judge(row, ends, settings) }
        let others = rows.map(\.group).filter { $0 != group }
        let log = identities[group] ?? .unknown
        let jump = OffsetsJump(
            group: group, partition: partition, target: target, high: ends.high, log: log,
            keepers: others.filter { identities[$0] != .different })

        let row = rows.first { $0.group == group }
        let place = row.map { "\($0.nextOffset)" } ?? "not known yet"
        Console.writeLine(
            "\(TableText.printable(group)) \(partition): next_offset \(place) -> \(target); the log holds "
                + "\(ends.low) to \(ends.high)\(log.remark)")
        for line in try jump.consequence(&connection, row) { Console.writeLine(line) }
        for other in others where identities[other] == .different {
            Console.writeLine(
                "group \(TableText.printable(other)) stands on a log that is gone as well: "
                    + "verify differs until it is moved")
        }
        try OffsetsConsent.ask(
            settings, "Move \(partition) to offset \(target)?",
            without: "not moved: nobody to ask here; give --yes to move it without asking")
        connection.close()
        let epoch = try jump.perform(settings.string("DATABASE_URL"))
        Console.writeLine("moved: \(partition) goes on at offset \(target), epoch \(epoch)")
    }

    private static func ends(of partition: TopicPartition, _ settings: ResolvedSettings) throws -> Watermarks {
        var admin = try Admin(properties: OffsetsLog.properties(settings))
        guard try admin.topicExists(partition.topic) else {
            throw CommandFailure("topic \(partition.topic) does not exist on this broker: see kafka-topics --list")
        }
        let known = try admin.topic(partition.topic).partitions.map(\.id)
        guard known.contains(partition.partition) else {
            throw CommandFailure(
                "topic \(partition.topic) has \(known.count) partitions, no partition \(partition.partition): "
                    + "give one from 0 to \(known.count - 1)")
        }
        return try admin.watermarks(of: partition)
    }

    private static func target(
        _ settings: ResolvedSettings, _ ends: Watermarks, _ partition: TopicPartition
    ) throws -> Int64 {
        switch settings.string("to") {
        case "beginning": return ends.low
        case "end": return ends.high
        case let text:
            guard let offset = Int64(text), offset >= ends.low, offset <= ends.high else {
                throw CommandFailure(
                    "offset \(text) is outside the log of \(partition): give one from \(ends.low) to \(ends.high), "
                        + "beginning or end")
            }
            return offset
        }
    }
}

/// Whether the log is still the one that the ledger has counted.
enum OffsetsLogIdentity {
    /// The last message stored is there.
    case same
    /// It is another one, or the log ends before it.
    case different
    /// The ledger remembers no message, or it is no longer kept.
    case unknown

    /// What the question says about it.
    var remark: String {
        switch self {
        case .same, .unknown: ""
        case .different: ", and is not the log that was read: the topic was made anew or cut off"
        }
    }

    static func judge(
        _ row: LedgerRow, _ ends: Watermarks, _ settings: ResolvedSettings
    ) throws -> OffsetsLogIdentity {
        if row.nextOffset > ends.high { return .different }
        guard let hash = row.lastMessageHash, row.nextOffset > ends.low else { return .unknown }
        var reader = try LogReader(properties: OffsetsLog.properties(settings))
        var found: Int64?
        try reader.read(
            topic: row.partition.topic, partition: row.partition.partition, from: row.nextOffset - 1,
            to: row.nextOffset
        ) { found = MessageHash.of($0) }
        guard let found else { return .unknown }
        return found == hash ? .same : .different
    }
}

/// Asking before something is changed.
enum OffsetsConsent {
    /// Returns when `--yes` was given or the question was answered with yes; else throws.
    /// - Parameter without: what to say when there is no terminal to ask at.
    static func ask(_ settings: ResolvedSettings, _ question: String, without: String) throws {
        if settings.flag("yes") { return }
        guard isatty(0) == 1 else { throw CommandFailure(without) }
        guard Console.confirm(question) else { throw CommandFailure("nothing was changed") }
    }
}
