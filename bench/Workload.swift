/// What kind of message stands at a place of the stream.
enum MessageKind: UInt8 {
    case new, duplicate, late, merge, correction, bad
}

/// Which of CONTRACT's fields the messages have.
enum MessageFormat {
    /// What existing producers send: patient, time, heart rate, temperature, oxygen saturation.
    case plain
    /// All but the padding.
    case full
}

/// A reading as both sides of a comparison write it: as JSON into the topic, as a row into the raw table.
struct BenchReading {
    var patient: Int
    /// Milliseconds since 1970.
    var time: Int64
    /// Hundredths, in the order of CONTRACT's table.
    var hundredths: (Int, Int, Int, Int, Int, Int)
    var format = MessageFormat.full
    var hasTemperature = true
    var consciousness = UInt8(ascii: "A")
    var oxygen = false
}

/// A stream of messages that is a pure function of its parameters: any place of it can be asked for.
///
/// Every patient sends a reading a second, one after the other. Other kinds of messages stand at fixed places of each
/// block of a thousand.
struct Workload {
    /// Shares in messages of a thousand.
    struct Mix {
        var duplicates = 0
        var late = 0
        var merges = 0
        var corrections = 0
        var bad = 0

        static let backlog = Mix(duplicates: 100)
        static let mixed = Mix(duplicates: 100, late: 20, merges: 10, corrections: 10, bad: 1)
    }

    let messages: Int
    let patients: Int
    let start: Int64
    /// Each message is sent this many times in a row.
    let copies: Int
    let format: MessageFormat
    private let kinds: [MessageKind]
    /// How many messages of the same kind stand before a slot in its block.
    private let ordinals: [Int]
    private let counts: [Int]

    private static let block = 1_000

    init(
        messages: Int, patients: Int, start: Int64, mix: Mix = Mix(), copies: Int = 1, format: MessageFormat = .plain
    ) {
        self.format = format
        self.messages = messages
        self.patients = patients
        self.start = start
        self.copies = copies
        var kinds = [MessageKind](repeating: .new, count: Self.block)
        let wanted: [(MessageKind, Int)] = [
            (.duplicate, mix.duplicates), (.late, mix.late), (.merge, mix.merges), (.correction, mix.corrections),
            (.bad, mix.bad),
        ]
        // A step without a common divisor with the block spreads each kind evenly.
        var slot = 499
        for (kind, count) in wanted {
            for _ in 0..<count {
                kinds[slot] = kind
                slot = (slot + 617) % Self.block
            }
        }
        var counts = [Int](repeating: 0, count: 6)
        var ordinals: [Int] = []
        for kind in kinds {
            ordinals.append(counts[Int(kind.rawValue)])
            counts[Int(kind.rawValue)] += 1
        }
        self.kinds = kinds
        self.ordinals = ordinals
        self.counts = counts
    }

    /// Messages in the topic.
    var sentMessages: Int { messages * copies }

    func kind(at index: Int) -> MessageKind { kinds[index % Self.block] }

    /// How many new readings stand before a place.
    func newReadings(before index: Int) -> Int {
        let slot = index % Self.block
        let whole = index / Self.block * counts[0]
        return whole + (kinds[slot] == .new ? ordinals[slot] : kinds[..<slot].count { $0 == .new })
    }

    /// Rows that the whole stream leaves.
    var rows: Int {
        let late = (0..<messages % Self.block).count { kinds[$0] == .late }
        return newReadings(before: messages) + messages / Self.block * counts[Int(MessageKind.late.rawValue)] + late
    }

    /// The reading that the message at a place tells; a bad one's is no matter.
    func reading(at index: Int) -> BenchReading {
        let ordinal = ordinals[index % Self.block] + index / Self.block * counts[Int(kind(at: index).rawValue)]
        switch kind(at: index) {
        case .new, .bad: return newReading(newReadings(before: index))
        case .duplicate:
            let behind = 1 + Int(Self.hash(UInt64(index)) % 1_000)
            return newReading(max(0, newReadings(before: index) - behind))
        case .late:
            // Keys of their own, older than anything else of the patient.
            var reading = newReading(ordinal)
            reading.time = start - 3_600_000 + Int64(ordinal / patients)
            return reading
        case .merge:
            var reading = newReading(ordinal * Self.lackingEvery + Self.lackingAt)
            reading.hasTemperature = true
            return reading
        case .correction:
            let behind = 1 + Int(Self.hash(UInt64(index)) % 20_000)
            var reading = newReading(max(0, newReadings(before: index) - behind))
            reading.hundredths.0 += 100
            return reading
        }
    }

    /// Every so many readings lack their temperature, for merges to bring.
    private static let lackingEvery = 64
    private static let lackingAt = 7

    /// The reading of that number in the order of time.
    func newReading(_ number: Int) -> BenchReading {
        let patient = number % patients
        let hash = Self.hash(UInt64(number))
        func part(_ shift: UInt64, _ low: Int, _ span: UInt64) -> Int { low + Int(hash >> shift % span) }
        let time = start + Int64(number / patients) * 1_000 + Int64(patient % 1_000)
        return BenchReading(
            patient: patient, time: time,
            hundredths: (
                part(0, 55, 60) * 100, part(8, 360, 25) * 10, part(16, 90, 10) * 100, part(24, 10, 15) * 100,
                part(32, 105, 40) * 100, part(40, 60, 30) * 100
            ),
            format: format,
            hasTemperature: counts[Int(MessageKind.merge.rawValue)] == 0
                || number % Self.lackingEvery != Self.lackingAt,
            oxygen: hash >> 60 == 0)
    }

    /// The two halves of a patient's UUID.
    static func identifier(ofPatient patient: Int) -> (high: UInt64, low: UInt64) {
        // Version 4 and variant bits, so that it is a UUID for whoever looks closely.
        let high = hash(UInt64(patient) << 1 | 1) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = hash(UInt64(patient) << 20 | 7) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return (high, low)
    }

    /// SplitMix64's finaliser: wrapping is meant.
    static func hash(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
