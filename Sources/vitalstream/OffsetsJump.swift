internal import Kafka
internal import Postgres

/// One move of a partition's offset, booked so that the ledger's equations go on holding.
///
/// first_offset becomes the smaller of itself and the target, `rejected` the number of dead letters below the target,
/// `consumed` follows it, and `gaps` takes what is left of `next_offset - first_offset`: below zero when messages will
/// be read a second time.
///
/// Dead letters from the target on make room for those that reading from there will leave. Of the same log they are
/// removed: their messages are read again. Of another log they could never come back, so they move to the topic name
/// `TOPIC.before-epoch-N`, and groups that counted them book them as gaps. A letter in the range of another group that
/// stands on the log as it is now stays where it is. Lines of retries from the target on speak of a reading that is
/// void: they get the group name `GROUP before epoch N`, or of another log that topic name.
struct OffsetsJump {
    let group: String
    let partition: TopicPartition
    let target: Int64
    /// The end of the log, as it was just asked.
    let high: Int64
    let log: OffsetsLogIdentity
    /// The other groups whose letters stay.
    let keepers: [String]

    /// How often a lock that is not granted within its time-out is asked for again.
    private static let attempts = 3

    /// What the move does besides, in lines for whoever is asked.
    func consequence(_ connection: inout Connection, _ row: LedgerRow?) throws(PostgresError) -> [String] {
        guard let row else { return ["the group begins with this partition there"] }
        var lines: [String] = []
        if target > row.nextOffset, log != .different {
            lines.append("\(target - row.nextOffset) offsets are passed over and never read")
        }
        if target < row.nextOffset, log != .different {
            lines.append("\(row.nextOffset - target) offsets are read again; what they say is stored already")
        }
        let letters = try connection.query(
            "SELECT count(*) FROM bronze.dead_letter AS d WHERE \(Self.lettersToClear)",
            parameters: letterParameters(row)
        ).int64(0, 0)
        if letters > 0 {
            lines.append(
                log == .same
                    ? "\(letters) dead letters from there on are removed: their messages are read and judged again"
                    : "\(letters) dead letters from there on are kept under the topic name \(asideTopic(row.epoch + 1))"
            )
        }
        return lines
    }

    /// Performs it in one transaction, while `serve` may be running: its lane is fenced and takes over again.
    /// - Returns: the epoch that the move began.
    func perform(_ databaseURL: String) throws -> Int64 {
        var attempt = 1
        while true {
            do throws(PostgresError) {
                var transaction = try Transaction.begin(
                    try Connection.open(databaseURL, applicationName: "vitalstream offsets"))
                try transaction.connection.execute("SET LOCAL lock_timeout = '5s'")
                let epoch = try book(&transaction.connection)
                _ = try transaction.commit()
                return epoch
            } catch {
                switch error.disposition {
                case .retry, .conflict:
                    attempt += 1
                    if attempt <= Self.attempts { continue }
                    throw CommandFailure(
                        "the ledger row of \(partition) stays locked (\(error)): end the session that holds it, see "
                            + "pg_blocking_pids, and run it again")
                case .reconnect:
                    throw CommandFailure(
                        "the connection broke (\(error)): vitalstream offsets list says whether it was moved")
                case .fenced, .data, .stop: throw error
                }
            }
        }
    }

    private func book(_ connection: inout Connection) throws(PostgresError) -> Int64 {
        let rows = try LedgerRow.lock(&connection, partition)
        guard let row = rows.first(where: { $0.group == group }) else {
            let made = try connection.query(
                "INSERT INTO ops.partition_progress (consumer_group, topic, partition, first_offset, next_offset, "
                    + "high_watermark) VALUES ($1, $2, $3::integer, $4::bigint, $4::bigint, $5::bigint) "
                    + "RETURNING epoch", [group, partition.topic, "\(partition.partition)", "\(target)", "\(high)"])
            return made.int64(0, 0)
        }
        try clearLetters(&connection, row)
        let first = min(row.firstOffset, target)
        // How many of the settled letters lie below an offset among them, nobody knows: then they are not settled any
        // more, and those that are gone become gaps.
        let settled: (before: Int64, letters: Int64) =
            target < row.settledBefore ? (0, 0) : (row.settledBefore, row.settledLetters)
        let unsettled = try connection.query(
            """
            SELECT count(*) FROM bronze.dead_letter AS d WHERE d.topic = $1 AND d.partition = $2::integer \
            AND d."offset" >= $3::bigint AND d."offset" < $4::bigint AND NOT EXISTS (SELECT \
            FROM ops.dead_letter_retry AS r WHERE r.consumer_group = $5 AND r.topic = d.topic \
            AND r.partition = d.partition AND r."offset" = d."offset")
            """, [partition.topic, "\(partition.partition)", "\(max(first, settled.before))", "\(target)", group]
        ).int64(0, 0)
        let letters = settled.letters + unsettled
        let consumed = row.consumed - row.classes.rejected + letters
        let moved = try connection.query(
            """
            UPDATE ops.partition_progress SET first_offset = $4::bigint, next_offset = $5::bigint, \
            high_watermark = $6::bigint, gaps = $7::bigint, consumed = $8::bigint, rejected = $9::bigint, \
            last_message_hash = NULL, epoch = epoch + 1, owner = NULL, updated_at = now(), \
            settled_before = $10::bigint, settled_letters = $11::bigint \
            WHERE consumer_group = $1 AND topic = $2 AND partition = $3::integer RETURNING epoch
            """,
            [
                group, partition.topic, "\(partition.partition)", "\(first)", "\(target)", "\(high)",
                "\(target - first - consumed)", "\(consumed)", "\(letters)", "\(settled.before)", "\(settled.letters)",
            ])
        return moved.int64(0, 0)
    }

    // MARK: - Dead letters

    private func asideTopic(_ epoch: Int64) -> String { "\(partition.topic).before-epoch-\(epoch)" }

    /// Topic, partition, from, to, keepers.
    private func letterParameters(_ row: LedgerRow) -> [Parameter] {
        let end = log == .different ? Int64.max : row.nextOffset
        var groups = BinaryArrayEncoder(elementType: .text)
        for keeper in keepers { groups.append(bytes: keeper.utf8) }
        return [
            .text(partition.topic), .int32(partition.partition), .int64(target), .int64(end), groups.parameter(),
        ]
    }

    /// Letters that the next reading may leave again.
    private static let lettersToClear = """
        d.topic = $1 AND d.partition = $2 AND d."offset" >= $3 AND d."offset" < $4 \
        AND NOT EXISTS (SELECT FROM ops.partition_progress AS p WHERE p.topic = d.topic \
        AND p.partition = d.partition AND p.consumer_group = ANY ($5::text[]) \
        AND d."offset" >= p.first_offset AND d."offset" < p.next_offset)
        """

    private func clearLetters(_ connection: inout Connection, _ row: LedgerRow) throws(PostgresError) {
        let given = letterParameters(row)
        let aside = Parameter.text(asideTopic(row.epoch + 1))
        switch log {
        case .same:
            _ = try connection.query(
                "DELETE FROM bronze.dead_letter AS d WHERE \(Self.lettersToClear)", parameters: given)
        case .unknown:
            _ = try connection.query(
                "UPDATE bronze.dead_letter AS d SET topic = $6 WHERE \(Self.lettersToClear)",
                parameters: given + [aside])
        case .different:
            _ = try connection.query(Self.bookForOthers, parameters: given + [.text(group)])
            _ = try connection.query(
                "UPDATE bronze.dead_letter AS d SET topic = $6 WHERE \(Self.lettersToClear)",
                parameters: given + [aside])
            _ = try connection.query(
                "UPDATE ops.dead_letter_retry SET topic = $4 WHERE topic = $1 AND partition = $2 AND \"offset\" >= $3",
                parameters: Array(given[..<3]) + [aside])
            return
        }
        _ = try connection.query(
            """
            UPDATE ops.dead_letter_retry SET consumer_group = $4 || $5 \
            WHERE topic = $1 AND partition = $2 AND "offset" >= $3 AND consumer_group = $4
            """, parameters: Array(given[..<3]) + [.text(group), .text(" before epoch \(row.epoch + 1)")])
    }

    /// Groups that count letters of a log that is gone book them as gaps.
    private static let bookForOthers = """
        UPDATE ops.partition_progress AS u SET rejected = u.rejected - l.count, consumed = u.consumed - l.count, \
        gaps = u.gaps + l.count \
        FROM (SELECT o.consumer_group, count(*) FROM ops.partition_progress AS o JOIN bronze.dead_letter AS d \
        ON d.topic = o.topic AND d.partition = o.partition AND d."offset" >= o.first_offset \
        AND d."offset" < o.next_offset AND NOT EXISTS (SELECT FROM ops.dead_letter_retry AS r \
        WHERE r.consumer_group = o.consumer_group AND r.topic = d.topic AND r.partition = d.partition \
        AND r."offset" = d."offset") WHERE \(lettersToClear) AND o.consumer_group <> $6 \
        GROUP BY o.consumer_group) AS l WHERE u.topic = $1 AND u.partition = $2 AND u.consumer_group = l.consumer_group
        """
}
