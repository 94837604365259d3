import Service
import TestSupport

/// All that the test database holds, made from a seed; the answers that the queries must give are computed from this.
struct Ward {
    /// 2020-03-01T12:00:00Z, the `until` of the tests.
    static let anchor: Int64 = 1_583_064_000_000
    static let minute: Int64 = 60_000
    static let hour: Int64 = 60 * minute
    static let day: Int64 = 24 * hour
    static let kafkaPartitions = 4

    /// Ids, in the form the server prints.
    private(set) var patients: [String] = []
    private(set) var readings: [StoredReading] = []
    private(set) var corrections: [Correction] = []
    private(set) var deadLetters: [DeadLetter] = []
    private(set) var progress: [Progress] = []
    /// Rows that retention has booked: of readings, of history.
    let dropped: [Int64] = [70, 3]
    let origins = [
        Origin(facility: "north", sector: "icu", device: "monitor-1"),
        Origin(facility: "north", sector: "icu", device: "monitor-2"),
        Origin(facility: "north", sector: "ward", device: "monitor-3"),
        Origin(facility: "south", sector: nil, device: "monitor-4"),
        Origin(facility: nil, sector: nil, device: "monitor-5"),
        Origin(facility: "south", sector: "icu", device: nil),
    ]

    private var random: SeededNumbers

    init(seed: UInt64) {
        random = SeededNumbers(seed: seed)
        patients = (0..<14).map { _ in Self.identifier(&random) }
        for patient in 0..<12 { addSeries(of: patient) }
        addLowSaturation()
        addFever()
        remove(patient: 2, from: Self.anchor - 3 * Self.hour, before: Self.anchor)
        addGaps()
        addEdges()
        addSparseDays()
        addShock()
        addOutsiders()
        numberOffsets()
        addCorrections()
        addDeadLetters()
        addLedger()
    }

    /// Readings of the last hours before the anchor, oldest first.
    func window(hours: Int64) -> [StoredReading] { window(from: Self.anchor - hours * Self.hour) }

    /// Readings from a time to the anchor, oldest first.
    func window(from: Int64) -> [StoredReading] {
        readings.filter { $0.at >= from && $0.at < Self.anchor }.sorted { ($0.at, $0.patient) < ($1.at, $1.patient) }
    }

    /// The readings of each patient, by id.
    func byPatient(_ some: [StoredReading]) -> [(id: String, readings: [StoredReading])] {
        Dictionary(grouping: some) { patients[$0.patient] }.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }

    func origin(of reading: StoredReading) -> Origin { reading.origin.map { origins[$0 - 1] } ?? Origin() }

    // MARK: Readings

    private mutating func addSeries(of patient: Int) {
        var at = Self.anchor - 30 * Self.hour + random.below(9 * Self.minute)
        while at < Self.anchor {
            readings.append(ordinary(patient, at))
            at += 2 * Self.minute + random.below(7 * Self.minute)
        }
    }

    private mutating func ordinary(_ patient: Int, _ at: Int64) -> StoredReading {
        let systolic = Float(100 + random.below(51))
        var vitals: [Float?] = [
            Float(100 + random.below(140)) / 2, Float(361 + random.below(19)) / 10, Float(92 + random.below(8)),
            Float(10 + random.below(13)), systolic, systolic - Float(30 + random.below(31)),
        ]
        for vital in vitals.indices where random.below(20) == 0 { vitals[vital] = nil }
        var reading = StoredReading(patient: patient, at: at, vitals: vitals)
        reading.consciousness = random.below(10) == 0 ? nil : "ACVPU".map(String.init)[random.below(20) == 0 ? 1 : 0]
        reading.oxygen = random.below(5) == 0 ? nil : random.below(4) == 0
        reading.origin = patient == 3 ? nil : 1 + patient % origins.count
        if random.below(40) == 0 {
            let wild: [Float] = [255, 44.5, 49, 75, 310, 9]
            for vital in wild.indices where random.below(3) == 0 {
                reading.vitals[vital] = wild[vital]
                reading.suspect |= 1 << vital
            }
        }
        return reading
    }

    /// A reading whose every vital sign but one is absent.
    private mutating func add(_ patient: Int, minutes: Double, _ vital: Vital, _ value: Float?) {
        var reading = ordinary(patient, Self.anchor + Int64((minutes * 60_000).rounded()))
        reading.vitals = [80, nil, nil, nil, nil, nil]
        reading.vitals[vital.rawValue] = value
        reading.suspect = 0
        readings.append(reading)
    }

    private mutating func remove(patient: Int, from: Int64, before: Int64) {
        readings.removeAll { $0.patient == patient && $0.at >= from && $0.at < before }
    }

    /// Patient 0, from 5 hours to 1 before the anchor:
    /// exactly 10 minutes at the limit, an absent value between | 9 minutes | two values 35 minutes apart | 50 minutes
    private mutating func addLowSaturation() {
        remove(patient: 0, from: Self.anchor - 5 * Self.hour, before: Self.anchor - Self.hour)
        let values: [(Double, Float?)] = [
            (-300, 95), (-290, 91), (-285, nil), (-280, 90), (-275, 95), (-270, 91), (-261, 91), (-260, 92),
            (-250, 88), (-215, 87), (-210, 97), (-200, 85), (-171, 86), (-150, 84), (-149, 93),
        ]
        for (minutes, value) in values { add(0, minutes: minutes, .oxygenSaturation, value) }
    }

    /// Patient 1: exactly 60 minutes at the limit | 50 minutes, ended by 38.05 | two values 130 minutes apart
    private mutating func addFever() {
        remove(patient: 1, from: Self.anchor - 6 * Self.hour, before: Self.anchor - Self.hour)
        let values: [(Double, Float?)] = [
            (-330, 38.1), (-300, nil), (-270, 38.1), (-260, 38), (-250, 39), (-200, 39.2), (-195, 38.05), (-190, 38.5),
            (-59.5, 38.6),
        ]
        for (minutes, value) in values { add(1, minutes: minutes, .temperature, value) }
    }

    /// Patient 4: a gap of 15 minutes and one a millisecond shorter.
    private mutating func addGaps() {
        remove(patient: 4, from: Self.anchor - 121 * Self.minute, before: Self.anchor - 60 * Self.minute)
        for minutes in [-120, -105, -90 - 1 / 60_000.0, -76, -62] { add(4, minutes: minutes, .respiratoryRate, 15) }
    }

    /// Patient 5: readings at both ends of every window the tests ask for.
    private mutating func addEdges() {
        for hours in [1, 2, 3, 6, 24] as [Double] {
            for offset in [-1, 0, 1] {
                readings.removeAll {
                    $0.patient == 5 && $0.at == Self.anchor - Int64(hours) * Self.hour + Int64(offset)
                }
                add(5, minutes: -hours * 60 + Double(offset) / 60_000, .heartRate, 70 + Float(offset))
            }
        }
        add(5, minutes: 0, .heartRate, 99)
        add(5, minutes: -1 / 60_000.0, .heartRate, 98)
    }

    /// Patient 12: every five hours for nine days.
    private mutating func addSparseDays() {
        for step in 1..<44 { readings.append(ordinary(12, Self.anchor - Int64(step) * 5 * Self.hour + 17)) }
    }

    /// Patient 7: in shock in the last hour, and a systolic pressure of 0.
    private mutating func addShock() {
        remove(patient: 7, from: Self.anchor - Self.hour, before: Self.anchor)
        for minutes in stride(from: -55, to: 0, by: 5) {
            var reading = ordinary(7, Self.anchor + Int64(minutes) * Self.minute)
            reading.vitals = [Float(140 + minutes), 37, 97, 24, 95, minutes % 10 == 0 ? nil : 55]
            if minutes == -5 { reading.vitals[Vital.systolicPressure.rawValue] = 0 }
            if minutes == -5 { reading.vitals[Vital.diastolicPressure.rawValue] = nil }
            reading.suspect = 0
            readings.append(reading)
        }
    }

    /// Patient 13: days without a partition of their own.
    private mutating func addOutsiders() {
        let times: [Int64] = [946_684_799_999, 1_586_476_800_000, 1_586_480_400_123]
        for at in times { readings.append(ordinary(13, at)) }
        readings.append(ordinary(6, times[1] + 5))
    }

    /// The log's order: by time, but one in ten comes up to 20 minutes late.
    private mutating func numberOffsets() {
        var arrival: [(at: Int64, index: Int)] = []
        for (index, reading) in readings.enumerated() {
            let late = random.below(10) == 0 ? random.below(20 * Self.minute) : 0
            arrival.append((reading.at + late, index))
        }
        var next = [Int64](repeating: 100, count: Self.kafkaPartitions)
        for (_, index) in arrival.sorted(by: { ($0.at, $0.index) < ($1.at, $1.index) }) {
            let partition = readings[index].patient % Self.kafkaPartitions
            readings[index].partition = partition
            readings[index].offset = next[partition]
            next[partition] += 1 + random.below(3)
        }
    }

    // MARK: Other tables

    private mutating func addCorrections() {
        for reading in readings where random.below(25) == 0 {
            var replaced = [Float?](repeating: nil, count: 6)
            replaced[Int(random.below(6))] = 1
            if random.below(3) == 0 { replaced[Int(random.below(6))] = 2 }
            corrections.append(
                Correction(patient: reading.patient, at: reading.at, vitals: replaced, offset: reading.offset))
        }
        // The reading is gone, its history not yet.
        corrections.append(
            Correction(
                patient: 3, at: Self.anchor - 90 * Self.minute + 77, vitals: [1, nil, nil, nil, nil, nil], offset: 9_000
            ))
    }

    private mutating func addDeadLetters() {
        let reasons = ["malformed_json", "out_of_range", "missing_field", "timestamp_in_future"]
        for number in 0..<300 as Range<Int64> {
            deadLetters.append(
                DeadLetter(
                    topic: number % 7 == 0 ? "patient-flow" : "vitals", partition: Int(number % 4), offset: number * 3,
                    reason: reasons[Int(random.below(4))],
                    receivedAt: Self.anchor - 30 * Self.hour + random.below(30 * Self.hour)))
        }
        deadLetters[0].receivedAt = Self.anchor
        deadLetters[1].receivedAt = Self.anchor - 24 * Self.hour
        deadLetters[2].receivedAt = Self.anchor - 24 * Self.hour - 1
    }

    /// Books that agree with the tables but in two places: partition 2 has lost an offset, and the history a row.
    private mutating func addLedger() {
        var inserted = Int64(readings.count) + dropped[0]
        var corrected = Int64(corrections.count) + dropped[1] + 1
        for partition in 0..<Self.kafkaPartitions {
            let isLast = partition == Self.kafkaPartitions - 1
            let classes: [Int64] = [
                isLast ? inserted : inserted / 3, 11, isLast ? corrected : corrected / 4, Int64(random.below(400)), 7,
                Int64(deadLetters.count { $0.topic == "vitals" && $0.partition == partition && $0.offset >= 40 }),
            ]
            inserted -= classes[0]
            corrected -= classes[2]
            var row = Progress(
                group: "vitalstream", topic: "vitals", partition: partition, first: 40, next: 0, highWatermark: nil,
                gaps: Int64(partition), classes: classes)
            row.next = row.first + row.gaps + row.consumed + (partition == 2 ? 1 : 0)
            row.highWatermark = partition == 3 ? nil : row.next + [250, 0, -3][partition]
            if partition == 1 {
                // Retention has settled the letters below 300.
                row.settledBefore = 300
                row.settledLetters = Int64(
                    deadLetters.count { $0.topic == "vitals" && $0.partition == 1 && (40..<300).contains($0.offset) })
                deadLetters.removeAll { $0.topic == "vitals" && $0.partition == 1 && (40..<300).contains($0.offset) }
            }
            progress.append(row)
        }
        // Patient flow's events are no readings; nothing of it was rejected so far.
        progress.append(
            Progress(
                group: "vitalstream", topic: "patient-flow", partition: 0, first: 0, next: 0, highWatermark: 12,
                gaps: 0,
                classes: [0, 0, 0, 0, 0, 0]))
    }

    private static func identifier(_ random: inout SeededNumbers) -> String {
        let digits = (0..<32).map { _ in String(random.below(16), radix: 16) }.joined()
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }
}

extension SeededNumbers {
    mutating func below(_ bound: Int64) -> Int64 { Int64(below(Int(bound))) }
}
