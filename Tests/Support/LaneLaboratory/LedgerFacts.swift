package import Ingest
package import VitalSigns

/// Everything that the contract promises to be a function of the log, in a form that can be compared.
package struct LedgerFacts: Equatable {
    package struct Key: Hashable, Comparable {
        package var high: UInt64
        package var low: UInt64
        package var time: Int64

        package init(_ reading: Reading) {
            (high, low, time) = (reading.patientHigh, reading.patientLow, reading.time)
        }

        package init(_ key: ReadingKey) {
            (high, low, time) = (key.patientHigh, key.patientLow, key.time)
        }

        package init(_ reading: TestReading) {
            (high, low, time) = (0x8a1c_6f8e_0000_4000, 0x8000 << 48 | UInt64(reading.patient), reading.time)
        }

        package static func < (left: Key, right: Key) -> Bool {
            (left.high, left.low, left.time) < (right.high, right.low, right.time)
        }
    }

    package struct Row: Equatable {
        /// Name of the vital sign, and its value as text.
        package var vitals: [String: String]
        package var partition: Int
        package var offset: Int64
        package var origin: OriginNames?

        package func isEarlier(than other: Row) -> Bool { (partition, offset) < (other.partition, other.offset) }
    }

    package struct Replaced: Hashable {
        package var key: Key
        package var vitals: [String: String]
        package var partition: Int
        package var offset: Int64
    }

    package struct Letter: Hashable {
        package var partition: Int
        package var offset: Int64
        package var reason: String

        package init(partition: Int, offset: Int64, reason: String) {
            (self.partition, self.offset, self.reason) = (partition, offset, reason)
        }
    }

    package struct Books: Equatable {
        package var first: Int64 = 0
        package var next: Int64 = 0
        package var gaps: Int64 = 0
        package var verdicts = VerdictCounts()
        package var rejected: Int64 = 0
    }

    package var rows: [Key: Row] = [:]
    package var history: [Replaced] = []
    package var letters: Set<Letter> = []
    package var books: [Int: Books] = [:]

    package static func == (left: LedgerFacts, right: LedgerFacts) -> Bool { left.differences(from: right).isEmpty }

    /// What is not the same, a line each; empty when all is.
    package func differences(from other: LedgerFacts) -> [String] {
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

    /// What a log amounts to, each partition read from `first` up to `next` without what was `skipped`.
    package static func fold(
        _ log: FakeLog, first: [Int: Int64] = [:], next: [Int: Int64] = [:], skipped: [Int: [Range<Int64>]] = [:]
    ) -> LedgerFacts {
        var facts = LedgerFacts()
        for partition in 0..<log.partitionCount {
            var books = Books(first: first[partition] ?? log.low[partition])
            books.next = next[partition] ?? log.high(partition)
            var heldBack: Int64 = 0
            let passed = skipped[partition] ?? []
            for offset in books.first..<max(books.first, books.next) {
                let isPassed = passed.contains { $0.contains(offset) }
                guard !isPassed, let message = log.everWritten(partition, offset) else {
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
    package static func vitals(_ reading: Reading, _ bits: UInt8 = 0xFF) -> [String: String] {
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
