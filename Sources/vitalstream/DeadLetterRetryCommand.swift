internal import Kafka
internal import Postgres
internal import Service

/// `vitalstream dead-letter retry`: judges letters again under today's settings, and stores what passes.
enum DeadLetterRetryCommand {
    static func run(_ settings: ResolvedSettings) -> Int32 {
        CommandRun.run("dead-letter retry", settings) {
            try retry(settings)
            return 0
        }
    }

    private static func retry(_ settings: ResolvedSettings) throws {
        let patientFlowTopic = settings.string("PATIENT_FLOW_TOPIC")
        guard settings.optionalString("topic") != patientFlowTopic else {
            throw CommandFailure("messages of \(patientFlowTopic) cannot be judged again by this version")
        }
        let databaseURL = settings.string("DATABASE_URL")
        let chunks = try DeadLetterSelection.chunks(settings, databaseURL, except: patientFlowTopic)
        let count = chunks.reduce(0) { $0 + $1.offsets.count }
        guard count > 0 else { return Console.writeLine("no dead letter matches") }
        try OffsetsConsent.ask(
            settings, "Judge \(count) dead letters again under today's settings, and store what passes?",
            without: "not retried: nobody to ask here; give --yes to do it without asking")
        var retry = DeadLetterRetry(settings, databaseURL)
        defer { report(retry.tally) }
        for chunk in chunks { try retry.apply(chunk) }
    }

    private static func report(_ tally: DeadLetterTally) {
        var table = TableText([("outcome", .left), ("letters", .right)])
        for (name, count) in tally.accepted.named where name != "rejected" {
            table.add(["accepted, \(name)", "\(count)"])
        }
        for (reason, count) in tally.rejected.sorted(by: { $0.key < $1.key }) {
            table.add(["still rejected, \(reason)", "\(count)"])
        }
        if tally.cut > 0 { table.add(["oversize, payload was cut: read it again with offsets set", "\(tally.cut)"]) }
        if tally.foreign > 0 { table.add(["not in the range of this KAFKA_GROUP_ID", "\(tally.foreign)"]) }
        if tally.vanished > 0 { table.add(["gone meanwhile", "\(tally.vanished)"]) }
        Console.write(table.text)
    }
}

/// What became of the letters so far; only what is committed is counted as accepted.
struct DeadLetterTally {
    var accepted = LedgerClasses()
    /// By reason code.
    var rejected: [String: Int] = [:]
    var cut = 0
    var foreign = 0
    var vanished = 0

    static func += (left: inout DeadLetterTally, right: DeadLetterTally) {
        left.accepted += right.accepted
        left.rejected.merge(right.rejected, uniquingKeysWith: +)
        left.cut += right.cut
        left.foreign += right.foreign
        left.vanished += right.vanished
    }
}

/// The letters that one transaction judges: of one partition, in offset order.
struct DeadLetterChunk {
    let partition: TopicPartition
    var offsets: [Int64] = []
    var bytes: Int64 = 0
}

/// Which letters are to be judged.
enum DeadLetterSelection {
    /// Bounds of one transaction: it keeps the partition's lane waiting.
    private static let mostLetters = 512
    private static let mostBytes: Int64 = 16 << 20

    /// The oldest letters that match, by partition and offset.
    static func chunks(
        _ settings: ResolvedSettings, _ databaseURL: String, except patientFlowTopic: String
    ) throws(PostgresError) -> [DeadLetterChunk] {
        var connection = try Connection.open(databaseURL, applicationName: "vitalstream dead-letter")
        let filter = [settings.optionalString("topic"), settings.optionalString("reason")].map { text in
            text.map { Parameter.text($0) } ?? .null
        }
        let found = try connection.query(
            """
            SELECT topic, partition, "offset", bytes FROM (SELECT topic, partition, "offset", \
            coalesce(octet_length(payload), 0)::bigint AS bytes FROM bronze.dead_letter \
            WHERE \(DeadLetterListCommand.condition) AND topic <> $4 \
            ORDER BY received_at, topic, partition, "offset" LIMIT $3) AS oldest ORDER BY topic, partition, "offset"
            """,
            parameters: filter + [.int64(Int64(settings.integer("limit"))), .text(patientFlowTopic)])
        var chunks: [DeadLetterChunk] = []
        for row in 0..<found.rowCount {
            let partition = TopicPartition(
                topic: found.text(row, 0), partition: Int32(truncatingIfNeeded: found.int64(row, 1)))
            let bytes = found.int64(row, 3)
            let fits = chunks.last.map {
                $0.partition == partition && $0.offsets.count < mostLetters && $0.bytes + bytes <= mostBytes
            }
            if fits != true { chunks.append(DeadLetterChunk(partition: partition)) }
            chunks[chunks.count - 1].offsets.append(found.int64(row, 2))
            chunks[chunks.count - 1].bytes += bytes
        }
        return chunks
    }
}
