internal import Kafka
internal import Postgres
internal import Service

/// `vitalstream verify --against-log`: folds the topics again and compares every row.
///
/// The long part, reading the log up to where the ledger stands, comes before the snapshot, which would keep
/// PostgreSQL from cleaning up; inside the snapshot only what the ledger has advanced meanwhile is read.
final class VerifyAgainstLog {
    private let settings: ResolvedSettings
    private let fold: LogFold
    private var streams: [LogFoldStream] = []

    init(_ settings: ResolvedSettings) {
        self.settings = settings
        fold = LogFold(
            maxMessageBytes: settings.integer("MAX_MESSAGE_BYTES"),
            maxFutureMilliseconds: settings.optionalInteger("VALIDATION_MAX_FUTURE_SECONDS").map { Int64($0) * 1_000 })
    }

    /// Reads, folds, compares.
    func run(_ opened: consuming Connection) throws -> VerifyOutcome {
        var connection = opened
        let patientFlowTopic = settings.string("PATIENT_FLOW_TOPIC")
        var reader = try LogFoldReader(settings)
        let before = try VerifyBooks.read(&connection, patientFlowTopic: patientFlowTopic)
        try read(before, &connection, &reader)

        var snapshot = try VerifyBooks.snapshot(connection)
        let books = try VerifyBooks.read(&snapshot.connection, patientFlowTopic: patientFlowTopic)
        try read(books, &snapshot.connection, &reader)
        fold.applyRetries()
        let comparison = VerifyComparison(
            fold, streams, dropped: try droppedTimes("vital_reading", &snapshot.connection),
            droppedHistory: try droppedTimes("vital_reading_history", &snapshot.connection))
        try comparison.run(&snapshot.connection)
        let flow = try VerifyCommand.flow(&snapshot.connection, books, settings)
        _ = try snapshot.rollback()

        var outcome = VerifyOutcome(
            checks: books.checks() + flow.checks(), notes: VerifyCommand.notes(on: books) + flow.notes)
        outcome.checks += classChecks(books) + checks(comparison)
        outcome.notes += notes(books, comparison)
        outcome.findings = flow.findings + comparison.findings
        return outcome
    }

    // MARK: - Reading

    private func read(
        _ books: VerifyBooks, _ connection: inout Connection, _ reader: inout LogFoldReader
    ) throws {
        let topics = Set(books.vitals.map(\.partition.topic)).sorted()
        try noteRetries(&connection, books)
        for (partition, rows) in Self.partitions(books) {
            let stream = self.stream(partition, topic: topics.firstIndex(of: partition.topic) ?? 0)
            for row in rows {
                stream.settledBefore = max(stream.settledBefore, row.settledBefore)
                if let hash = row.lastMessageHash, row.nextOffset > row.firstOffset {
                    stream.awaitedHashes[row.nextOffset - 1] = hash
                }
            }
            try reader.read(LogFoldRanges(union: rows.map(\.range)), of: stream, into: fold)
            stream.hasJumpedBack = rows.contains { $0.gaps < 0 } || (rows.count == 1 && rows[0].gaps < stream.gaps)
        }
    }

    private func stream(_ partition: TopicPartition, topic: Int) -> LogFoldStream {
        if let known = streams.first(where: { $0.partition == partition }) { return known }
        let stream = LogFoldStream(partition, topic: topic)
        streams.append(stream)
        return stream
    }

    /// The ledger's rows of vital signs by partition, in one order.
    private static func partitions(_ books: VerifyBooks) -> [(TopicPartition, [LedgerRow])] {
        let grouped = Dictionary(grouping: books.vitals, by: \.partition)
        return grouped.sorted { ($0.key.topic, $0.key.partition) < ($1.key.topic, $1.key.partition) }
            .map { ($0.key, $0.value) }
    }

    private func noteRetries(_ connection: inout Connection, _ books: VerifyBooks) throws {
        let topics = Set(books.vitals.map(\.partition.topic)).sorted()
        let known = Set(books.vitals.map(\.partition))
        let result = try connection.query(
            "SELECT topic, partition, \"offset\", consumer_group FROM ops.dead_letter_retry "
                + "ORDER BY dead_letter_retry_id")
        for row in 0..<result.rowCount {
            let partition = TopicPartition(
                topic: result.text(row, 0), partition: Int32(truncatingIfNeeded: result.int64(row, 1)))
            guard known.contains(partition), let topic = topics.firstIndex(of: partition.topic) else { continue }
            let offset = result.int64(row, 2)
            let stream = self.stream(partition, topic: topic)
            let group = result.text(row, 3)
            let isVoid = !books.vitals.contains { $0.group == group && $0.partition == partition }
            if let known = stream.retried[offset], known.isVoid || !isVoid { continue }
            // Read before it was retried: it stands among the letters, and its reading is not known any more.
            guard stream.retried[offset] != nil || !stream.covered.contains(offset) else {
                throw CommandFailure("a dead letter was retried while verify was reading: run it again")
            }
            stream.retried[offset] = LogFoldStream.Retry(order: row, isVoid: isVoid)
        }
    }

    private func droppedTimes(
        _ table: String, _ connection: inout Connection
    ) throws(PostgresError) -> [Range<Int64>] {
        let result = try connection.query(
            """
            SELECT lower(r), upper(r) FROM (SELECT unnest(range_agg(tstzrange(range_from, range_to))) AS r \
            FROM ops.retention_run WHERE range_from < range_to AND table_name IN ('silver.\(table)', '\(table)')) AS d
            """, parameters: [])
        return (0..<result.rowCount).map { result.int64($0, 0)..<result.int64($0, 1) }
    }

    // MARK: - Verdicts

    /// The ledger's classes as the log gives them: where one group alone has read a partition once and in order.
    private func classChecks(_ books: VerifyBooks) -> [VerifyCheck] {
        guard fold.mixedRows == 0 else { return [] }
        var expected = LedgerClasses()
        var actual = LedgerClasses()
        var count = 0
        for (partition, rows) in Self.partitions(books) {
            guard let stream = streams.first(where: { $0.partition == partition }), rows.count == 1,
                rows[0].gaps == stream.gaps, stream.retried.isEmpty, !stream.isPartial, stream.endedAt == nil
            else { continue }
            expected += stream.classes
            actual += rows[0].classes
            count += 1
        }
        guard count > 0 else { return [] }
        return zip(expected.named, actual.named).map { expected, actual in
            VerifyCheck(
                scope: "log, \(count) partitions", name: "\(expected.name), message by message",
                expected: expected.count, actual: actual.count)
        }
    }

    private func checks(_ comparison: VerifyComparison) -> [VerifyCheck] {
        func none(_ scope: String, _ name: String, _ actual: Int64) -> VerifyCheck {
            VerifyCheck(scope: scope, name: name, expected: 0, actual: actual)
        }
        var checks = [
            none("log", "partitions that end before next_offset", Int64(streams.filter { $0.endedAt != nil }.count)),
            none(
                "log", "remembered messages that are others now",
                Int64(streams.reduce(0) { $0 + $1.foreignOffsets.count })),
            none("log, vital_reading", "rows with wrong suspect bits", comparison.wrongSuspect),
        ]
        let parts = [
            ("vital_reading", comparison.rows), ("vital_reading_history", comparison.history),
            ("dead_letter", comparison.letters),
        ]
        for (table, tally) in parts {
            checks.append(none("log, \(table)", "missing", tally.missing))
            checks.append(none("log, \(table)", "without a message", tally.extra))
            checks.append(none("log, \(table)", "not as the log has it", tally.differing))
        }
        return checks
    }

    private func notes(_ books: VerifyBooks, _ comparison: VerifyComparison) -> [String] {
        let messages = streams.reduce(0) { $0 + $1.messages }
        let rows = comparison.rows
        var notes = [
            "\(messages.grouped) messages of \(streams.count) partitions read; compared bit by bit: "
                + "\(rows.exact.grouped) rows, \(comparison.history.exact.grouped) of the history, "
                + "\(comparison.letters.exact.grouped) dead letters"
        ]
        for stream in streams {
            if stream.isPartial {
                notes.append(
                    "\(stream.partition): the ledger begins at offset \(stream.covered.lowerBound), the log holds "
                        + "nothing below \(stream.keptFrom): what came before cannot be compared")
            }
            if let end = stream.endedAt {
                notes.append(
                    "\(stream.partition): the log ends at offset \(end), the ledger stands at "
                        + "\(stream.covered.upperBound): the topic was made anew or cut off; see vitalstream offsets")
            }
            for offset in stream.foreignOffsets {
                notes.append("\(stream.partition): the message at offset \(offset) is not the one that was stored")
            }
        }
        for row in books.vitals {
            guard let stream = streams.first(where: { $0.partition == row.partition }), !stream.isPartial else {
                continue
            }
            let isAlone = books.vitals.filter { $0.partition == row.partition }.count == 1
            if row.gaps < 0 || (isAlone && row.gaps != stream.gaps) {
                notes.append(
                    "\(row.group) \(row.partition): \(row.gaps) offsets are booked as gaps, the log has "
                        + "\(isAlone ? "\(stream.gaps)" : "none below zero"): an operator has moved the offset, and "
                        + "messages that were passed over or come from a former log may show as differences")
            }
        }
        func add(_ count: Int64, _ text: String) { if count > 0 { notes.append("\(count.grouped) rows \(text)") } }
        add(
            rows.lenient, "compared in part: messages before the log's beginning, or a retried dead letter, had a share"
        )
        add(
            rows.mixed,
            "compared by the presence of their vital signs only: their messages lie in several partitions, or were "
                + "retried and then read again")
        add(rows.gone, "not compared: their messages are no longer in the log")
        add(rows.toBeReadAgain, "not compared: an operator moved the offset back, they will be read again")
        add(rows.dropped, "not compared: retention has dropped their days")
        add(comparison.history.dropped, "of the history not compared: retention has dropped their days")
        add(comparison.letters.dropped, "of bronze.dead_letter not compared: retention has taken letters up to there")
        let settings = ["VALIDATION_MAX_FUTURE_SECONDS", "MAX_MESSAGE_BYTES"]
            .map { "\($0)=\(self.settings.string($0))" }
        notes.append(
            "messages were judged with \(settings.joined(separator: ", ")); what serve read under others may differ")
        return notes
    }
}
