/// What a facility expects and how it is staffed for it; all of it assumed but the arrivals' profile, and of plausible
/// size: the model is for looks, load and tests of predictors, not for research.
public struct FacilityPlan: Sendable {
    /// Facility, counted from 0.
    let index: Int
    /// Patients a day on average.
    public let arrivalsPerDay: Double
    /// Staffed places of `FlowSector.emergency`, by shift.
    private let places: [[Int]]
    /// Beds of medicine and surgery.
    public let beds: [Int]
    private let seed: UInt64
    private let badDayMillionths: Int

    /// Share of each acuity, 1 to 5; adds up to 1.
    public static let acuityMix = [0.01, 0.13, 0.44, 0.34, 0.08]
    /// Place time of each acuity: median minutes.
    static let treatmentMedian: [Double] = [130, 140, 115, 55, 30]
    static let treatmentSpread = 0.65
    /// Part of each acuity that is admitted to a ward.
    static let admittedShare = [0.75, 0.45, 0.22, 0.05, 0.01]
    /// Median minutes of patience; nobody with acuity 1 walks out.
    static let patienceMedian: [Double] = [.infinity, 900, 480, 340, 300]
    static let patienceSpread = 0.8
    /// Median days on a ward.
    static let stayMedian = 3.2
    static let staySpread = 0.7
    /// Part of the admitted patients that goes to each of `FlowSector.wards`.
    static let wardMix = [0.65, 0.35]
    private static let wardUtilization = 0.9
    /// Minutes that an admitted patient waits for a bed, on average, and keeps the place.
    private static let boardingMinutes = 90.0

    /// Places that only acuity 1 may take, beyond those that are staffed.
    public static let resuscitationPlaces = 2
    /// Hours at which shifts begin.
    static let shiftHours: [Int64] = [7, 15, 23]
    static let shiftMilliseconds: Int64 = 8 * 3_600_000

    /// The plan of facility `index`.
    public init(_ configuration: FlowConfiguration, facility index: Int) {
        self.index = index
        seed = configuration.seed
        badDayMillionths = configuration.badDayMillionths
        var random = SeededRandom(seed: configuration.seed ^ 0x0FAC_0FAC_0FAC_0FAC, stream: UInt64(index))
        let arrivals = configuration.arrivalsPerDay * (0.6 + 0.8 * random.unit())
        arrivalsPerDay = arrivals
        places = FlowSector.emergency.map { sector in
            (0..<Self.shiftHours.count).map { shift in
                let load = arrivals / 1_440 * Self.placeMinutes(in: sector) * Self.demand(duringShift: shift)
                return max(1, Int((load / configuration.utilization).rounded(.up)))
            }
        }
        let admissions = zip(Self.acuityMix, Self.admittedShare).reduce(0) { $0 + $1.0 * $1.1 } * arrivals
        let stay = SeededRandom.meanOfSkewed(median: Self.stayMedian, spread: Self.staySpread)
        beds = Self.wardMix.map { max(1, Int(($0 * admissions * stay / Self.wardUtilization).rounded(.up))) }
    }

    /// Places of an emergency sector at which somebody can be treated at `time`; 0 for a ward. No treatment begins
    /// while as many are taken, but that acuity 1 finds `resuscitationPlaces` more; a shift that ends finishes its own.
    public func staffedPlaces(_ sector: FlowSector, at time: Int64) -> Int {
        guard let row = FlowSector.emergency.firstIndex(of: sector) else { return 0 }
        let start = Self.shiftStart(at: time)
        let hour = (start % HospitalDay.milliseconds) / 3_600_000
        let planned = places[row][Self.shiftHours.firstIndex(of: hour) ?? 0]
        return day(at: start).trouble == .shortStaff ? max(1, planned * 3 / 4) : planned
    }

    /// What is special about the day of a time.
    public func day(at time: Int64) -> HospitalDay {
        HospitalDay(
            seed: seed, facility: index, number: HospitalDay.number(of: time), badDayMillionths: badDayMillionths)
    }

    /// When the shift of a time began.
    static func shiftStart(at time: Int64) -> Int64 {
        let midnight = HospitalDay.number(of: time) * HospitalDay.milliseconds
        let today = shiftHours.last { midnight + $0 * 3_600_000 <= time }
        // Before the first shift of the day it is the last one of the day before.
        return today.map { midnight + $0 * 3_600_000 } ?? midnight - 3_600_000
    }

    /// Mean minutes that one arrival takes a place of the sector, over all arrivals of the facility.
    private static func placeMinutes(in sector: FlowSector) -> Double {
        (1...5).filter { FlowSector.treating(acuity: $0) == sector }.reduce(0) { sum, acuity in
            let treatment = SeededRandom.meanOfSkewed(median: treatmentMedian[acuity - 1], spread: treatmentSpread)
            return sum + acuityMix[acuity - 1] * (treatment + admittedShare[acuity - 1] * boardingMinutes)
        }
    }

    /// Mean arrival factor of the eight hours that begin two before the shift: work comes later than patients.
    private static func demand(duringShift shift: Int) -> Double {
        (0..<8).reduce(0) { $0 + ArrivalProfile.hours[(Int(shiftHours[shift]) + 22 + $1) % 24] } / 8
    }
}
