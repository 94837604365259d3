internal import Kafka
internal import Postgres

/// One move of a partition's offset, booked so that the ledger's equations go on holding.
///
/// first_offset becomes the smaller of itself and the target, `rejected` the number of dead letters below the target,
/// `consumed` follows it, and `gaps` takes what is left of `next_offset - first_offset`: below zero when messages will
/// be read a second time.
///
/// Dead letters from the target on make room for those that reading from there will leave. Of the same log they are
/// removed, unless another group has them in its range: their messages are read again. Of another log they could never
/// come back, so they move to the topic name `TOPIC.before-epoch-N`, and groups that counted them book them as gaps.
struct OffsetsJump {
    let group: String
    let partition: TopicPartition
    let target: Int64
    /// The end of the log, as it was just asked.
    let high: Int64
    let log: OffsetsLogIdentity

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
            "SELECT count(*) FROM bronze.dead_letter AS d WHERE \(lettersToClear)", parameters: letterParameters(row)
        ).int64(0, 0)
        if letters > 0 {
            lines.append(
                log == .same
                    ? "\(letters) dead letters from there on are removed: their messages are read and judged again"
                    : "\(letters) dead letters from there on are kept under the topic name \(asideTopic(row.epoch + 1))")
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
        let letters = try connection.query(
            "SELECT count(*) FROM bronze.dead_letter WHERE topic = $1 AND partition = $2::integer "
                + "AND \"offset\" >= $3::bigint AND \"offset\" < $4::bigint",
            [partition.topic, "\(partition.partition)", "\(first)", "\(target)"]
        ).int64(0, 0)
        let consumed = row.consumed - row.classes.rejected + letters
        let moved = try connection.query(
            """
            UPDATE ops.partition_progress SET first_offset = $4::bigint, next_offset = $5::bigint, \
            high_watermark = $6::bigint, gaps = $7::bigint, consumed = $8::bigint, rejected = $9::bigint, \
            last_message_hash = NULL, epoch = epoch + 1, owner = NULL, updated_at = now() \
            WHERE consumer_group = $1 AND topic = $2 AND partition = $3::integer RETURNING epoch
            """,
            [
                group, partition.topic, "\(partition.partition)", "\(first)", "\(target)", "\(high)",
                "\(target - first - consumed)", "\(consumed)", "\(letters)",
            ])
        return moved.int64(0, 0)
    }

    // MARK: - Dead letters

    private func asideTopic(_ epoch: Int64) -> String { "\(partition.topic).before-epoch-\(epoch)" }

    /// Topic, partition, from, to, group.
    private func letterParameters(_ row: LedgerRow) -> [Parameter] {
        let end = log == .different ? Int64.max : row.nextOffset
        return [
            .text(partition.topic), .int32(partition.partition), .int64(target), .int64(end), .text(group),
        ]
    }

    /// Letters that the next reading may leave again. Of a log that is not known to be another one, a letter that some
    /// other group counts stays where it is.
    private var lettersToClear: String {
        let ours = "d.topic = $1 AND d.partition = $2 AND d.\"offset\" >= $3 AND d.\"offset\" < $4"
        if log == .different { return ours + " AND $5::text IS NOT NULL" }
        return ours + """
             AND NOT EXISTS (SELECT FROM ops.partition_progress AS p WHERE p.topic = d.topic \
            AND p.partition = d.partition AND p.consumer_group <> $5 \
            AND d."offset" >= p.first_offset AND d."offset" < p.next_offset)
            """
    }

    private func clearLetters(_ connection: inout Connection, _ row: LedgerRow) throws(PostgresError) {
        if log == .same {
            _ = try connection.query(
                "DELETE FROM bronze.dead_letter AS d WHERE \(lettersToClear)", parameters: letterParameters(row))
            return
        }
        if log == .different {
            _ = try connection.query(Self.bookForOthers, parameters: letterParameters(row))
        }
        _ = try connection.query(
            "UPDATE bronze.dead_letter AS d SET topic = $6 WHERE \(lettersToClear)",
            parameters: letterParameters(row) + [.text(asideTopic(row.epoch + 1))])
    }

    /// Groups that count letters of a log that is gone book them as gaps.
    private static let bookForOthers = """
        UPDATE ops.partition_progress AS p SET rejected = p.rejected - l.count, consumed = p.consumed - l.count, \
        gaps = p.gaps + l.count \
        FROM (SELECT o.consumer_group, count(*) FROM ops.partition_progress AS o JOIN bronze.dead_letter AS d \
        ON d.topic = o.topic AND d.partition = o.partition AND d."offset" >= o.first_offset \
        AND d."offset" < o.next_offset WHERE o.topic = $1 AND o.partition = $2 AND d."offset" >= $3 \
        AND d."offset" < $4 AND o.consumer_group <> $5 GROUP BY o.consumer_group) AS l \
        WHERE p.topic = $1 AND p.partition = $2 AND p.consumer_group = l.consumer_group
        """
}
