// The signatures are made of their values.
package import Ingest
package import Kafka
package import Service
package import VitalSigns

/// The tables in memory, with the rules that PostgreSQL and the schema's functions enforce: fence, books, unique keys,
/// compare-and-set, all or nothing. Several lanes may share one.
package final class FakeDatabase {
    /// A row of `ops.partition_progress`.
    package struct Progress {
        package var first: Int64
        package var next: Int64
        package var epoch: Int64
        package var owner: UUIDBytes?
        package var hash: Int64?
        package var gaps: Int64 = 0
        package var verdicts = VerdictCounts()
        package var rejected: Int64 = 0
        package var highWatermark: Int64?
        /// Offsets passed over by an operator, since their messages are gone.
        package var skipped: [Range<Int64>] = []
    }

    /// A row of `bronze.dead_letter`.
    package struct Letter: Equatable {
        package var reason: String
        package var detail: String
        package var payload: [UInt8]?
        package var headers: String?
    }

    package var rows: [LedgerFacts.Key: Reading] = [:]
    package var progress: [Int: Progress] = [:]
    package private(set) var history: [LedgerFacts.Replaced] = []
    package private(set) var letters: [LedgerFacts.Letter: Letter] = [:]
    package private(set) var origins: [OriginNames: Int32] = [:]
    private var historyKeys: Set<LedgerFacts.Replaced> = []
    /// Partitions whose ledger row a frozen session holds locked.
    package var locked: Set<Int> = []
    /// Whether every transaction that writes is refused, as on a standby.
    package var isReadOnly = false
    /// Rows that the server refuses to store.
    package var refuses: ((Reading) -> Bool)?
    /// Commits whose client went away before they were executed; the server may still do it.
    package var orphans: [CommitRequest] = []
    package private(set) var commits = 0
    /// The safeguard that is missing, in a laboratory that must notice it.
    package var mutation: Mutation?
    /// What lanes have told Kafka of their progress; nobody but a mutation reads it back.
    package var kafkaOffsets: [Int: Int64] = [:]
    /// Sees every move of a ledger row, by whatever right it was made.
    package var watch = LedgerWatch()

    /// Empty tables.
    package init() {}

    /// All tables as they are; to be restored when a standby without the last commits takes over.
    package struct Snapshot {
        fileprivate var rows: [LedgerFacts.Key: Reading]
        fileprivate var progress: [Int: Progress]
        fileprivate var history: [LedgerFacts.Replaced]
        fileprivate var historyKeys: Set<LedgerFacts.Replaced>
        fileprivate var letters: [LedgerFacts.Letter: Letter]
        fileprivate var origins: [OriginNames: Int32]
        fileprivate var watch: LedgerWatch

        /// Where a partition stood.
        package func next(_ partition: Int) -> Int64? { progress[partition]?.next }
    }

    package func snapshot() -> Snapshot {
        Snapshot(
            rows: rows, progress: progress, history: history, historyKeys: historyKeys, letters: letters,
            origins: origins, watch: watch)
    }

    package func restore(_ snapshot: Snapshot) {
        (rows, progress, history) = (snapshot.rows, snapshot.progress, snapshot.history)
        (historyKeys, letters, origins) = (snapshot.historyKeys, snapshot.letters, snapshot.origins)
        watch.restore(snapshot.watch)
    }

    /// What an operator's `offsets set` does: a new place, no owner, a raised epoch. The books begin anew there.
    package func setOffset(_ partition: Int, to offset: Int64) {
        release(partition) { row in
            row.first = offset
            row.next = offset
        }
        watch.noteJump(partition, to: offset)
    }

    /// The same beyond messages that are gone, which are booked as a gap.
    package func skip(_ partition: Int, to offset: Int64) {
        release(partition) { row in
            row.gaps += offset - row.next
            row.skipped.append(row.next..<offset)
            row.next = offset
        }
        watch.noteJump(partition, to: offset)
    }

    /// What a service does whose truth is Kafka's own committed offset: it reads on from there.
    func adoptKafkaOffset(_ partition: Int) -> Int64? {
        guard let row = progress[partition] else { return nil }
        let offset = kafkaOffsets[partition] ?? row.first
        progress[partition]?.next = offset
        watch.noteTakeOver(partition, epoch: row.epoch, next: offset)
        return offset
    }

    private func release(_ partition: Int, _ change: (inout Progress) -> Void) {
        guard var row = progress[partition] else { return }
        change(&row)
        row.epoch += 1
        row.owner = nil
        row.hash = nil
        progress[partition] = row
    }

    package func takeOver(_ requests: [TakeOverRequest], owner: UUIDBytes) throws(StoreFailure) -> [TakenPartition] {
        if isReadOnly { throw .away("25006") }
        for request in requests where locked.contains(Int(request.partition.partition)) {
            throw .retry(sqlState: "55P03")
        }
        return requests.map { request in
            let number = Int(request.partition.partition)
            var row =
                progress[number]
                ?? Progress(first: request.lowWatermark, next: request.lowWatermark, epoch: 0, owner: nil)
            row.epoch += 1
            row.owner = owner
            progress[number] = row
            watch.noteTakeOver(number, epoch: row.epoch, next: row.next)
            return TakenPartition(
                partition: request.partition, epoch: row.epoch, nextOffset: row.next, lastMessageHash: row.hash)
        }
    }

    package func ownership(of partitions: [TopicPartition]) -> [PartitionOwnership] {
        partitions.compactMap { partition in
            progress[Int(partition.partition)].map {
                PartitionOwnership(partition: partition, epoch: $0.epoch, owner: $0.owner)
            }
        }
    }

    package func newest(of patient: ReadingKey) -> Reading? {
        var found: Reading?
        for row in rows.values
        where row.patientLow == patient.patientLow && row.patientHigh == patient.patientHigh
            && row.time >= patient.time && row.time > found?.time ?? .min
        {
            found = row
        }
        return found
    }

    package func identifiers(of names: [OriginNames]) throws(StoreFailure) -> [Int32] {
        if isReadOnly { throw .away("25006") }
        return names.map { name in
            let known = origins[name] ?? Int32(origins.count + 1)
            origins[name] = known
            return known
        }
    }

    /// All of it, or nothing and why.
    package func apply(_ request: CommitRequest) throws(StoreFailure) {
        if isReadOnly { throw .away("25006") }
        try checkFences(request)
        try checkRows(request)
        store(request)
        for advance in request.advances { book(advance) }
        commits += 1
    }

    /// The rows without the offsets: what a service does that commits the two apart, when it dies in between.
    package func applyRowsAlone(_ request: CommitRequest) throws(StoreFailure) {
        try checkFences(request)
        try checkRows(request)
        store(request)
    }

    private func checkFences(_ request: CommitRequest) throws(StoreFailure) {
        for advance in request.advances {
            let number = Int(advance.partition.partition)
            let counts = advance.verdicts
            let consumed =
                counts.inserted + counts.merged + counts.corrected + counts.duplicate + counts.stale
                + advance.rejected
            guard advance.next - advance.expectedNext == consumed + advance.gaps else {
                throw .refused("VS003: the books of \(advance.partition) do not add up")
            }
            if locked.contains(number) { throw .retry(sqlState: "55P03") }
            guard let row = progress[number] else { throw .fenced }
            if mutation == .noCompareAndSet { continue }
            guard row.next == advance.expectedNext else { throw .fenced }
            if mutation == .epochUnchecked { continue }
            guard row.owner == advance.owner, row.epoch == advance.epoch else { throw .fenced }
        }
    }

    private func checkRows(_ request: CommitRequest) throws(StoreFailure) {
        var copied: Set<LedgerFacts.Key> = []
        for row in request.inserts {
            if refuses?(row) == true { throw .data(sqlState: "22P02") }
            let key = LedgerFacts.Key(row)
            if !copied.insert(key).inserted {
                watch.noteFault(.progress, "a batch holds one key twice: the server can never store it")
                throw .conflict(sqlState: "23505")
            }
            if rows[key] != nil, mutation != .keyVerdictIgnored { throw .conflict(sqlState: "23505") }
        }
        for change in request.changes {
            if refuses?(change.new) == true { throw .data(sqlState: "22P02") }
            guard let stored = rows[LedgerFacts.Key(change.old)], Self.isSame(stored, change.old) else {
                throw .conflict(sqlState: "VS002")
            }
        }
        if !historyKeys.isDisjoint(with: request.history) { throw .conflict(sqlState: "23505") }
    }

    private func store(_ request: CommitRequest) {
        for row in request.inserts where rows[LedgerFacts.Key(row)] == nil { rows[LedgerFacts.Key(row)] = row }
        for change in request.changes { rows[LedgerFacts.Key(change.new)] = change.new }
        history += request.history
        historyKeys.formUnion(request.history)
        letters.merge(request.letters) { old, _ in old }
    }

    private func book(_ advance: PartitionAdvance) {
        let number = Int(advance.partition.partition)
        guard var row = progress[number] else { return }
        watch.noteWrite(number, epoch: advance.epoch, from: row.next, expected: advance.expectedNext, to: advance.next)
        row.next = advance.next
        row.gaps += advance.gaps
        row.rejected += advance.rejected
        row.verdicts.inserted += advance.verdicts.inserted
        row.verdicts.merged += advance.verdicts.merged
        row.verdicts.corrected += advance.verdicts.corrected
        row.verdicts.duplicate += advance.verdicts.duplicate
        row.verdicts.stale += advance.verdicts.stale
        row.hash = advance.lastMessageHash ?? row.hash
        row.highWatermark = advance.highWatermark ?? row.highWatermark
        progress[number] = row
    }

    private static func isSame(_ left: Reading, _ right: Reading) -> Bool {
        left.presence == right.presence && left.offset == right.offset && left.partition == right.partition
            && left.origin == right.origin && left.disagreements(with: right) == 0
    }

    /// The tables in the oracle's words.
    package var facts: LedgerFacts {
        var facts = LedgerFacts()
        let names = Dictionary(uniqueKeysWithValues: origins.map { ($1, $0) })
        for (key, row) in rows {
            facts.rows[key] = LedgerFacts.Row(
                vitals: LedgerFacts.vitals(row), partition: Int(row.partition), offset: row.offset,
                origin: names[row.origin])
        }
        facts.history = history
        facts.letters = Set(letters.keys)
        for (partition, row) in progress {
            facts.books[partition] = LedgerFacts.Books(
                first: row.first, next: row.next, gaps: row.gaps, verdicts: row.verdicts, rejected: row.rejected)
        }
        return facts
    }
}
