import Ingest
import Kafka
import Service
import VitalSigns

/// The tables in memory, with the rules that PostgreSQL and the schema's functions enforce: fence, books, unique keys,
/// compare-and-set, all or nothing. Several lanes may share one.
final class FakeDatabase {
    struct Progress {
        var first: Int64
        var next: Int64
        var epoch: Int64
        var owner: UUIDBytes?
        var hash: Int64?
        var gaps: Int64 = 0
        var verdicts = VerdictCounts()
        var rejected: Int64 = 0
        var highWatermark: Int64?
    }

    struct Letter: Equatable {
        var reason: String
        var detail: String
        var payload: [UInt8]?
        var headers: String?
    }

    var rows: [LedgerFacts.Key: Reading] = [:]
    var progress: [Int: Progress] = [:]
    private(set) var history: [LedgerFacts.Replaced] = []
    private(set) var letters: [LedgerFacts.Letter: Letter] = [:]
    private(set) var origins: [OriginNames: Int32] = [:]
    /// Partitions whose ledger row a frozen session holds locked.
    var locked: Set<Int> = []
    /// Rows that the server refuses to store.
    var refuses: ((Reading) -> Bool)?
    /// Commits whose client went away before they were executed; the server may still do it.
    var orphans: [CommitRequest] = []
    private(set) var commits = 0

    /// All tables as they are; to be restored when a standby without the last commits takes over.
    struct Snapshot {
        fileprivate var rows: [LedgerFacts.Key: Reading]
        fileprivate var progress: [Int: Progress]
        fileprivate var history: [LedgerFacts.Replaced]
        fileprivate var letters: [LedgerFacts.Letter: Letter]
        fileprivate var origins: [OriginNames: Int32]

        /// Where a partition stood.
        func next(_ partition: Int) -> Int64? { progress[partition]?.next }
    }

    func snapshot() -> Snapshot {
        Snapshot(rows: rows, progress: progress, history: history, letters: letters, origins: origins)
    }

    func restore(_ snapshot: Snapshot) {
        (rows, progress, history) = (snapshot.rows, snapshot.progress, snapshot.history)
        (letters, origins) = (snapshot.letters, snapshot.origins)
    }

    /// What an operator's `offsets set` does: a new place, no owner, a raised epoch.
    func setOffset(_ partition: Int, to offset: Int64) {
        progress[partition]?.next = offset
        progress[partition]?.first = offset
        progress[partition]?.epoch += 1
        progress[partition]?.owner = nil
        progress[partition]?.hash = nil
    }

    func takeOver(_ requests: [TakeOverRequest], owner: UUIDBytes) throws(StoreFailure) -> [TakenPartition] {
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
            return TakenPartition(
                partition: request.partition, epoch: row.epoch, nextOffset: row.next, lastMessageHash: row.hash)
        }
    }

    func ownership(of partitions: [TopicPartition]) -> [PartitionOwnership] {
        partitions.compactMap { partition in
            progress[Int(partition.partition)].map {
                PartitionOwnership(partition: partition, epoch: $0.epoch, owner: $0.owner)
            }
        }
    }

    func newest(of patient: ReadingKey) -> Reading? {
        rows.values.filter {
            $0.patientHigh == patient.patientHigh && $0.patientLow == patient.patientLow && $0.time >= patient.time
        }.max { $0.time < $1.time }
    }

    func identifiers(of names: [OriginNames]) -> [Int32] {
        names.map { name in
            let known = origins[name] ?? Int32(origins.count + 1)
            origins[name] = known
            return known
        }
    }

    /// All of it, or nothing and why.
    func apply(_ request: CommitRequest) throws(StoreFailure) {
        try checkFences(request)
        var after = rows
        for row in request.inserts {
            if refuses?(row) == true { throw .data(sqlState: "22P02") }
            if after.updateValue(row, forKey: LedgerFacts.Key(row)) != nil { throw .conflict(sqlState: "23505") }
        }
        for change in request.changes {
            if refuses?(change.new) == true { throw .data(sqlState: "22P02") }
            guard let stored = after[LedgerFacts.Key(change.old)], isSame(stored, change.old) else {
                throw .conflict(sqlState: "VS002")
            }
            after[LedgerFacts.Key(change.new)] = change.new
        }
        let known = Set(history)
        if !known.isDisjoint(with: request.history) { throw .conflict(sqlState: "23505") }
        rows = after
        history += request.history
        letters.merge(request.letters) { old, _ in old }
        for advance in request.advances { book(advance) }
        commits += 1
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
            guard let row = progress[number], row.owner == advance.owner, row.epoch == advance.epoch,
                row.next == advance.expectedNext
            else { throw .fenced }
        }
    }

    private func book(_ advance: PartitionAdvance) {
        guard var row = progress[Int(advance.partition.partition)] else { return }
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
        progress[Int(advance.partition.partition)] = row
    }

    private func isSame(_ left: Reading, _ right: Reading) -> Bool {
        left.presence == right.presence && left.offset == right.offset && left.partition == right.partition
            && left.origin == right.origin && LedgerFacts.vitals(left) == LedgerFacts.vitals(right)
    }

    /// The tables in the oracle's words.
    var facts: LedgerFacts {
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

/// A commit as the server got it: copied, since the lane goes on with its buffers.
struct CommitRequest {
    var advances: [PartitionAdvance]
    var inserts: [Reading]
    var changes: [RowChange]
    var history: [LedgerFacts.Replaced]
    var letters: [LedgerFacts.Letter: FakeDatabase.Letter]

    init(_ batch: Batch, _ plan: BatchPlan) {
        advances = batch.advances
        inserts = (0..<plan.insertCount).map { plan.insert(at: $0) }
        changes = plan.changes
        history = plan.replacements.map {
            LedgerFacts.Replaced(
                key: LedgerFacts.Key($0.before), vitals: LedgerFacts.vitals($0.before, $0.replaced),
                partition: Int($0.partition), offset: $0.offset)
        }
        letters = [:]
        let buffer = batch.deadLetters
        func text(_ range: Range<Int>) -> String { buffer.withBytes(range) { String(decoding: $0, as: UTF8.self) } }
        for letter in buffer.letters {
            let place = LedgerFacts.Letter(
                partition: Int(letter.position.partition.partition), offset: letter.position.offset,
                reason: letter.reason.code)
            letters[place] = FakeDatabase.Letter(
                reason: letter.reason.code, detail: text(letter.detail),
                payload: letter.payload.map { buffer.withBytes($0) { Array($0) } }, headers: letter.headers.map(text))
        }
    }

    /// Changes when anything of it does.
    var fingerprint: Int {
        var hasher = Hasher()
        for advance in advances {
            hasher.combine(advance.partition)
            hasher.combine([advance.expectedNext, advance.next, advance.gaps, advance.rejected])
        }
        for row in inserts + changes.map(\.old) + changes.map(\.new) {
            withUnsafeBytes(of: row) { hasher.combine(bytes: $0) }
        }
        hasher.combine(history)
        hasher.combine(letters.keys.count)
        return hasher.finalize()
    }
}
