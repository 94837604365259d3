internal import CSimdJSON

/// One row of a batch on its way into key order: the sort key, which row, and the slot of its patient.
@usableFromInline
struct OrderedRow: BitwiseCopyable {
    @usableFromInline var patientHigh: UInt64
    @usableFromInline var row: UInt32
    @usableFromInline var slot: Int32
}

/// What begins at a place of the order; a patient's first row is a key's first row too.
@usableFromInline
enum RowMark: UInt8, BitwiseCopyable {
    case sameKey, newKey, newPatient
}

/// Sorts the rows of a batch by (patient, time, arrival) without moving them.
///
/// Big batches go through a radix sort over the patient's first half, which keeps arrival order; what is left to
/// do inside a patient is usually nothing. Buffers are made once for the largest batch.
@safe struct RowOrder: ~Copyable {
    let capacity: Int
    private(set) var rows: UnsafeMutablePointer<OrderedRow>
    /// Where patients and keys begin, place by place, so that later walks need not look at the readings themselves.
    let marks: UnsafeMutablePointer<RowMark>
    /// The greatest partition among the rows last sorted.
    private(set) var greatestPartition = 0
    private var spare: UnsafeMutablePointer<OrderedRow>
    private let histogram: UnsafeMutablePointer<UInt32>

    private static let digitBits = 8
    private static let digits = 8
    private static let buckets = 256
    /// Two of ten thousand patients meet in one of so many cells in one batch of twenty; `finish` parts them.
    private static let wantedCells = 1e9
    /// Below this a comparison sort is cheaper than clearing eight histograms.
    private static let smallBatch = 192
    /// Ranges sorted by insertion before they are merged.
    private static let runRows = 16

    init(capacity: Int) {
        self.capacity = capacity
        unsafe rows = .allocate(capacity: capacity)
        unsafe spare = .allocate(capacity: capacity)
        unsafe marks = .allocate(capacity: capacity)
        unsafe histogram = .allocate(capacity: Self.digits * Self.buckets)
    }

    deinit {
        unsafe rows.deallocate()
        unsafe spare.deallocate()
        unsafe marks.deallocate()
        unsafe histogram.deallocate()
    }

    /// Brings the first `count` rows of `readings` into order; afterwards `rows[0..<count]` names them.
    /// - Complexity: O(count) for a batch whose patients' readings arrive in time order.
    mutating func sort(_ readings: UnsafeMutablePointer<Reading>, count: Int) {
        precondition(count <= capacity, "a batch larger than its buffers")
        let rows = unsafe self.rows
        var greatest: UInt16 = 0
        for index in 0..<count {
            unsafe rows[index] = unsafe OrderedRow(
                patientHigh: readings[index].patientHigh, row: UInt32(index), slot: -1)
            greatest = unsafe max(greatest, readings[index].partition)
        }
        greatestPartition = Int(greatest)
        let openBits = count > Self.smallBatch ? radixSort(count) : Self.digits * Self.digitBits
        unsafe finish(readings, count: count, openBits: UInt64(openBits))
    }

    /// Sorts by as many leading bytes of the patient's first half as tell the rows apart; `finish` does the rest.
    ///
    /// Random identifiers need four of eight passes for 65,536 rows. Each byte counts by its effective number of
    /// values (n² / Σ count²), so that identifiers which begin alike get more passes.
    /// - Returns: how many trailing bits were not looked at, below 64.
    private mutating func radixSort(_ count: Int) -> Int {
        let histogram = unsafe histogram
        unsafe histogram.initialize(repeating: 0, count: Self.digits * Self.buckets)
        let rows = unsafe self.rows
        for index in 0..<count {
            var key = unsafe rows[index].patientHigh
            for digit in 0..<Self.digits {
                unsafe histogram[digit * Self.buckets + Int(key & 0xFF)] += 1
                key >>= UInt64(Self.digitBits)
            }
        }
        var first = Self.digits
        var cells = 1.0
        while first > 0, cells < Self.wantedCells {
            first -= 1
            var squares = 0.0
            for bucket in 0..<Self.buckets {
                let here = unsafe Double(histogram[first * Self.buckets + bucket])
                squares += here * here
            }
            cells *= Double(count) * Double(count) / squares
        }
        for digit in first..<Self.digits { radixPass(digit, count) }
        return first * Self.digitBits
    }

    private mutating func radixPass(_ digit: Int, _ count: Int) {
        let shift = UInt64(digit * Self.digitBits)
        let counts = unsafe histogram + digit * Self.buckets
        let rows = unsafe self.rows
        let spare = unsafe self.spare
        // A digit that all rows share orders nothing.
        let sample = unsafe Int(rows[0].patientHigh >> shift & 0xFF)
        if unsafe counts[sample] == UInt32(count) { return }
        var total: UInt32 = 0
        for bucket in 0..<Self.buckets {
            let here = unsafe counts[bucket]
            unsafe counts[bucket] = total
            total += here
        }
        for index in 0..<count {
            let item = unsafe rows[index]
            let bucket = Int(item.patientHigh >> shift & 0xFF)
            unsafe spare[Int(counts[bucket])] = item
            unsafe counts[bucket] += 1
        }
        unsafe self.rows = unsafe spare
        unsafe self.spare = unsafe rows
    }

    /// Sorts what the radix passes leave open: ranges alike in all but the open bits that are not yet in order.
    /// Leaves the marks.
    private func finish(_ readings: UnsafeMutablePointer<Reading>, count: Int, openBits: UInt64) {
        var start = 0
        while start < count {
            var end = start + 1
            var inOrder = true
            unsafe marks[start] = .newPatient
            // A shift by all 64 bits leaves 0: everything is one range.
            while end < count, unsafe (rows[end].patientHigh ^ rows[start].patientHigh) >> openBits == 0 {
                if end + 12 < count { unsafe vs_prefetch(readings + Int(rows[end + 12].row)) }
                if inOrder, unsafe Self.precedes(rows[end], rows[end - 1], readings) { inOrder = false }
                if inOrder { unsafe marks[end] = unsafe mark(end, readings) }
                end += 1
            }
            if !inOrder {
                unsafe mergeSort(start..<end, readings)
                unsafe mark(start..<end, readings)
            }
            start = end
        }
    }

    private func mark(_ range: Range<Int>, _ readings: UnsafeMutablePointer<Reading>) {
        for position in range { unsafe marks[position] = unsafe mark(position, readings) }
    }

    /// How a place differs from the one before.
    @inline(__always)
    private func mark(_ position: Int, _ readings: UnsafeMutablePointer<Reading>) -> RowMark {
        guard position > 0, unsafe rows[position].patientHigh == rows[position - 1].patientHigh else {
            return .newPatient
        }
        let before = unsafe readings + Int(rows[position - 1].row)
        let here = unsafe readings + Int(rows[position].row)
        if unsafe before.pointee.patientLow != here.pointee.patientLow { return .newPatient }
        return unsafe before.pointee.time != here.pointee.time ? .newKey : .sameKey
    }

    /// Whether one row comes before another: by patient, time and arrival.
    @inline(__always)
    private static func precedes(
        _ left: OrderedRow, _ right: OrderedRow, _ readings: UnsafeMutablePointer<Reading>
    ) -> Bool {
        if left.patientHigh != right.patientHigh { return left.patientHigh < right.patientHigh }
        let first = unsafe readings + Int(left.row)
        let second = unsafe readings + Int(right.row)
        if unsafe first.pointee.patientLow != second.pointee.patientLow {
            return unsafe first.pointee.patientLow < second.pointee.patientLow
        }
        if unsafe first.pointee.time != second.pointee.time {
            return unsafe first.pointee.time < second.pointee.time
        }
        return left.row < right.row
    }

    /// Sorts a range of `rows` in the spare buffer; the library's sort would allocate for each patient in disorder.
    private func mergeSort(_ range: Range<Int>, _ readings: UnsafeMutablePointer<Reading>) {
        let rows = unsafe rows
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.runRows) {
            let end = min(start + Self.runRows, range.upperBound)
            for position in start + 1..<max(end, start + 1) {
                let row = unsafe rows[position]
                var place = position
                while place > start, unsafe Self.precedes(row, rows[place - 1], readings) {
                    unsafe rows[place] = unsafe rows[place - 1]
                    place -= 1
                }
                unsafe rows[place] = row
            }
        }
        var width = Self.runRows
        while width < range.count {
            var start = range.lowerBound
            while start + width < range.upperBound {
                unsafe merge(start, start + width, min(start + 2 * width, range.upperBound), readings)
                start += 2 * width
            }
            width *= 2
        }
    }

    /// Merges two neighbouring sorted ranges of `rows`; nothing moves when they are in order already.
    private func merge(_ start: Int, _ middle: Int, _ end: Int, _ readings: UnsafeMutablePointer<Reading>) {
        let rows = unsafe rows
        let spare = unsafe spare
        guard unsafe Self.precedes(rows[middle], rows[middle - 1], readings) else { return }
        unsafe (spare + start).update(from: rows + start, count: middle - start)
        var left = start
        var right = middle
        var place = start
        while left < middle {
            if right < end, unsafe Self.precedes(rows[right], spare[left], readings) {
                unsafe rows[place] = unsafe rows[right]
                right += 1
            } else {
                unsafe rows[place] = unsafe spare[left]
                left += 1
            }
            place += 1
        }
    }
}
