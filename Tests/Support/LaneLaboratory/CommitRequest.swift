// The signatures are made of their values.
package import Ingest
internal import Kafka
package import VitalSigns

/// A commit as the server got it: copied, since the lane goes on with its buffers.
package struct CommitRequest {
    package var advances: [PartitionAdvance]
    package var inserts: [Reading]
    package var changes: [RowChange]
    package var history: [LedgerFacts.Replaced]
    package var letters: [LedgerFacts.Letter: FakeDatabase.Letter]

    /// What the plan wants of a server, or would want with a safeguard missing.
    package init(_ batch: Batch, _ plan: BatchPlan, mutation: Mutation? = nil) {
        advances = batch.advances
        inserts = (0..<plan.insertCount).map { plan.insert(at: $0) }
        changes = plan.changes
        history = plan.replacements.map {
            LedgerFacts.Replaced(
                key: LedgerFacts.Key($0.before), vitals: LedgerFacts.vitals($0.before, $0.replaced),
                partition: Int($0.partition), offset: $0.offset)
        }
        letters = Self.letters(batch.deadLetters)
        switch mutation {
        case .unreduced: expandInserts(batch)
        case .unsorted:
            inserts.sort { $1.standsLater(than: $0) }
            changes.sort { $1.new.standsLater(than: $0.new) }
        default: break
        }
    }

    /// Every message of a key that is inserted, instead of the one row they amount to.
    private mutating func expandInserts(_ batch: Batch) {
        let new = Set(inserts.map { LedgerFacts.Key($0) })
        inserts = (0..<batch.readingCount).map { batch.readings[$0] }.filter { new.contains(LedgerFacts.Key($0)) }
    }

    private static func letters(_ buffer: DeadLetterBuffer) -> [LedgerFacts.Letter: FakeDatabase.Letter] {
        var letters: [LedgerFacts.Letter: FakeDatabase.Letter] = [:]
        func text(_ range: Range<Int>) -> String { buffer.withBytes(range) { String(decoding: $0, as: UTF8.self) } }
        for letter in buffer.letters {
            let place = LedgerFacts.Letter(
                partition: Int(letter.position.partition.partition), offset: letter.position.offset,
                reason: letter.reason.code)
            letters[place] = FakeDatabase.Letter(
                reason: letter.reason.code, detail: text(letter.detail),
                payload: letter.payload.map { buffer.withBytes($0) { Array($0) } }, headers: letter.headers.map(text))
        }
        return letters
    }

    /// Whether two such transactions at once would wait for each other in a circle: each holds a row that the other
    /// comes to later. Two that move one partition queue at its ledger row, before any other; inserts come before
    /// changes in both, and a row that is stored is never waited for by an insert that holds it.
    package func deadlocks(with other: CommitRequest) -> Bool {
        let partitions = Set(advances.map(\.partition))
        if other.advances.contains(where: { partitions.contains($0.partition) }) { return false }
        return Self.isCircle(inserts, other.inserts) || Self.isCircle(changes.map(\.new), other.changes.map(\.new))
    }

    private static func isCircle(_ mine: [Reading], _ others: [Reading]) -> Bool {
        if mine.count < 2 || others.count < 2 { return false }
        var places: [LedgerFacts.Key: Int] = [:]
        for (place, row) in mine.enumerated() { places[LedgerFacts.Key(row)] = place }
        let shared = others.compactMap { places[LedgerFacts.Key($0)] }
        return zip(shared, shared.dropFirst()).contains { $0 > $1 }
    }

    /// What it moves, in a line.
    package var summary: String {
        advances.map { "\($0.partition.partition):\($0.expectedNext)..<\($0.next)/e\($0.epoch)" }
            .joined(separator: " ") + " inserts \(inserts.count) changes \(changes.count) letters \(letters.count)"
    }

    /// Changes when anything of it does.
    package var fingerprint: Int {
        var hasher = Hasher()
        for advance in advances {
            hasher.combine(advance.partition)
            hasher.combine(advance.expectedNext)
            hasher.combine(advance.next)
            hasher.combine(advance.gaps)
            hasher.combine(advance.rejected)
        }
        for row in inserts { withUnsafeBytes(of: row) { hasher.combine(bytes: $0) } }
        for change in changes { withUnsafeBytes(of: change) { hasher.combine(bytes: $0) } }
        hasher.combine(history)
        hasher.combine(letters.keys.count)
        return hasher.finalize()
    }
}
