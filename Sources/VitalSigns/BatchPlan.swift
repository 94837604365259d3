/// A key of `silver.vital_reading`: patient and instant.
public struct ReadingKey: BitwiseCopyable, Sendable {
    /// First eight bytes of the patient's UUID, big-endian.
    public var patientHigh: UInt64
    /// Last eight bytes of the patient's UUID, big-endian.
    public var patientLow: UInt64
    /// Event time in milliseconds since 1970-01-01Z.
    public var time: Int64

    /// The key of patient (`high`, `low`) at `time`.
    public init(patientHigh: UInt64, patientLow: UInt64, time: Int64) {
        self.patientHigh = patientHigh
        self.patientLow = patientLow
        self.time = time
    }
}

/// A stored row that the batch changes: what it was, and what it becomes.
public struct RowChange: BitwiseCopyable, Sendable {
    /// The row as it is stored; the update compares all of it before it writes.
    public var old: Reading
    /// The row as it shall be.
    public var new: Reading
}

/// The values that one correction replaced.
public struct Replacement: BitwiseCopyable, Sendable {
    /// The row before the correction; only the vital signs named by `replaced` were replaced.
    public var before: Reading
    /// Presence bits of the values that were replaced.
    public var replaced: UInt8
    /// Partition of the correcting message.
    public var partition: UInt16
    /// Offset of the correcting message.
    public var offset: Int64
}

/// How many messages of one partition fell into each class that validation lets through.
public struct VerdictCounts: BitwiseCopyable, Sendable, Equatable {
    /// Messages whose key was new.
    public var inserted: Int64 = 0
    /// Messages that only added vital signs.
    public var merged: Int64 = 0
    /// Messages that replaced a stored value.
    public var corrected: Int64 = 0
    /// Messages that said nothing new.
    public var duplicate: Int64 = 0
    /// Messages that disagreed with what is stored but stand earlier.
    public var stale: Int64 = 0

    /// No message yet.
    public init() {}

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
    /// References to the rows to insert: an index into `readings`, or with `foldedFlag` one into `folded`.
    private let inserts: UnsafeMutablePointer<UInt32>
    /// Rows that more than one message made. The messages themselves stay as they came: a retry folds them again.
    private var folded: [Reading] = []
    private static let foldedFlag: UInt32 = 1 << 31
    /// The batch being planned; the caller keeps it alive from `begin` to `remember`.
    private var readings: UnsafeMutablePointer<Reading>
    private let unread: UnsafeMutablePointer<Reading>
    private var count = 0
    private var counts: UnsafeMutablePointer<VerdictCounts>
    private var countsCapacity = 64
    private var trustsTable = true
    private var generation: UInt64 = 0

    /// A plan for batches of at most `capacity` readings.
    public init(capacity: Int) {
        order = RowOrder(capacity: capacity)
        unsafe inserts = .allocate(capacity: capacity)
        unsafe counts = .allocate(capacity: countsCapacity)
        unsafe counts.initialize(repeating: VerdictCounts(), count: countsCapacity)
        // Never read: `begin` sets it before anything looks.
        unsafe readings = .allocate(capacity: 1)
        unsafe unread = unsafe readings
    }

    deinit {
        unsafe unread.deallocate()
        unsafe inserts.deallocate()
        unsafe counts.deallocate()
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
        folded.removeAll(keepingCapacity: true)
        unknownPatients.removeAll(keepingCapacity: true)
        unsafe counts.update(repeating: VerdictCounts(), count: countsCapacity)
        unsafe sortAhead(readings, count: count, filling: filling)
        // From here on the order is worked in; a retry needs it as it was.
        sorted = nil
        for index in 0..<count { unsafe makeRoom(forPartition: Int(readings[index].partition)) }
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
        forEachKey(table) { run, entry in
            if case .unknown = state(of: run, entry: entry) {
                let first = unsafe readings[Int(order.rows[run.lowerBound].row)]
                lookUps.append(
                    ReadingKey(patientHigh: first.patientHigh, patientLow: first.patientLow, time: first.time))
            }
        }
    }

    /// Applies every message to its row, one at a time in offset order.
    /// - Precondition: `stored` holds one row for each of `lookUps`.
    public func fold(with table: borrowing PatientTable) {
        precondition(stored.count == lookUps.count, "a look-up without an answer")
        var nextStored = 0
        forEachKey(table) { run, entry in
            switch state(of: run, entry: entry) {
            case .absent:
                foldRun(run, stored: nil)
            case .known(let row):
                foldRun(run, stored: row)
            case .unknown:
                let row = stored[nextStored]
                nextStored += 1
                foldRun(run, stored: row.presence == 0 ? nil : row)
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

    /// The row to insert at `index` of `insertCount`, in key order.
    @inline(__always)
    public func insert(at index: Int) -> Reading {
        resolve(unsafe inserts[index])
    }

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

    private enum KeyState {
        case absent
        case known(Reading)
        case unknown
    }

    private func state(of run: Range<Int>, entry: Reading?) -> KeyState {
        guard trustsTable, let entry else { return .unknown }
        let time = unsafe readings[Int(order.rows[run.lowerBound].row)].time
        if time < entry.time || (time == entry.time && entry.presence == 0) { return .unknown }
        for position in run where row(at: position).partition != entry.partition {
            return .unknown
        }
        return time > entry.time ? .absent : .known(entry)
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
            reference = UInt32(folded.count) | Self.foldedFlag
            folded.append(row)
            unsafe order.rows[run.lowerBound].row = reference
        }
        if let stored {
            if changed { changes.append(RowChange(old: stored, new: row)) }
        } else {
            unsafe inserts[insertCount] = reference
            insertCount += 1
        }
    }

    @inline(__always)
    private func resolve(_ reference: UInt32) -> Reading {
        reference & Self.foldedFlag == 0
            ? unsafe readings[Int(reference)] : folded[Int(reference & ~Self.foldedFlag)]
    }

    /// The row that a place of the order refers to.
    private func row(at position: Int) -> Reading {
        resolve(unsafe order.rows[position].row)
    }

    // MARK: - Walking the order

    private func forEachKey(_ table: borrowing PatientTable, _ body: (Range<Int>, Reading?) -> Void) {
        var position = 0
        while position < count {
            let slot = unsafe order.rows[position].slot
            let entry = slot >= 0 ? table.entry(slot) : nil
            let end = endOfPatient(from: position)
            while position < end {
                var keyEnd = position + 1
                while keyEnd < end, unsafe order.marks[keyEnd] == .sameKey { keyEnd += 1 }
                body(position..<keyEnd, entry)
                position = keyEnd
            }
        }
    }

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
        countsCapacity = size
    }
}

extension Reading {
    /// Whether `other` belongs to the same patient.
    @inlinable
    public func hasSamePatient(as other: Reading) -> Bool {
        patientHigh == other.patientHigh && patientLow == other.patientLow
    }
}
