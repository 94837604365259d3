internal import Kafka
internal import Postgres

/// A row of `ops.partition_progress`, and how many dead letters lie in its range.
struct LedgerRow {
    var group = ""
    var partition = TopicPartition(topic: "", partition: 0)
    var firstOffset: Int64 = 0
    var nextOffset: Int64 = 0
    var highWatermark: Int64?
    var gaps: Int64 = 0
    var lastMessageHash: Int64?
    var epoch: Int64 = 0
    var isOwned = false
    var consumed: Int64 = 0
    var classes = LedgerClasses()
    /// Letters of the partition with an offset in [firstOffset, nextOffset), in the same snapshot, but for those that
    /// this group has retried: such a letter is another group's, which read the message again and rejected it.
    /// Those that retention has taken stay counted.
    var deadLetters: Int64 = 0
    /// Letters below this offset are not looked at any more: retention has been there, and `settledLetters` of
    /// `deadLetters` were they.
    var settledBefore: Int64 = 0
    var settledLetters: Int64 = 0

    /// The offsets that the row speaks of.
    var range: Range<Int64> { firstOffset..<max(firstOffset, nextOffset) }

    /// All rows, or those of a group, ordered by group, topic and partition. In one statement, so of one snapshot.
    static func read(_ connection: inout Connection, group: String? = nil) throws(PostgresError) -> [LedgerRow] {
        let result = try connection.query(
            "SELECT \(columns) FROM ops.partition_progress AS p "
                + "WHERE $1::text IS NULL OR p.consumer_group = $1 ORDER BY consumer_group, topic, partition", [group])
        return (0..<result.rowCount).map { LedgerRow(result, $0) }
    }

    /// Locks the rows of all groups of one partition until the transaction ends, in one order everywhere, and reads
    /// them and the count of their letters as they are then.
    static func lock(
        _ connection: inout Connection, _ partition: TopicPartition
    ) throws(PostgresError) -> [LedgerRow] {
        _ = try connection.query(
            "SELECT FROM ops.partition_progress WHERE topic = $1 AND partition = $2::integer "
                + "ORDER BY consumer_group FOR UPDATE", [partition.topic, "\(partition.partition)"])
        // A statement of its own: its snapshot sees what those committed whom the lock had to wait for.
        return try read(&connection).filter { $0.partition == partition }
    }

    private static let columns = """
        consumer_group, topic, partition, first_offset, next_offset, high_watermark, gaps, last_message_hash, epoch, \
        owner IS NOT NULL, consumed, inserted, merged, corrected, duplicate, stale, rejected, \
        settled_letters + (SELECT count(*) FROM bronze.dead_letter AS d WHERE d.topic = p.topic \
        AND d.partition = p.partition AND d."offset" >= greatest(p.first_offset, p.settled_before) \
        AND d."offset" < p.next_offset AND NOT EXISTS (SELECT \
        FROM ops.dead_letter_retry AS r WHERE r.consumer_group = p.consumer_group AND r.topic = d.topic \
        AND r.partition = d.partition AND r."offset" = d."offset")), \
        settled_before, settled_letters
        """

    private init(_ result: borrowing ResultSet, _ row: Int) {
        group = result.text(row, 0)
        partition = TopicPartition(
            topic: result.text(row, 1), partition: Int32(truncatingIfNeeded: result.int64(row, 2)))
        firstOffset = result.int64(row, 3)
        nextOffset = result.int64(row, 4)
        highWatermark = result.int64IfPresent(row, 5)
        gaps = result.int64(row, 6)
        lastMessageHash = result.int64IfPresent(row, 7)
        epoch = result.int64(row, 8)
        isOwned = result.boolean(row, 9)
        consumed = result.int64(row, 10)
        classes.inserted = result.int64(row, 11)
        classes.merged = result.int64(row, 12)
        classes.corrected = result.int64(row, 13)
        classes.duplicate = result.int64(row, 14)
        classes.stale = result.int64(row, 15)
        classes.rejected = result.int64(row, 16)
        deadLetters = result.int64(row, 17)
        settledBefore = result.int64(row, 18)
        settledLetters = result.int64(row, 19)
    }
}

/// The ledger's six classes; every message read is in exactly one.
struct LedgerClasses: Equatable {
    var inserted: Int64 = 0
    var merged: Int64 = 0
    var corrected: Int64 = 0
    var duplicate: Int64 = 0
    var stale: Int64 = 0
    var rejected: Int64 = 0

    /// All messages.
    var sum: Int64 { inserted + merged + corrected + duplicate + stale + rejected }

    /// Each class with its name, in the order of the contract.
    var named: [(name: String, count: Int64)] {
        [
            ("inserted", inserted), ("merged", merged), ("corrected", corrected), ("duplicate", duplicate),
            ("stale", stale), ("rejected", rejected),
        ]
    }

    static func += (left: inout LedgerClasses, right: LedgerClasses) {
        left.inserted += right.inserted
        left.merged += right.merged
        left.corrected += right.corrected
        left.duplicate += right.duplicate
        left.stale += right.stale
        left.rejected += right.rejected
    }
}
