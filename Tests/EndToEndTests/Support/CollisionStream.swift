import TestSupport

/// A seeded stream of few patients, few instants and few values, so that duplicates, merges, corrections and changed
/// origins abound; some messages are bad.
struct CollisionStream {
    private var generator: SeededNumbers
    private let instants: [Int64]
    private static let choices: [(name: String, values: [Double])] = [
        ("heartRate", [70, 71, 19]), ("temperature", [36.6, 43.1]), ("oxygenSaturation", [97, 49.5]),
        ("respiratoryRate", [12, 13]), ("systolicPressure", [120, 121]), ("diastolicPressure", [80, 9]),
    ]

    /// - Parameter now: milliseconds since 1970; the instants are around it, a day before, and years before.
    init(seed: UInt64, now: Int64) {
        generator = SeededNumbers(seed: seed)
        instants = [now, now + 1, now - 1_000, now - 86_400_000, now - 90_000_000, 1_500_000_000_000]
    }

    mutating func next() -> SentMessage {
        if generator.below(40) == 0 {
            return SentMessage(bad: "no_vital_sign", SentReading(generator.below(7), instants[0]).json)
        }
        var reading = SentReading(generator.below(7), instants[generator.below(instants.count)])
        for choice in Self.choices where generator.below(3) == 0 {
            reading.numbers[choice.name] = choice.values[generator.below(choice.values.count)]
        }
        if generator.below(6) == 0 { reading.consciousness = ["A", "C", "U"][generator.below(3)] }
        if generator.below(6) == 0 { reading.oxygen = generator.below(2) == 0 }
        if reading.vitals.isEmpty { reading.numbers["heartRate"] = 70 }
        if generator.below(4) == 0 {
            reading.origin = [
                "h\(generator.below(2))", ["", "s1"][generator.below(2)],
                ["", "d1"][generator.below(2)],
            ]
        }
        return SentMessage(reading)
    }
}
