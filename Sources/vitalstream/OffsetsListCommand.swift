internal import Kafka
internal import Postgres
internal import Service

/// `vitalstream offsets list`: each partition's place in the log and in the books.
enum OffsetsListCommand {
    static func run(_ settings: ResolvedSettings) -> Int32 {
        CommandRun.run("offsets list", settings) { try list(settings) }
    }

    private static func list(_ settings: ResolvedSettings) throws -> Int32 {
        var connection = try Connection.open(
            settings.string("DATABASE_URL"), applicationName: "vitalstream offsets")
        let group = settings.string("KAFKA_GROUP_ID")
        let ledger = try LedgerRow.read(&connection, group: group)
        connection.close()
        let log = try OffsetsLog(settings, partitions: ledger.map(\.partition))

        var table = TableText([
            ("topic", .left), ("partition", .right), ("first", .right), ("next", .right), ("low", .right),
            ("high", .right), ("lag", .right), ("epoch", .right), ("owner", .left), ("gaps", .right),
            ("consumed", .right), ("rejected", .right),
        ])
        for row in ledger { table.add(cells(row, log.ends[row.partition])) }
        let known = Set(ledger.map(\.partition))
        for partition in log.partitions where !known.contains(partition) {
            table.add(cells(unread: partition, log.ends[partition]))
        }
        Console.write(table.text)
        if ledger.isEmpty {
            Console.writeLine("group \(TableText.printable(group)) has read nothing into this database")
        }
        guard let failure = log.failure else { return 0 }
        Console.writeError("vitalstream offsets list: \(failure); high and lag are those of the last commit")
        return 1
    }

    private static func cells(_ row: LedgerRow, _ ends: Watermarks?) -> [String] {
        let high = ends?.high ?? row.highWatermark
        return [
            row.partition.topic, "\(row.partition.partition)", "\(row.firstOffset)", "\(row.nextOffset)",
            ends.map { "\($0.low)" } ?? "-", high.map { "\($0)" } ?? "-",
            // Below zero: the log is not the one that was read. Never hidden.
            high.map { "\($0 - row.nextOffset)" } ?? "-", "\(row.epoch)", row.isOwned ? "yes" : "no", "\(row.gaps)",
            "\(row.consumed)", "\(row.classes.rejected)",
        ]
    }

    private static func cells(unread partition: TopicPartition, _ ends: Watermarks?) -> [String] {
        [
            partition.topic, "\(partition.partition)", "-", "-", ends.map { "\($0.low)" } ?? "-",
            ends.map { "\($0.high)" } ?? "-", ends.map { "\($0.high - $0.low)" } ?? "-", "-", "no", "-", "-", "-",
        ]
    }
}

/// What the brokers say about the partitions that concern a group.
struct OffsetsLog {
    /// The partitions of the vitals topic, and those that were asked for, in order.
    private(set) var partitions: [TopicPartition] = []
    /// The ends of those that the brokers could tell.
    private(set) var ends: [TopicPartition: Watermarks] = [:]
    /// Why some are not known; the rest is then not asked for.
    private(set) var failure: String?

    private static let patience: Duration = .seconds(5)

    init(_ settings: ResolvedSettings, partitions asked: [TopicPartition]) throws(KafkaError) {
        var admin = try Admin(properties: OffsetsLog.properties(settings))
        var topics = Set(asked.map(\.topic))
        topics.insert(settings.string("VITALS_TOPIC"))
        do throws(KafkaError) {
            for topic in topics.sorted() {
                let found = try admin.topic(topic, within: Self.patience)
                partitions += found.partitions.map { TopicPartition(topic: topic, partition: $0.id) }
            }
            for partition in partitions { ends[partition] = try admin.watermarks(of: partition, within: Self.patience) }
        } catch {
            failure = CommandFailure.explain(error, admin.lastFailure)
        }
    }

    /// The properties for a client that only asks.
    static func properties(_ settings: ResolvedSettings) -> [(String, String)] {
        [("bootstrap.servers", settings.string("KAFKA_BOOTSTRAP_SERVERS"))] + settings.kafkaProperties
    }
}
