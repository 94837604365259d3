// The public signatures are made of their values.
public import Kafka
internal import Postgres
public import Service
public import VitalSigns

// What a lane asks, and how the answers are read.
extension PostgresStore {
    /// See `ReadingStore`.
    public mutating func takeOver(_ requests: [TakeOverRequest], owner: UUIDBytes) {
        takeOverRequests = requests
        taken.removeAll(keepingCapacity: true)
        let group = StoreSQL.literal(consumerGroup)
        var sql = "BEGIN"
        for request in requests {
            sql += "; SELECT epoch, next_offset, last_message_hash FROM ops.take_over(\(group), "
            sql += "\(StoreSQL.literal(request.partition.topic)), \(request.partition.partition), "
            sql += "'\(owner.text)', \(request.lowWatermark))"
        }
        sql += "; COMMIT"
        begin(.takingOver) { connection throws(PostgresError) in try connection.send(sql) }
    }

    /// See `ReadingStore`.
    public mutating func endBlockers(of partitions: [TopicPartition]) {
        let group = StoreSQL.literal(consumerGroup)
        let calls = partitions.map {
            "SELECT ops.end_blockers(\(group), \(StoreSQL.literal($0.topic)), \($0.partition))"
        }
        begin(.endingBlockers) { connection throws(PostgresError) in
            try connection.send(calls.joined(separator: "; "))
        }
    }

    /// See `ReadingStore`.
    public mutating func readOwnership(of partitions: [TopicPartition]) {
        ownerships.removeAll(keepingCapacity: true)
        var topics = BinaryArrayEncoder(elementType: .text)
        var numbers = BinaryArrayEncoder(elementType: .int4)
        for partition in partitions {
            topics.append(bytes: partition.topic.utf8)
            numbers.append(partition.partition)
        }
        let parameters: [Parameter] = [.text(consumerGroup), topics.parameter(), numbers.parameter()]
        begin(.readingOwnership) { connection throws(PostgresError) in
            try connection.send(StoreSQL.ownership, parameters: parameters)
        }
    }

    /// See `ReadingStore`.
    public mutating func fetchNewest(of patients: [ReadingKey]) {
        newest = [Reading?](repeating: nil, count: patients.count)
        let oldest = patients.map(\.time).min() ?? 0
        let parameters = keyArrays(patients) + [.timestamp(milliseconds: oldest)]
        begin(.fetchingNewest) { connection throws(PostgresError) in
            try connection.send(StoreSQL.newest, parameters: parameters)
        }
    }

    /// See `ReadingStore`.
    public mutating func fetchStored(_ keys: [ReadingKey]) {
        stored = [Reading](repeating: Reading(), count: keys.count)
        var oldest = Int64.max
        var latest = Int64.min
        for key in keys {
            oldest = min(oldest, key.time)
            latest = max(latest, key.time)
        }
        let parameters = keyArrays(keys) + [.timestamp(milliseconds: oldest), .timestamp(milliseconds: latest)]
        begin(.fetchingStored) { connection throws(PostgresError) in
            try connection.send(StoreSQL.stored, parameters: parameters)
        }
    }

    /// See `ReadingStore`.
    public mutating func resolveOrigins(_ names: [OriginNames]) {
        originIDs = [Int32](repeating: 0, count: names.count)
        begin(.makingOrigins(names)) { connection throws(PostgresError) in
            try connection.send(StoreSQL.makeOrigins, parameters: Self.parameters(names))
        }
    }

    /// See `ReadingStore`.
    ///
    /// One round trip: fences, COPYs, changes, dead letters and COMMIT are one simple query; whatever fails, nothing
    /// after it is executed.
    public mutating func commit(_ batch: Batch, _ plan: BatchPlan) {
        let group = StoreSQL.literal(consumerGroup)
        var sql = "BEGIN"
        for advance in batch.advances { sql += "; " + Self.advanceCall(advance, group: group) }
        for hold in batch.holds {
            sql += "; SELECT ops.hold(\(group), \(StoreSQL.literal(hold.partition.topic)), "
            sql += "\(hold.partition.partition), '\(hold.owner.text)', \(hold.epoch), \(hold.expectedNext))"
        }
        copies.removeAll(keepingCapacity: true)
        if plan.insertCount > 0 {
            sql += "; " + StoreSQL.copyReadings
            copies.append(.inserts)
        }
        if !plan.changes.isEmpty {
            sql += "; \(StoreSQL.copyChanges); SELECT ops.apply_changes(\(plan.changes.count))"
            copies.append(.changes)
        }
        if !plan.replacements.isEmpty {
            sql += "; " + StoreSQL.copyReplacements
            copies.append(.replacements)
        }
        if batch.deadLetters.count > 0 {
            sql += "; \(StoreSQL.copyDeadLetters); \(StoreSQL.keepDeadLetters)"
            copies.append(.deadLetters)
        }
        if let flow = batch.flow { sql += flowStatements(flow) }
        sql += "; COMMIT"
        begin(.committing(batch, plan)) { connection throws(PostgresError) in try connection.send(sql) }
    }

    /// The fence and the ledger's sums of one partition.
    private static func advanceCall(_ advance: PartitionAdvance, group: String) -> String {
        let verdicts = advance.verdicts
        let partition = advance.partition
        func text(_ number: Int64?) -> String { number.map { String($0) } ?? "NULL" }
        return "SELECT ops.advance(\(group), \(StoreSQL.literal(partition.topic)), \(partition.partition), "
            + "'\(advance.owner.text)', \(advance.epoch), \(advance.expectedNext), \(advance.next), "
            + "\(text(advance.highWatermark)), \(advance.gaps), \(text(advance.lastMessageHash)), "
            + "\(verdicts.inserted), \(verdicts.merged), \(verdicts.corrected), \(verdicts.duplicate), "
            + "\(verdicts.stale), \(advance.rejected))"
    }

    static func parameters(_ names: [OriginNames]) -> [Parameter] {
        func array(_ part: (OriginNames) -> String?) -> Parameter {
            var encoder = BinaryArrayEncoder(elementType: .text)
            for name in names {
                if let text = part(name) { encoder.append(bytes: text.utf8) } else { encoder.appendNull() }
            }
            return encoder.parameter()
        }
        return [array(\.facility), array(\.sector), array(\.device)]
    }

    private mutating func keyArrays(_ keys: [ReadingKey]) -> [Parameter] {
        uuids.removeAll()
        times.removeAll()
        for key in keys {
            uuids.append(uuidHigh: key.patientHigh, low: key.patientLow)
            times.append(milliseconds: key.time)
        }
        return [uuids.parameter(), times.parameter()]
    }

    /// Reads the answer to a question.
    mutating func takeAnswer(_ result: consuming ResultSet) {
        switch activity {
        case .takingOver:
            // BEGIN and COMMIT answer without columns.
            guard result.columnCount == 3, result.rowCount == 1 else { return }
            taken.append(
                TakenPartition(
                    partition: takeOverRequests[taken.count].partition, epoch: result.int64(0, 0),
                    nextOffset: result.int64(0, 1), lastMessageHash: result.int64IfPresent(0, 2)))
        case .readingOwnership:
            for row in 0..<result.rowCount {
                let owner = result.isNull(row, 3) ? nil : result.uuid(row, 3)
                ownerships.append(
                    PartitionOwnership(
                        partition: TopicPartition(
                            topic: result.text(row, 0), partition: Int32(truncatingIfNeeded: result.int64(row, 1))),
                        epoch: result.int64(row, 2), owner: owner.map { UUIDBytes(high: $0.high, low: $0.low) }))
            }
        case .fetchingNewest:
            for row in 0..<result.rowCount {
                newest[Int(result.int64(row, 0)) - 1] = StoredRow.reading(result, row: row, from: 1)
            }
        case .fetchingStored:
            for row in 0..<result.rowCount {
                stored[Int(result.int64(row, 0)) - 1] = StoredRow.reading(result, row: row, from: 1)
            }
        case .readingOrigins:
            for row in 0..<result.rowCount {
                originIDs[Int(result.int64(row, 0)) - 1] = Int32(truncatingIfNeeded: result.int64(row, 1))
            }
        case .askingFlow:
            let take = flowQueries[0].take
            take(&self, result)
        case .none, .connecting, .settingUp, .endingBlockers, .makingOrigins, .committing, .rollingBack:
            break
        }
    }
}
