import VitalSigns

/// The contract in the simplest words: one message at a time into a dictionary, no batches, no bits, no table.
/// It shares nothing with the code under test but the struct `Reading`.
struct NaiveStore {
    struct Key: Hashable, Comparable, Sendable {
        let high: UInt64
        let low: UInt64
        let time: Int64

        init(_ reading: Reading) {
            (high, low, time) = (reading.patientHigh, reading.patientLow, reading.time)
        }

        init(_ key: ReadingKey) {
            (high, low, time) = (key.patientHigh, key.patientLow, key.time)
        }

        static func < (left: Key, right: Key) -> Bool {
            (left.high, left.low, left.time) < (right.high, right.low, right.time)
        }
    }

    struct Row: Equatable, Sendable {
        /// Name of the vital sign and its value, as text.
        var vitals: [String: String]
        var partition: Int
        var offset: Int64
        var origin: Int32

        func isEarlier(than other: Row) -> Bool { (partition, offset) < (other.partition, other.offset) }
    }

    /// What one correction replaced.
    struct Replaced: Hashable, Sendable {
        var key: Key
        var vitals: [String: String]
        var partition: Int
        var offset: Int64
    }

    private static let names = ["H", "T", "S", "R", "Y", "D"]

    var rows: [Key: Row] = [:]
    private(set) var history: [Replaced] = []
    private(set) var verdicts: [Int: VerdictCounts] = [:]

    /// The vital signs of a reading by name; `only` keeps those of a set of presence bits.
    static func row(_ reading: Reading, only bits: UInt8 = 0xFF) -> Row {
        var vitals: [String: String] = [:]
        for index in 0..<6 where reading.presence & bits & (1 << UInt8(index)) != 0 {
            vitals[names[index]] = "\(reading.values[index])"
        }
        if reading.presence & bits & 64 != 0 { vitals["c"] = "\(reading.categorical & 7)" }
        if reading.presence & bits & 128 != 0 { vitals["o"] = "\(reading.categorical & 8 != 0)" }
        return Row(
            vitals: vitals, partition: Int(reading.partition), offset: reading.offset, origin: reading.origin)
    }

    mutating func apply(_ message: Reading) {
        let key = Key(message)
        let new = Self.row(message)
        guard let old = rows[key] else {
            rows[key] = new
            verdicts[new.partition, default: VerdictCounts()].inserted += 1
            return
        }
        let added = new.vitals.filter { old.vitals[$0.key] == nil }
        let other = new.vitals.filter { old.vitals[$0.key] != nil && old.vitals[$0.key] != $0.value }
        var row = old
        if row.origin == 0 { row.origin = new.origin }
        let isLater = old.isEarlier(than: new)
        row.vitals.merge(added) { $1 }
        if isLater {
            row.vitals.merge(other) { $1 }
            if !added.isEmpty || !other.isEmpty { (row.partition, row.offset) = (new.partition, new.offset) }
        }
        rows[key] = row
        var counts = verdicts[new.partition] ?? VerdictCounts()
        switch (other.isEmpty, isLater, added.isEmpty) {
        case (false, true, _):
            counts.corrected += 1
            let before = old.vitals.filter { other[$0.key] != nil }
            history.append(Replaced(key: key, vitals: before, partition: new.partition, offset: new.offset))
        case (false, false, _): counts.stale += 1
        case (true, _, false): counts.merged += 1
        case (true, _, true): counts.duplicate += 1
        }
        verdicts[new.partition] = counts
    }

    /// A stored row as a reading, as a look-up answers it.
    func reading(_ key: Key) -> Reading? {
        guard let row = rows[key] else { return nil }
        var reading = Reading()
        (reading.patientHigh, reading.patientLow, reading.time) = (key.high, key.low, key.time)
        (reading.partition, reading.offset, reading.origin) = (UInt16(row.partition), row.offset, row.origin)
        for (index, name) in Self.names.enumerated() {
            guard let text = row.vitals[name], let value = Float(text) else { continue }
            reading.values[index] = value
            reading.presence |= 1 << UInt8(index)
        }
        if let text = row.vitals["c"], let code = UInt8(text) {
            reading.presence |= 64
            reading.categorical |= code
        }
        if let text = row.vitals["o"] {
            reading.presence |= 128
            reading.categorical |= text == "true" ? 8 : 0
        }
        return reading
    }

    /// Forgets the sums and the history, keeping the rows: a new batch begins.
    mutating func beginBatch() {
        history = []
        verdicts = [:]
    }
}
