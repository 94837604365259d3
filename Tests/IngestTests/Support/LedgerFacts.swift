import Ingest
import Kafka
import VitalSigns

/// Everything that the contract promises to be a function of the log, in a form that can be compared.
struct LedgerFacts: Equatable {
    struct Key: Hashable, Comparable {
        var high: UInt64
        var low: UInt64
        var time: Int64

        init(_ reading: Reading) {
            (high, low, time) = (reading.patientHigh, reading.patientLow, reading.time)
        }

        init(_ key: ReadingKey) {
            (high, low, time) = (key.patientHigh, key.patientLow, key.time)
        }

        init(_ reading: TestReading) {
            (high, low, time) = (0x8a1c_6f8e_0000_4000, 0x8000 << 48 | UInt64(reading.patient), reading.time)
        }

        static func < (left: Key, right: Key) -> Bool {
            (left.high, left.low, left.time) < (right.high, right.low, right.time)
        }
    }

    struct Row: Equatable {
        /// Name of the vital sign, and its value as text.
        var vitals: [String: String]
        var partition: Int
        var offset: Int64
        var origin: OriginNames?

        func isEarlier(than other: Row) -> Bool { (partition, offset) < (other.partition, other.offset) }
    }

    struct Replaced: Hashable {
        var key: Key
        var vitals: [String: String]
        var partition: Int
        var offset: Int64
    }

    struct Letter: Hashable {
        var partition: Int
        var offset: Int64
        var reason: String
    }

    struct Books: Equatable {
        var first: Int64 = 0
        var next: Int64 = 0
        var gaps: Int64 = 0
        var verdicts = VerdictCounts()
        var rejected: Int64 = 0
    }

    var rows: [Key: Row] = [:]
    var history: [Replaced] = []
    var letters: Set<Letter> = []
    var books: [Int: Books] = [:]

    static func == (left: LedgerFacts, right: LedgerFacts) -> Bool { left.differences(from: right).isEmpty }

    /// What is not the same, a line each; empty when all is.
    func differences(from other: LedgerFacts) -> [String] {
        var lines: [String] = []
        for key in Set(rows.keys).union(other.rows.keys).sorted() where rows[key] != other.rows[key] {
            lines.append("row \(key): \(rows[key].map { "\($0)" } ?? "-") / \(other.rows[key].map { "\($0)" } ?? "-")")
        }
        if Set(history) != Set(other.history) || history.count != other.history.count {
            lines.append("history: \(history.count) / \(other.history.count)")
            lines += Set(history).symmetricDifference(other.history).prefix(5).map { "replaced: \($0)" }
        }
        if letters != other.letters { lines.append("letters: \(letters.symmetricDifference(other.letters))") }
        for partition in Set(books.keys).union(other.books.keys).sorted()
        where books[partition] != other.books[partition] {
            lines.append(
                "books of \(partition): \(String(describing: books[partition])) / "
                    + "\(String(describing: other.books[partition]))")
        }
        return lines
    }
}

// The contract in the simplest words: one message at a time, in offset order, no batches, no bits.
extension LedgerFacts {
    private static let names = [
        "heartRate", "temperature", "oxygenSaturation", "respiratoryRate", "systolicPressure", "diastolicPressure",
    ]

    /// What a log amounts to, each partition read from `first` up to `next`.
    static func fold(_ log: FakeLog, first: [Int: Int64] = [:], next: [Int: Int64] = [:]) -> LedgerFacts {
        var facts = LedgerFacts()
        for partition in 0..<log.partitionCount {
            var books = Books(first: first[partition] ?? log.low[partition])
            books.next = next[partition] ?? log.high(partition)
            var heldBack: Int64 = 0
            for offset in books.first..<max(books.first, books.next) {
                guard let message = log.everWritten(partition, offset) else {
                    heldBack += 1
                    continue
                }
                books.gaps += heldBack
                heldBack = 0
                switch message.meaning {
                case .letter(let reason):
                    facts.letters.insert(Letter(partition: partition, offset: offset, reason: reason))
                    books.rejected += 1
                case .reading(let reading):
                    facts.apply(reading, partition, offset, &books.verdicts)
                }
            }
            // A hole is noticed only when a message comes after it.
            books.next -= heldBack
            facts.books[partition] = books
        }
        return facts
    }

    private mutating func apply(
        _ reading: TestReading, _ partition: Int, _ offset: Int64, _ counts: inout VerdictCounts
    ) {
        let key = Key(reading)
        let new = Row(
            vitals: reading.vitals.mapValues { Self.canonical($0) }, partition: partition, offset: offset,
            origin: reading.origin)
        guard let old = rows[key] else {
            rows[key] = new
            counts.inserted += 1
            return
        }
        let added = new.vitals.filter { old.vitals[$0.key] == nil }
        let other = new.vitals.filter { old.vitals[$0.key] != nil && old.vitals[$0.key] != $0.value }
        var row = old
        row.origin = old.origin ?? new.origin
        row.vitals.merge(added) { $1 }
        if old.isEarlier(than: new) {
            row.vitals.merge(other) { $1 }
            if !added.isEmpty || !other.isEmpty { (row.partition, row.offset) = (partition, offset) }
        }
        rows[key] = row
        if other.isEmpty {
            if added.isEmpty { counts.duplicate += 1 } else { counts.merged += 1 }
        } else if old.isEarlier(than: new) {
            counts.corrected += 1
            let before = old.vitals.filter { other[$0.key] != nil }
            history.append(Replaced(key: key, vitals: before, partition: partition, offset: offset))
        } else {
            counts.stale += 1
        }
    }

    /// A JSON literal as the table holds it.
    private static func canonical(_ literal: String) -> String {
        Float(literal).map { "\($0)" } ?? literal.filter { $0 != "\"" }
    }

    /// The vital signs of a row of the code under test, in the oracle's words; `bits` chooses among them.
    static func vitals(_ reading: Reading, _ bits: UInt8 = 0xFF) -> [String: String] {
        var vitals: [String: String] = [:]
        for (index, name) in names.enumerated() where reading.presence & bits & (1 << UInt8(index)) != 0 {
            vitals[name] = "\(reading.values[index])"
        }
        if reading.presence & bits & 64 != 0 {
            vitals["consciousness"] = ["-", "A", "C", "V", "P", "U", "-", "-"][Int(reading.categorical & 7)]
        }
        if reading.presence & bits & 128 != 0 { vitals["supplementalOxygen"] = "\(reading.categorical & 8 != 0)" }
        return vitals
    }
}
