internal import Ingest
internal import Kafka
internal import Postgres
internal import Service
internal import VitalSigns

/// Applies chunks of dead letters, each in one transaction that holds the partition's progress rows locked.
struct DeadLetterRetry: ~Copyable {
    /// What is committed so far.
    private(set) var tally = DeadLetterTally()
    private let group: String
    private let databaseURL: String
    private var judge: DeadLetterJudge

    /// How often a transaction that met a lock or another writer is tried again.
    private static let attempts = 5

    init(_ settings: ResolvedSettings, _ databaseURL: String) {
        group = settings.string("KAFKA_GROUP_ID")
        self.databaseURL = databaseURL
        judge = DeadLetterJudge(
            maxMessageBytes: settings.integer("MAX_MESSAGE_BYTES"),
            maxFutureMilliseconds: settings.optionalInteger("VALIDATION_MAX_FUTURE_SECONDS").map { Int64($0) * 1_000 })
    }

    /// Judges and applies one chunk; what is committed stays so whatever the next one meets.
    mutating func apply(_ chunk: DeadLetterChunk) throws {
        var attempt = 1
        while true {
            do {
                tally += try attemptOnce(chunk)
                return
            } catch let error as PostgresError {
                switch error.disposition {
                case .retry, .conflict:
                    attempt += 1
                    if attempt <= Self.attempts { continue }
                    throw CommandFailure(
                        "\(chunk.partition) stays locked (\(error)): end the session that holds it, see "
                            + "pg_blocking_pids, and run it again")
                case .reconnect:
                    throw CommandFailure(
                        "the connection broke (\(error)): run it again, letters that were stored are no longer listed")
                case .fenced, .data, .stop: throw error
                }
            }
        }
    }

    private mutating func attemptOnce(_ chunk: DeadLetterChunk) throws -> DeadLetterTally {
        var transaction = try Transaction.begin(
            try Connection.open(databaseURL, applicationName: "vitalstream dead-letter"))
        // As a lane's session: joins are look-ups through the primary key, never a read of whole partitions.
        try transaction.connection.execute(
            "SET LOCAL lock_timeout = '5s'; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
        let ledger = try LedgerRow.lock(&transaction.connection, chunk.partition)
        var sorted = DeadLetterTally()
        let accepted = try sort(chunk, ledger, &transaction.connection, &sorted)
        guard !accepted.isEmpty, let row = ledger.first(where: { $0.group == group }) else { return sorted }
        guard row.classes.rejected == row.deadLetters else {
            throw CommandFailure(
                "the books of \(row.partition) do not add up: \(row.classes.rejected) rejected, "
                    + "\(row.deadLetters) dead letters; run vitalstream verify first")
        }
        let store = DeadLetterStore(partition: chunk.partition)
        let outcomes = try store.store(accepted, &transaction.connection)
        for outcome in outcomes { sorted.accepted.count(outcome.verdict) }
        try store.book(outcomes, ledger, group: group, &transaction.connection)
        _ = try transaction.commit()
        return sorted
    }

    /// Reads the chunk's letters and judges each; what is not accepted goes into `tally`.
    private mutating func sort(
        _ chunk: DeadLetterChunk, _ ledger: [LedgerRow], _ connection: inout Connection, _ tally: inout DeadLetterTally
    ) throws(PostgresError) -> [DeadLetterStore.Accepted] {
        let range = ledger.first { $0.group == group }?.range ?? 0..<0
        var offsets = BinaryArrayEncoder(elementType: .int8)
        for offset in chunk.offsets { offsets.append(offset) }
        let found = try connection.query(
            """
            SELECT "offset", reason, detail, payload, received_at FROM bronze.dead_letter \
            WHERE topic = $1 AND partition = $2 AND "offset" = ANY ($3) ORDER BY "offset" FOR UPDATE
            """,
            parameters: [.text(chunk.partition.topic), .int32(chunk.partition.partition), offsets.parameter()])
        tally.vanished += chunk.offsets.count - found.rowCount
        var accepted: [DeadLetterStore.Accepted] = []
        for row in 0..<found.rowCount {
            let letter = DeadLetter(
                offset: found.int64(row, 0), reason: found.text(row, 1), detail: found.text(row, 2),
                payload: found.isNull(row, 3) ? nil : found.withBytes(row, 3) { Array($0) },
                receivedAtMilliseconds: found.int64(row, 4))
            guard range.contains(letter.offset) else {
                tally.foreign += 1
                continue
            }
            guard !letter.isCut else {
                tally.cut += 1
                continue
            }
            switch judge.judge(letter, partition: chunk.partition.partition) {
            case .accepted(let reading, let names):
                accepted.append(
                    DeadLetterStore.Accepted(reading: reading, origin: names, formerReason: letter.reason))
            case .rejected(let reason): tally.rejected[reason.code, default: 0] += 1
            }
        }
        return accepted
    }
}

extension LedgerClasses {
    /// Counts one message.
    mutating func count(_ verdict: Verdict) {
        switch verdict {
        case .inserted: inserted += 1
        case .merged: merged += 1
        case .corrected: corrected += 1
        case .duplicate: duplicate += 1
        case .stale: stale += 1
        }
    }
}
