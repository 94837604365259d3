/// A seeded stream of few patients, few instants and few values, so that duplicates, merges, corrections and changed
/// origins abound; some messages are bad.
struct CollisionStream {
    private var state: UInt64
    private let instants: [Int64]
    private static let choices: [(name: String, values: [Double])] = [
        ("heartRate", [70, 71, 19]), ("temperature", [36.6, 43.1]), ("oxygenSaturation", [97, 49.5]),
        ("respiratoryRate", [12, 13]), ("systolicPressure", [120, 121]), ("diastolicPressure", [80, 9]),
    ]

    /// - Parameter now: milliseconds since 1970; the instants are around it, a day before, and years before.
    init(seed: UInt64, now: Int64) {
        state = seed
        instants = [now, now + 1, now - 1_000, now - 86_400_000, now - 90_000_000, 1_500_000_000_000]
    }

    /// A number below `limit` (splitmix64).
    private mutating func random(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
    }

    mutating func next() -> SentMessage {
        if random(40) == 0 { return SentMessage(bad: "no_vital_sign", SentReading(random(7), instants[0]).json) }
        var reading = SentReading(random(7), instants[random(instants.count)])
        for choice in Self.choices where random(3) == 0 {
            reading.numbers[choice.name] = choice.values[random(choice.values.count)]
        }
        if random(6) == 0 { reading.consciousness = ["A", "C", "U"][random(3)] }
        if random(6) == 0 { reading.oxygen = random(2) == 0 }
        if reading.vitals.isEmpty { reading.numbers["heartRate"] = 70 }
        if random(4) == 0 { reading.origin = ["h\(random(2))", ["", "s1"][random(2)], ["", "d1"][random(2)]] }
        return SentMessage(reading)
    }
}
