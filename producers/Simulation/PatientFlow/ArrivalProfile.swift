/// How many patients arrive by hour and weekday, relative to the mean: the rate is the product of the two.
///
/// Computed by us (2026-11-21) from 43,080 hours of arrivals at one emergency department in Wales, April 2014 to
/// February 2019 (Rostami-Tabar, Browell, Svetunkov: "Probabilistic forecasting of hourly emergency department
/// arrivals", Health Systems 2023, https://doi.org/10.1080/20476965.2023.2200526). Hours count as UTC here.
public enum ArrivalProfile {
    /// By hour of the day, from 0 to 23; mean 1.
    public static let hours: [Double] = [
        0.571, 0.449, 0.399, 0.348, 0.299, 0.260, 0.237, 0.446, 0.748, 1.310, 1.506, 1.650,
        1.599, 1.508, 1.448, 1.448, 1.506, 1.460, 1.573, 1.364, 1.238, 1.042, 0.866, 0.723,
    ]
    /// By weekday, from Monday; mean 1.
    public static let weekdays: [Double] = [1.126, 1.002, 0.984, 0.978, 0.973, 0.934, 1.002]

    /// The most that `factor` gives.
    static let highest = 1.650 * 1.126

    /// Relative rate at a time, milliseconds since 1970-01-01Z, which was a Thursday.
    public static func factor(at time: Int64) -> Double {
        let day = HospitalDay.number(of: time)
        return hours[Int((time - day * HospitalDay.milliseconds) / 3_600_000)] * weekdays[Int((day + 3) % 7)]
    }
}

/// What is special about one day of one facility: a function of seed, facility and day alone.
public struct HospitalDay: Sendable, Equatable {
    /// Why a day is a bad one.
    public enum Trouble: Sendable {
        /// A third more patients than usual, as in a wave of influenza.
        case crowd
        /// A quarter of the staff is missing.
        case shortStaff
        /// Patients leave the wards late, and who is admitted waits in the emergency department.
        case fullWards
    }

    static let milliseconds: Int64 = 86_400_000

    /// Nil on an ordinary day.
    public let trouble: Trouble?
    /// Multiplies the arrival rate. The spread of 7 % is what the days of `ArrivalProfile`'s source have beyond the
    /// chance of a Poisson process (8.9 % in all, 5.3 % of it chance).
    public let arrivalFactor: Double

    /// The most that `arrivalFactor` is.
    static let highestFactor = 1.33 * (1 + 0.07 * 3.47)

    /// The day `number` after 1970-01-01.
    public init(seed: UInt64, facility: Int, number: Int64, badDayMillionths: Int) {
        var random = SeededRandom(seed: seed ^ 0x0DA7_0DA7_0DA7_0DA7, stream: UInt64(facility) << 32 ^ UInt64(number))
        let level = 1 + 0.07 * random.normal()
        let draw = random.below(3)
        trouble = random.happens(millionths: badDayMillionths) ? [.crowd, .shortStaff, .fullWards][draw] : nil
        arrivalFactor = trouble == .crowd ? 1.33 * level : level
    }

    /// The number of the day of a time that is not before 1970.
    static func number(of time: Int64) -> Int64 { time / milliseconds }
}
