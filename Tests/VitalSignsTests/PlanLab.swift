import Testing
import VitalSigns

/// A plan with its table, and a naive store that answers its questions and that its outcome is held against.
final class PlanLab {
    let plan: BatchPlan
    var table: PatientTable
    let buffer: UnsafeMutablePointer<Reading>
    var store = NaiveStore()
    private let capacity: Int

    init(tableCapacity: Int, batchCapacity: Int = 1_024) {
        plan = BatchPlan(capacity: batchCapacity)
        table = PatientTable(capacity: tableCapacity)
        buffer = .allocate(capacity: batchCapacity)
        capacity = batchCapacity
    }

    deinit { buffer.deallocate() }

    /// Plans a batch to its end, without judging it.
    func draft(_ batch: [Reading], trustsTable: Bool) {
        precondition(batch.count <= capacity)
        for (index, reading) in batch.enumerated() { (buffer + index).initialize(to: reading) }
        plan.begin(buffer, count: batch.count, trustsTable: trustsTable)
        plan.findPatients(in: table)
        let unknown = plan.unknownPatients
        expectOrdered(unknown.map { NaiveStore.Key($0) }, "unknown patients")
        if !unknown.isEmpty {
            for patient in unknown {
                let newest = store.rows.keys.filter {
                    $0.high == patient.patientHigh && $0.low == patient.patientLow && $0.time >= patient.time
                }.max()
                plan.learn(patient, newest: newest.flatMap { store.reading($0) }, in: &table)
            }
            plan.findPatients(in: table)
        }
        plan.classify(with: table)
        expectOrdered(plan.lookUps.map { NaiveStore.Key($0) }, "look-ups")
        plan.stored = plan.lookUps.map { store.reading(NaiveStore.Key($0)) ?? Reading() }
        plan.fold(with: table)
    }

    /// Plans a batch and holds what it would do against its messages applied one at a time.
    func plan(_ batch: [Reading], trustsTable: Bool) {
        draft(batch, trustsTable: trustsTable)
        var naive = store
        naive.beginBatch()
        for message in batch { naive.apply(message) }
        #expect(contradictions().isEmpty)
        for partition in Set(batch.map(\.partition)) {
            let counts = plan.verdicts(partition: Int32(partition))
            #expect(counts == naive.verdicts[Int(partition)] ?? VerdictCounts())
        }
        var after = store.rows
        var keys: [NaiveStore.Key] = []
        for index in 0..<plan.insertCount {
            let row = plan.insert(at: index)
            keys.append(NaiveStore.Key(row))
            after[NaiveStore.Key(row)] = NaiveStore.row(row)
        }
        expectOrdered(keys, "inserts")
        for change in plan.changes {
            #expect(change.old.hasSameKey(as: change.new))
            #expect(NaiveStore.row(change.old) != NaiveStore.row(change.new))
            after[NaiveStore.Key(change.new)] = NaiveStore.row(change.new)
        }
        expectOrdered(plan.changes.map { NaiveStore.Key($0.new) }, "changes")
        #expect(after == naive.rows)
        let replaced = plan.replacements.map {
            NaiveStore.Replaced(
                key: NaiveStore.Key($0.before), vitals: NaiveStore.row($0.before, only: $0.replaced).vitals,
                partition: Int($0.partition), offset: $0.offset)
        }
        #expect(replaced.count == naive.history.count && Set(replaced) == Set(naive.history))
    }

    /// Keys at which the plan would fail in a database: an insert that is there, a change of what is not as read.
    func contradictions() -> [NaiveStore.Key] {
        var keys: [NaiveStore.Key] = []
        for index in 0..<plan.insertCount where store.rows[NaiveStore.Key(plan.insert(at: index))] != nil {
            keys.append(NaiveStore.Key(plan.insert(at: index)))
        }
        for change in plan.changes where store.rows[NaiveStore.Key(change.old)] != NaiveStore.row(change.old) {
            keys.append(NaiveStore.Key(change.old))
        }
        return keys
    }

    /// Commits the batch that was planned last, and holds the table against the store.
    func commit(_ batch: [Reading]) {
        for message in batch { store.apply(message) }
        plan.remember(in: &table)
        for message in batch {
            let slot = table.find(high: message.patientHigh, low: message.patientLow)
            guard slot >= 0 else { continue }
            let entry = table.entry(slot)
            let newest = store.rows.keys
                .filter { $0.high == message.patientHigh && $0.low == message.patientLow }.max()
            #expect(entry.time == newest?.time)
            #expect(store.rows[NaiveStore.Key(entry)] == NaiveStore.row(entry))
        }
    }

    private func expectOrdered(_ keys: [NaiveStore.Key], _ what: Comment) {
        for index in keys.indices.dropFirst() where keys[index - 1] >= keys[index] {
            Issue.record("\(what) are not in key order")
        }
    }
}
