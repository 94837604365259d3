/// The six numeric vital signs, in the order of CONTRACT's tables.
enum Vital: Int, CaseIterable {
    case heartRate, temperature, oxygenSaturation, respiratoryRate, systolicPressure, diastolicPressure

    /// Bit of `SimulatedReading.presence`.
    var bit: UInt8 { 1 << UInt8(rawValue) }

    /// What the simulated bedside can show, in hundredths; well inside the limits of CONTRACT's "Validation".
    var plausible: ClosedRange<Int> {
        switch self {
        case .heartRate: 0...25_000
        case .temperature: 3_000...4_300
        case .oxygenSaturation: 3_000...10_000
        case .respiratoryRate: 200...6_000
        case .systolicPressure: 4_000...26_000
        case .diastolicPressure: 2_000...16_000
        }
    }

    /// The smallest step that devices show, in hundredths: temperature 0.1 °C, all others whole numbers.
    var step: Int { self == .temperature ? 10 : 100 }
}

/// All that a bedside knows at one instant: every value, and which of them a message has told so far.
///
/// Values are whole hundredths, so that two of them are equal exactly when their `Float` roundings are (below 400
/// neighbouring floats are 0.00003 apart) and the predicted ledger never depends on rounding.
struct SimulatedReading: BitwiseCopyable, Equatable {
    /// Index of the patient, not the identifier.
    var patient: Int32 = 0
    /// Event time, milliseconds since 1970-01-01Z.
    var time: Int64 = 0
    /// Hundredths, also of what is not told.
    var hundredths: [6 of Int32] = [0, 0, 0, 0, 0, 0]
    /// 0 A, 1 C, 2 V, 3 P, 4 U.
    var consciousness: UInt8 = 0
    /// Whether oxygen is given.
    var oxygenGiven: Bool = false
    /// Bits 0 to 5: the numeric vital signs, 6: consciousness, 7: supplemental oxygen.
    var presence: UInt8 = 0

    static let consciousnessBit: UInt8 = 1 << 6
    static let oxygenBit: UInt8 = 1 << 7
    static let consciousnessLetters: StaticString = "ACVPU"
    static let consciousnessCount = 5

    static func == (left: Self, right: Self) -> Bool {
        guard left.patient == right.patient, left.time == right.time, left.presence == right.presence,
            left.consciousness == right.consciousness, left.oxygenGiven == right.oxygenGiven
        else { return false }
        for index in left.hundredths.indices where left.hundredths[index] != right.hundredths[index] {
            return false
        }
        return true
    }

    subscript(vital: Vital) -> Int {
        get { Int(hundredths[vital.rawValue]) }
        set { hundredths[vital.rawValue] = Int32(newValue) }
    }

    func has(_ vital: Vital) -> Bool { presence & vital.bit != 0 }
}
