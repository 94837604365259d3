/// Which part of the events does not come as it should, in millionths.
public struct FlowShares: Sendable, Equatable {
    /// Of the events: sent long after newer ones of their facility.
    public var late = 0
    /// Of the events: sent just after newer ones of their facility.
    public var reordered = 0
    /// Of all messages: sent before, byte for byte.
    public var duplicate = 0
    /// Of the visits: registered by mistake and taken back.
    public var cancelled = 0

    /// Everything once and in order.
    public init() {}

    /// One million: the whole.
    public static let whole = 1_000_000
    /// More duplicates than this would hardly ever let a new event through.
    public static let duplicateLimit = 900_000

    var areValid: Bool {
        let parts = [late, reordered, duplicate, cancelled]
        return parts.allSatisfy { (0...Self.whole).contains($0) } && late + reordered <= Self.whole
            && duplicate <= Self.duplicateLimit
    }
}

/// What a simulation of patient flow is to show. The same configuration gives the same bytes.
public struct FlowConfiguration: Sendable {
    /// Of every random number and identifier: another seed is another set of hospitals.
    public let seed: UInt64
    /// Facilities, 1 to 1,000.
    public let facilityCount: Int
    /// The first event is at or after it, milliseconds since 1970-01-01Z.
    public let startMilliseconds: Int64
    /// All events are before it; nil: no end.
    public let endMilliseconds: Int64?
    /// Patients a day and facility, on average; the facilities differ.
    public let arrivalsPerDay: Double
    /// Share of the staffed places that the mean load takes; towards 1 waits grow without bound.
    public let utilization: Double
    /// Share of the days that are bad ones, in millionths.
    public let badDayMillionths: Int
    /// Which part of the events does not come as it should.
    public let shares: FlowShares

    /// More than any message has.
    public static let messageBytes = 1_024
    /// Most facilities.
    public static let facilityLimit = 1_000
    /// The facilities run so long before the start, unseen, that it finds them as they are on any day.
    static let warmUpMilliseconds = 28 * HospitalDay.milliseconds

    /// Takes and checks all values.
    public init(
        seed: UInt64, facilityCount: Int = 3, startMilliseconds: Int64, endMilliseconds: Int64? = nil,
        arrivalsPerDay: Double = 150, utilization: Double = 0.9, badDayMillionths: Int = 50_000,
        shares: FlowShares = FlowShares()
    ) throws(SimulationError) {
        guard (1...Self.facilityLimit).contains(facilityCount) else { throw .outOfRange("facilities") }
        let latest: Int64 = 253_402_300_799_999
        guard startMilliseconds > Self.warmUpMilliseconds, startMilliseconds < latest else {
            throw .outOfRange("start time")
        }
        if let endMilliseconds {
            guard endMilliseconds > startMilliseconds, endMilliseconds <= latest else { throw .outOfRange("days") }
        }
        guard (1...10_000).contains(arrivalsPerDay) else { throw .outOfRange("arrivals a day") }
        guard (0.3...1.2).contains(utilization) else { throw .outOfRange("utilization") }
        guard (0...FlowShares.whole).contains(badDayMillionths) else { throw .outOfRange("bad days") }
        guard shares.areValid else { throw .flowShares }
        self.seed = seed
        self.facilityCount = facilityCount
        self.startMilliseconds = startMilliseconds
        self.endMilliseconds = endMilliseconds
        self.arrivalsPerDay = arrivalsPerDay
        self.utilization = utilization
        self.badDayMillionths = badDayMillionths
        self.shares = shares
    }
}
