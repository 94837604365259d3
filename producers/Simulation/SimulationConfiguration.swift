/// What a simulation is to show. The same configuration and the same clock give the same bytes.
public struct SimulationConfiguration: Sendable {
    /// Of every random number, and of the patients' identifiers: another seed is another hospital.
    public let seed: UInt64
    /// Patients, 1 to 1,000,000.
    public let patientCount: Int
    /// Event time of the first message, milliseconds since 1970-01-01Z.
    public let startMilliseconds: Int64
    /// Event time from one message to the next, nanoseconds.
    public let slotNanoseconds: Int64
    /// Which part of the messages is not a plain new reading.
    public let shares: MessageShares
    /// Length of the opaque field `large_data` of ordinary messages, bytes.
    public let largeDataBytes: Int
    /// Length of a whole oversize message, bytes.
    public let oversizeBytes: Int

    /// Most patients of one simulation; each costs about 250 bytes.
    public static let patientLimit = 1_000_000
    /// Most bytes of `large_data` and of an oversize message.
    public static let payloadLimit = 64 << 20
    /// Least length of an oversize message: room for its fields.
    public static let oversizeLeast = 1_024

    /// Takes and checks all values.
    ///
    /// - Throws: `SimulationError` when a value is out of its range, when the shares exceed the whole, or when a
    ///   patient would have two readings in one millisecond (the key of a reading is patient and millisecond).
    public init(
        seed: UInt64, patientCount: Int, startMilliseconds: Int64, slotNanoseconds: Int64,
        shares: MessageShares = MessageShares(), largeDataBytes: Int = 0, oversizeBytes: Int = 8_388_609
    ) throws(SimulationError) {
        guard (1...Self.patientLimit).contains(patientCount) else { throw .outOfRange("patients") }
        guard startMilliseconds > 0, startMilliseconds < 253_402_300_799_999 else { throw .outOfRange("start time") }
        guard slotNanoseconds > 0, slotNanoseconds <= 86_400_000_000_000 else { throw .outOfRange("interval") }
        guard (Self.oversizeLeast...Self.payloadLimit).contains(oversizeBytes) else { throw .outOfRange("oversize") }
        // An ordinary message is shorter than an oversize one, or it might be refused for its length as well.
        guard (0...oversizeBytes - Self.oversizeLeast).contains(largeDataBytes) else {
            throw .outOfRange("large data")
        }
        let parts = [
            shares.late, shares.duplicate, shares.merge, shares.correction, shares.future, shares.malformed,
            shares.oversize,
        ]
        guard parts.allSatisfy({ (0...MessageShares.whole).contains($0) }), shares.total <= MessageShares.whole
        else { throw .sharesExceedWhole }
        self.seed = seed
        self.patientCount = patientCount
        self.startMilliseconds = startMilliseconds
        self.slotNanoseconds = slotNanoseconds
        self.shares = shares
        self.largeDataBytes = largeDataBytes
        self.oversizeBytes = oversizeBytes
        let fewest = Self.fewestPatients(slotNanoseconds: slotNanoseconds)
        guard patientCount >= fewest else { throw .tooFewPatients(least: fewest) }
    }

    /// Nanoseconds of event time between two messages so that event time runs as the wall clock does.
    public static func slotNanoseconds(messagesPerSecond: Double) -> Int64 {
        slot(1_000_000_000 / messagesPerSecond)
    }

    /// Nanoseconds of event time between two messages so that the closest watched patients are read once in `interval`.
    public static func slotNanoseconds(interval: Double, schedule: WardSchedule) -> Int64 {
        slot(interval * 1_000_000_000 / schedule.readingsPerRound)
    }

    /// Whole nanoseconds; a slot beyond a day, or not a number, becomes one that the initialiser refuses.
    private static func slot(_ nanoseconds: Double) -> Int64 {
        nanoseconds <= 86_400e9 ? Int64(max(0, nanoseconds)) : .max
    }

    /// Two places of the schedule may share a slot (a reading held back), and a patient's next reading is at least
    /// about half the patients away, so 8 places a millisecond for each patient leave a margin of more than two.
    private static func fewestPatients(slotNanoseconds: Int64) -> Int {
        slotNanoseconds >= 1_000_000 ? 1 : Int(8_000_000 / slotNanoseconds)
    }
}

/// A simulation that cannot be.
public enum SimulationError: Error, Equatable, Sendable {
    /// The named value is out of its range.
    case outOfRange(String)
    /// The shares are negative or add up to more than everything.
    case sharesExceedWhole
    /// At this pace a patient would be read twice in a millisecond; so many patients are needed.
    case tooFewPatients(least: Int)
    /// A share of the patient flow is beyond what is possible.
    case flowShares

    /// One line that says what is allowed.
    public var message: String {
        switch self {
        case .outOfRange(let name): "\(name) out of range"
        case .sharesExceedWhole: "the shares must be 0 or more and add up to at most 1"
        case .tooFewPatients(let least): "at this rate --patients must be at least \(least)"
        case .flowShares: "--late and --reordered must add up to at most 1, and --duplicates must be at most 0.9"
        }
    }
}
