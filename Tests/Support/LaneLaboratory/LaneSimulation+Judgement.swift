internal import Ingest
internal import Kafka
internal import Service
internal import TestSupport
internal import VitalSigns

// The promises, one by one, once all is calm.
extension LaneSimulation {
    /// After the last fault's end each partition that has something to store must move within so long: a lane that was
    /// fenced leaves its partition alone for 8 s.
    static var recoveryLimit: Duration { .seconds(10) }

    func judge() {
        for place in places {
            for misuse in place.process.session.misuses + place.process.consumer.misuses {
                violate(.progress, "the lane breaks the rules of its ports: \(misuse)")
            }
        }
        let positions = (0..<partitions).map { "\(database.progress[$0]?.next ?? -1) of \(log.high($0))" }
        guard isDone else {
            violate(.progress, "a minute after the last fault the offsets are \(positions)")
            return
        }
        let facts = database.facts
        let skipped = database.progress.mapValues(\.skipped)
        let expected = LedgerFacts.fold(log, first: facts.books.mapValues(\.first), skipped: skipped)
        countRepeats(expected)
        judgeBooks(facts, expected)
        if wanders {
            // With a patient in several partitions the order between them is nobody's; the counts are exact all the
            // same.
            let keys = Set(facts.rows.keys).symmetricDifference(expected.rows.keys)
            if !keys.isEmpty { violate(.rows, "\(keys.count) keys are missing or without a message") }
            return
        }
        judgeRows(facts, expected)
        if database.watch.violations.isEmpty, numbers.oneIn(3) { readAgain() }
    }

    private func countRepeats(_ expected: LedgerFacts) {
        for books in expected.books.values {
            let counts = books.verdicts
            let repeats = counts.merged + counts.corrected + counts.duplicate + counts.stale
            outcome.faults[.repeatedKey, default: 0] += Int(repeats)
        }
    }

    private func judgeRows(_ facts: LedgerFacts, _ expected: LedgerFacts) {
        let missing = expected.rows.keys.filter { facts.rows[$0] == nil }
        if let first = missing.min() { violate(.rows, "\(missing.count) rows are missing, the first is \(first)") }
        let surplus = facts.rows.keys.filter { expected.rows[$0] == nil }
        if let first = surplus.min() {
            violate(.rows, "\(surplus.count) rows without a message, the first is \(first)")
        }
        for (key, row) in expected.rows.sorted(by: { $0.key < $1.key }) {
            guard let stored = facts.rows[key], stored != row else { continue }
            violate(.values, "row \(key) is \(stored), the log says \(row)")
            break
        }
        if facts.history.count != expected.history.count || Set(facts.history) != Set(expected.history) {
            violate(.values, "\(facts.history.count) replaced values are kept, the log has \(expected.history.count)")
        }
    }

    private func judgeBooks(_ facts: LedgerFacts, _ expected: LedgerFacts) {
        if facts.letters != expected.letters {
            let places = facts.letters.symmetricDifference(expected.letters).count
            violate(.ledger, "dead letters differ in \(places) places")
        }
        var inserted: Int64 = 0
        var corrected: Int64 = 0
        for (partition, books) in facts.books.sorted(by: { $0.key < $1.key }) {
            let counts = books.verdicts
            inserted += counts.inserted
            corrected += counts.corrected
            let consumed =
                counts.inserted + counts.merged + counts.corrected + counts.duplicate + counts.stale + books.rejected
            if consumed != books.next - books.first - books.gaps {
                violate(.ledger, "partition \(partition): \(consumed) messages are booked, \(books) moved")
            }
            guard let wanted = expected.books[partition] else { continue }
            if books.gaps != wanted.gaps {
                violate(.ledger, "partition \(partition): \(books.gaps) gaps are booked, the log has \(wanted.gaps)")
            }
            if !wanders, books != wanted {
                violate(.ledger, "partition \(partition): the books are \(books), the log says \(wanted)")
            }
        }
        if inserted != Int64(facts.rows.count) {
            violate(.ledger, "\(inserted) messages are booked as inserted, there are \(facts.rows.count) rows")
        }
        if corrected != Int64(facts.history.count) {
            violate(.ledger, "\(corrected) corrections are booked, the history holds \(facts.history.count)")
        }
    }

    /// An operator sends every partition back to where it began, and nothing may change.
    private func readAgain() {
        let isWhole = (0..<partitions).allSatisfy { number in
            database.progress[number].map { $0.first >= log.low[number] && $0.skipped.isEmpty } ?? false
        }
        guard isWhole else { return }
        note("everything is read again")
        let before = tables
        let letters = database.letters
        for partition in 0..<partitions { database.setOffset(partition, to: database.progress[partition]?.first ?? 0) }
        _ = settle(within: .seconds(60))
        guard isDone else { return violate(.progress, "reading again does not end") }
        if tables != before { violate(.replay, "reading again has changed rows or history") }
        if database.letters != letters { violate(.replay, "reading again has changed the dead letters") }
    }

    /// Rows byte by byte, and the history.
    private var tables: [LedgerFacts.Key: [UInt8]] {
        var tables = database.rows.mapValues { row in withUnsafeBytes(of: row) { Array($0) } }
        var history = Hasher()
        history.combine(Set(database.history))
        let digest = withUnsafeBytes(of: history.finalize()) { Array($0) }
        tables[LedgerFacts.Key(Reading())] = digest
        return tables
    }
}
