internal import CSimdJSON

/// Turns a batch of readings in arrival order into what the database has to do, in four steps.
///
/// 1. `begin` sorts; 2. `unknownPatients` names whom the table does not know, whose newest rows the caller fetches
/// and remembers; 3. `classify` names the keys that may be stored, whose rows the caller fetches into `stored`;
/// 4. `fold` applies the messages one at a time in offset order and leaves inserts, changes and replacements.
/// After the commit `remember` brings the table up to date. One thread only; buffers are made once and grow only
/// with the share of the batch that is not simply new.
@safe public final class BatchPlan {
    /// How many rows the batch inserts; `insert(at:)` gives them in key order.
    public private(set) var insertCount = 0
    /// Stored rows to change, in key order.
    public private(set) var changes: [RowChange] = []
    /// One entry a correction, in key order and then in log order.
    public private(set) var replacements: [Replacement] = []
    /// Keys whose stored rows `fold` needs, in key order.
    public private(set) var lookUps: [ReadingKey] = []
    /// The rows found for `lookUps`, position by position; presence 0 where none is stored. Filled by the caller.
    public var stored: [Reading] = []
    /// Patients that the table does not know, each with the time of their oldest reading in the batch.
    public private(set) var unknownPatients: [ReadingKey] = []

    private var order: RowOrder
    /// What `order` is the untouched order of.
    private var sorted: SortedBatch?
    /// What `classify` found, key by key: the row of a key that is certainly new and has one message, or with
    /// `runFlag` an index into `runs`. Most keys are of the first kind and are looked at once.
    private let classified: UnsafeMutablePointer<UInt32>
    private var classifiedCount = 0
    private var runs: [KeyRun] = []
    private static let runFlag: UInt32 = 1 << 31
    /// References to the rows to insert, as `InsertRows` reads them.
    private let inserts: UnsafeMutablePointer<UInt32>
    /// Rows that more than one message made. The messages themselves stay as they came: a retry folds them again.
    private var folded: UnsafeMutablePointer<Reading>
    private var foldedCount = 0
    private var foldedCapacity = 1_024
    /// The batch being planned; the caller keeps it alive from `begin` to `remember`.
    private var readings: UnsafeMutablePointer<Reading>
    private let unread: UnsafeMutablePointer<Reading>
    private var count = 0
    private var counts: UnsafeMutablePointer<VerdictCounts>
    /// Per partition, the messages that `classify` has counted already.
    private var plainInserts: UnsafeMutablePointer<Int64>
    private var countsCapacity = 64
    private var trustsTable = true
    private var generation: UInt64 = 0

    /// A plan for batches of at most `capacity` readings.
    public init(capacity: Int) {
        order = RowOrder(capacity: capacity)
        unsafe classified = .allocate(capacity: capacity)
        unsafe inserts = .allocate(capacity: capacity)
        unsafe folded = .allocate(capacity: foldedCapacity)
        unsafe counts = .allocate(capacity: countsCapacity)
        unsafe counts.initialize(repeating: VerdictCounts(), count: countsCapacity)
        unsafe plainInserts = .allocate(capacity: countsCapacity)
        unsafe plainInserts.initialize(repeating: 0, count: countsCapacity)
        // Never read: `begin` sets it before anything looks.
        unsafe readings = .allocate(capacity: 1)
        unsafe unread = unsafe readings
    }

    deinit {
        unsafe unread.deallocate()
        unsafe classified.deallocate()
        unsafe inserts.deallocate()
        unsafe folded.deallocate()
        unsafe counts.deallocate()
        unsafe plainInserts.deallocate()
    }

    /// Sorts a full batch while the database still works on the one before, so that `begin` finds it sorted.
    /// - Parameter filling: a number that is another one after everything that empties the batch.
    public func sortAhead(_ readings: UnsafeMutablePointer<Reading>, count: Int, filling: UInt64) {
        let batch = SortedBatch(address: UInt(bitPattern: readings), count: count, filling: filling)
        if batch == sorted { return }
        sorted = batch
        unsafe order.sort(readings, count: count)
    }

    /// Starts on a batch: sorts it unless `sortAhead` has, and forgets the one before.
    /// - Parameter readings: the batch in arrival order; stays the caller's and is not written to.
    /// - Parameter trustsTable: false makes every key a look-up, after the database has contradicted the table.
    /// - Parameter filling: see `sortAhead`.
    public func begin(
        _ readings: UnsafeMutablePointer<Reading>, count: Int, trustsTable: Bool, filling: UInt64 = 0
    ) {
        unsafe self.readings = unsafe readings
        self.count = count
        self.trustsTable = trustsTable
        insertCount = 0
        changes.removeAll(keepingCapacity: true)
        replacements.removeAll(keepingCapacity: true)
        lookUps.removeAll(keepingCapacity: true)
        stored.removeAll(keepingCapacity: true)
        foldedCount = 0
        classifiedCount = 0
        runs.removeAll(keepingCapacity: true)
        unknownPatients.removeAll(keepingCapacity: true)
        unsafe sortAhead(readings, count: count, filling: filling)
        // From here on the order is worked in; a retry needs it as it was.
        sorted = nil
        makeRoom(forPartition: order.greatestPartition)
        unsafe counts.update(repeating: VerdictCounts(), count: countsCapacity)
    }

    /// Lists the patients of the batch that `table` does not know, in key order, and leaves the slots of the others.
    public func findPatients(in table: borrowing PatientTable) {
        unknownPatients.removeAll(keepingCapacity: true)
        generation = table.generation
        var position = 0
        while position < count {
            let first = unsafe readings[Int(order.rows[position].row)]
            let slot = table.find(high: first.patientHigh, low: first.patientLow)
            if slot < 0 {
                unknownPatients.append(
                    ReadingKey(patientHigh: first.patientHigh, patientLow: first.patientLow, time: first.time))
            }
            unsafe order.rows[position].slot = slot
            position = endOfPatient(from: position)
        }
    }

    /// Remembers an unknown patient: their newest stored row, or none at or after the oldest reading of the batch.
    /// - Parameter newest: the row, or nil when no row at or after `unknown.time` is stored.
    public func learn(_ unknown: ReadingKey, newest: Reading?, in table: inout PatientTable) {
        if let newest {
            table.insert(newest)
            return
        }
        var floor = Reading()
        floor.patientHigh = unknown.patientHigh
        floor.patientLow = unknown.patientLow
        floor.time = unknown.time - 1
        floor.partition = partitionOfFirstReading(of: unknown)
        table.insert(floor)
    }

    /// Lists the keys whose stored rows are needed: all that are not certainly new and not the table's own newest.
    /// - Precondition: `findPatients` was called since the table last gained or lost a patient.
    public func classify(with table: borrowing PatientTable) {
        precondition(generation == table.generation, "slots of another table generation")
        lookUps.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
        unsafe plainInserts.update(repeating: 0, count: countsCapacity)
        let readings = unsafe self.readings
        let rows = unsafe order.rows
        let marks = unsafe order.marks
        let classified = unsafe self.classified
        let plainInserts = unsafe self.plainInserts
        let count = count
        var found = 0
        var position = 0
        while position < count {
            let slot = unsafe rows[position].slot
            let entry = trustsTable && slot >= 0 ? table.entry(slot) : nil
            repeat {
                var end = position + 1
                while end < count, unsafe marks[end] == .sameKey { end += 1 }
                if position + 12 < count { unsafe vs_prefetch(readings + Int(rows[position + 12].row)) }
                let first = unsafe rows[position].row
                let row = unsafe readings + Int(first)
                if let entry, end == position + 1, unsafe row.pointee.time > entry.time,
                    unsafe row.pointee.partition == entry.partition
                {
                    unsafe classified[found] = first
                    unsafe plainInserts[Int(row.pointee.partition)] += 1
                } else {
                    let run = KeyRun(
                        start: UInt32(position), end: UInt32(end), slot: slot,
                        state: state(of: position..<end, entry: entry))
                    if run.state == .unknown { lookUps.append(unsafe ReadingKey(row.pointee)) }
                    unsafe classified[found] = Self.runFlag | UInt32(runs.count)
                    runs.append(run)
                }
                found += 1
                position = end
            } while unsafe position < count && marks[position] != .newPatient
        }
        classifiedCount = found
    }

    /// Applies every message to its row, one at a time in offset order. Once after each `classify`.
    /// - Precondition: `stored` holds one row for each of `lookUps`.
    public func fold(with table: borrowing PatientTable) {
        precondition(stored.count == lookUps.count, "a look-up without an answer")
        for partition in 0..<countsCapacity { unsafe counts[partition].inserted = unsafe plainInserts[partition] }
        let classified = unsafe self.classified
        let inserts = unsafe self.inserts
        var nextStored = 0
        for place in 0..<classifiedCount {
            let reference = unsafe classified[place]
            if reference & Self.runFlag == 0 {
                unsafe inserts[insertCount] = reference
                insertCount += 1
                continue
            }
            let run = runs[Int(reference & ~Self.runFlag)]
            switch run.state {
            case .absent:
                foldRun(run.range, stored: nil)
            case .known:
                foldRun(run.range, stored: table.entry(run.slot))
            case .unknown:
                let row = stored[nextStored]
                nextStored += 1
                foldRun(run.range, stored: row.presence == 0 ? nil : row)
            }
        }
    }

    /// Brings the table up to date with the batch, once it is committed.
    public func remember(in table: inout PatientTable) {
        guard generation == table.generation else { return }
        var position = 0
        while position < count {
            let slot = unsafe order.rows[position].slot
            let end = endOfPatient(from: position)
            if slot >= 0 {
                // A key's folded row is referred to by its run's first place; the newest key is the last run.
                var start = end - 1
                while start > position, unsafe order.marks[start] == .sameKey { start -= 1 }
                let newest = row(at: start)
                if newest.time >= table.entry(slot).time { table.update(slot, to: newest) }
            }
            position = end
        }
    }

    /// The rows to insert, in key order; valid until the next `begin`.
    public var insertRows: InsertRows {
        unsafe InsertRows(count: insertCount, references: inserts, readings: readings, folded: folded)
    }

    /// The row to insert at `index` of `insertCount`, in key order.
    public func insert(at index: Int) -> Reading { insertRows[index] }

    /// The counts of one partition's accepted messages after `fold`.
    public func verdicts(partition: Int32) -> VerdictCounts {
        Int(partition) < countsCapacity ? unsafe counts[Int(partition)] : VerdictCounts()
    }

    // MARK: - One key

    private struct SortedBatch: Equatable {
        /// Where the batch lies; compared, never followed.
        let address: UInt
        let count: Int
        let filling: UInt64
    }

    private enum KeyState: BitwiseCopyable {
        case absent
        /// It is the table's own newest row.
        case known
        case unknown
    }

    /// A key whose messages have to be folded.
    private struct KeyRun: BitwiseCopyable {
        let start: UInt32
        let end: UInt32
        let slot: Int32
        let state: KeyState

        /// Its places in the order.
        var range: Range<Int> { Int(start)..<Int(end) }
    }

    private func state(of run: Range<Int>, entry: Reading?) -> KeyState {
        guard let entry else { return .unknown }
        let time = unsafe readings[Int(order.rows[run.lowerBound].row)].time
        if time < entry.time || (time == entry.time && entry.presence == 0) { return .unknown }
        for position in run where row(at: position).partition != entry.partition {
            return .unknown
        }
        return time > entry.time ? .absent : .known
    }

    private func foldRun(_ run: Range<Int>, stored: Reading?) {
        var reference = unsafe order.rows[run.lowerBound].row
        var row: Reading
        var rest = run
        if let stored {
            row = stored
        } else {
            row = unsafe readings[Int(reference)]
            unsafe counts[Int(row.partition)].count(.inserted)
            rest = run.lowerBound + 1..<run.upperBound
        }
        var changed = false
        for position in rest {
            let message = unsafe readings[Int(order.rows[position].row)]
            let before = row
            let outcome = row.apply(message)
            unsafe counts[Int(message.partition)].count(outcome.verdict)
            changed = changed || outcome.changedRow
            if outcome.replaced != 0 {
                replacements.append(
                    Replacement(
                        before: before, replaced: outcome.replaced, partition: message.partition,
                        offset: message.offset))
            }
        }
        if changed || stored != nil {
            reference = keepFolded(row)
            unsafe order.rows[run.lowerBound].row = reference
        }
        if let stored {
            if changed { changes.append(RowChange(old: stored, new: row)) }
        } else {
            unsafe inserts[insertCount] = reference
            insertCount += 1
        }
    }

    /// - Returns: the reference to the row.
    private func keepFolded(_ row: Reading) -> UInt32 {
        if foldedCount == foldedCapacity {
            let grown = UnsafeMutablePointer<Reading>.allocate(capacity: 2 * foldedCapacity)
            unsafe grown.moveInitialize(from: folded, count: foldedCount)
            unsafe folded.deallocate()
            unsafe folded = unsafe grown
            foldedCapacity *= 2
        }
        unsafe (folded + foldedCount).initialize(to: row)
        foldedCount += 1
        return UInt32(foldedCount - 1) | InsertRows.foldedFlag
    }

    /// The row that a place of the order refers to.
    private func row(at position: Int) -> Reading {
        let reference = unsafe order.rows[position].row
        return reference & InsertRows.foldedFlag == 0
            ? unsafe readings[Int(reference)] : unsafe folded[Int(reference & ~InsertRows.foldedFlag)]
    }

    // MARK: - Walking the order

    private func endOfPatient(from position: Int) -> Int {
        var end = position + 1
        while end < count, unsafe order.marks[end] != .newPatient { end += 1 }
        return end
    }

    private func partitionOfFirstReading(of unknown: ReadingKey) -> UInt16 {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let row = unsafe readings[Int(order.rows[middle].row)]
            let precedes =
                row.patientHigh != unknown.patientHigh
                ? row.patientHigh < unknown.patientHigh
                : row.patientLow != unknown.patientLow
                    ? row.patientLow < unknown.patientLow : row.time < unknown.time
            if precedes { low = middle + 1 } else { high = middle }
        }
        return unsafe readings[Int(order.rows[low].row)].partition
    }

    private func makeRoom(forPartition partition: Int) {
        guard partition >= countsCapacity else { return }
        let size = max(countsCapacity * 2, partition + 1)
        unsafe counts.deallocate()
        unsafe counts = .allocate(capacity: size)
        unsafe counts.initialize(repeating: VerdictCounts(), count: size)
        unsafe plainInserts.deallocate()
        unsafe plainInserts = .allocate(capacity: size)
        unsafe plainInserts.initialize(repeating: 0, count: size)
        countsCapacity = size
    }
}
