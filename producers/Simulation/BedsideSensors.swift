/// What a bedside device can measure and how it writes a message.
enum DeviceKind {
    /// Heart rate, temperature and saturation, in the six fields of existing producers.
    case basic
    /// Also respiration and pressure, each at its own interval; says where it stands; leaves absent fields out.
    case monitor
    /// Also consciousness and oxygen; writes `null` for what is absent.
    case intensive
}

/// The sensors on one patient: which of them gives a value now.
///
/// A sensor falls off now and then for half a minute to ten minutes; slow measurements (cuff, thermometer) come
/// with every n-th reading only. Heart rate is told whenever nothing else would be.
struct BedsideSensors {
    let device: DeviceKind
    private let cuffEvery: Int32
    private let thermometerEvery: Int32
    private var readings: Int32
    private var leadsBackAt: Int64
    private var oximeterBackAt: Int64
    private var thermometerBackAt: Int64

    init(index: Int, start: Int64, random: inout SeededRandom) {
        device =
            switch index % 4 {
            case 0: .basic
            case 3: .intensive
            default: .monitor
            }
        cuffEvery = device == .intensive ? 1 : Int32(random.within(3...8))
        thermometerEvery = device == .monitor ? Int32(random.within(2...5)) : 1
        readings = Int32(random.below(8))
        leadsBackAt = start
        oximeterBackAt = start
        thermometerBackAt = start
    }

    /// Presence bits of the reading at `time`, `seconds` after the last one.
    mutating func presence(at time: Int64, seconds: Float, random: inout SeededRandom) -> UInt8 {
        readings = readings == .max ? 0 : readings + 1
        // Once in two hours per sensor, and once in 3,000 readings so that minutes of simulation show some.
        let hazard = 1 / 3_000 + Double(min(seconds, 600)) / 7_200
        if random.unit() < hazard { leadsBackAt = time + Self.pause(&random) }
        if random.unit() < hazard { oximeterBackAt = time + Self.pause(&random) }
        if random.unit() < hazard { thermometerBackAt = time + Self.pause(&random) }

        var bits: UInt8 = 0
        if time >= leadsBackAt { bits |= Vital.heartRate.bit }
        if time >= thermometerBackAt, readings % thermometerEvery == 0 { bits |= Vital.temperature.bit }
        if time >= oximeterBackAt { bits |= Vital.oxygenSaturation.bit }
        if device != .basic {
            if time >= leadsBackAt { bits |= Vital.respiratoryRate.bit }
            if readings % cuffEvery == 0 { bits |= Vital.systolicPressure.bit | Vital.diastolicPressure.bit }
        }
        if device == .intensive { bits |= SimulatedReading.consciousnessBit | SimulatedReading.oxygenBit }
        return bits == 0 ? Vital.heartRate.bit : bits
    }

    private static func pause(_ random: inout SeededRandom) -> Int64 {
        Int64(random.within(30_000...600_000))
    }
}
