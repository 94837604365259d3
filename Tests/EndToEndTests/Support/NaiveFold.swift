/// CONTRACT's "One reading per patient and instant" in the simplest words: one message at a time, dictionaries, no
/// batches, no bits. It shares no code with the service.
struct NaiveFold {
    struct Key: Hashable, Comparable, CustomStringConvertible {
        let patient: String
        let time: Int64

        static func < (left: Key, right: Key) -> Bool { (left.patient, left.time) < (right.patient, right.time) }
        var description: String { "\(patient.suffix(4))@\(time)" }
    }

    struct Row: Equatable {
        var vitals: [String: VitalValue]
        var suspect: Int
        var partition: Int
        var offset: Int64
        /// Facility, sector, device; nil without any.
        var origin: [String?]?
    }

    struct Replacement: Hashable, Comparable {
        let key: Key
        let partition: Int
        let offset: Int64
        /// The values replaced, as `name=value`, sorted.
        let values: [String]

        static func < (left: Replacement, right: Replacement) -> Bool {
            (left.key, left.partition, left.offset) < (right.key, right.partition, right.offset)
        }
    }

    /// The ledger's counts of one partition.
    struct Counts: Equatable {
        var inserted = 0
        var merged = 0
        var corrected = 0
        var duplicate = 0
        var stale = 0
        var rejected = 0
    }

    private(set) var rows: [Key: Row] = [:]
    private(set) var history: [Replacement] = []
    private(set) var counts: [Int: Counts] = [:]
    /// (partition, offset) and reason of every dead letter.
    private(set) var letters: [String: String] = [:]

    /// All that is stored when this log has been read once.
    init(_ log: SentLog) {
        read(log)
    }

    init() {}

    /// Reads the whole log, maybe again: the counts start anew.
    mutating func read(_ log: SentLog) {
        counts = [:]
        for (partition, messages) in log.partitions.enumerated() {
            for (offset, message) in messages.enumerated() { apply(message, partition, Int64(offset)) }
        }
    }

    /// Applies one message at its place in the log.
    mutating func apply(_ message: SentMessage, _ partition: Int, _ offset: Int64) {
        var count = counts[partition, default: Counts()]
        switch message.meaning {
        case .bad(let reason):
            count.rejected += 1
            letters["\(partition)/\(offset)"] = reason
        case .reading(let reading):
            let key = Key(patient: Patients.id(reading.patient), time: reading.time)
            if rows[key] == nil {
                count.inserted += 1
                insert(reading, key, partition, offset)
            } else {
                fold(reading, key, partition, offset, &count)
            }
        }
        counts[partition] = count
    }

    private mutating func insert(_ reading: SentReading, _ key: Key, _ partition: Int, _ offset: Int64) {
        rows[key] = Row(
            vitals: reading.vitals, suspect: Self.suspect(reading.vitals), partition: partition, offset: offset,
            origin: Self.origin(reading))
    }

    private mutating func fold(
        _ reading: SentReading, _ key: Key, _ partition: Int, _ offset: Int64, _ count: inout Counts
    ) {
        guard var row = rows[key] else { return }
        let isLater = (partition, offset) > (row.partition, row.offset)
        var added = false
        var replaced: [String] = []
        var disagrees = false
        for (name, value) in reading.vitals {
            guard let stored = row.vitals[name] else {
                row.vitals[name] = value
                added = true
                continue
            }
            if stored == value { continue }
            disagrees = true
            if isLater {
                replaced.append("\(name)=\(stored)")
                row.vitals[name] = value
            }
        }
        if !replaced.isEmpty {
            count.corrected += 1
            history.append(Replacement(key: key, partition: partition, offset: offset, values: replaced.sorted()))
        } else if disagrees {
            count.stale += 1
        } else if added {
            count.merged += 1
        } else {
            count.duplicate += 1
        }
        if isLater && (added || !replaced.isEmpty) { (row.partition, row.offset) = (partition, offset) }
        if row.origin == nil { row.origin = Self.origin(reading) }
        row.suspect = Self.suspect(row.vitals)
        rows[key] = row
    }

    private static func origin(_ reading: SentReading) -> [String?]? {
        if reading.origin.allSatisfy(\.isEmpty) { return nil }
        return (0..<3).map { index in
            index < reading.origin.count && !reading.origin[index].isEmpty ? reading.origin[index] : nil
        }
    }

    /// CONTRACT's table "flagged suspect outside", in the order of the bits.
    private static let usual: [(name: String, range: ClosedRange<Float>)] = [
        ("heartRate", 20...250), ("temperature", 30...43), ("oxygenSaturation", 50...100), ("respiratoryRate", 4...70),
        ("systolicPressure", 30...300), ("diastolicPressure", 10...200),
    ]

    private static func suspect(_ vitals: [String: VitalValue]) -> Int {
        var mask = 0
        for (bit, vital) in usual.enumerated() {
            if case .number(let value)? = vitals[vital.name], !vital.range.contains(value) { mask += 1 << bit }
        }
        return mask
    }
}
