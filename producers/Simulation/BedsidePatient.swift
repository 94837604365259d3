/// One simulated patient: baselines, slow random variation, the time of day, episodes of deterioration, sensors.
///
/// Heart rate, temperature and saturation vary as 29,625 readings of the eICU-CRD Demo 2.0.1 do (PhysioNet; hourly
/// medians; computed from them by us, 2026-11-21, over 1,243 stays of six readings or more):
///
/// | | mean of means | between patients | within a patient | lag-1 h correlation |
/// |---|---|---|---|---|
/// | heart rate /min | 84.7 | 14.9 | 9.0 | 0.38 |
/// | temperature °C | 36.83 | 0.45 | 0.41 | 0.26 |
/// | oxygen saturation % | 96.6 | 2.2 | 2.0 | 0.23 |
///
/// with correlations within a patient of 0.31 (heart rate, temperature) and -0.12 (heart rate, saturation).
/// The other three have no such source here: their means lie inside the zone that NEWS2 scores 0 (respiration 12 to 20,
/// systolic 111 to 219; Royal College of Physicians, NEWS2, 2017, Chart 1, read 2026-11-21), their spread is assumed.
/// Temperature is lowest at 6 to 8 and highest at 18 to 20 o'clock (n = 93,225 in an emergency department,
/// https://doi.org/10.1080/07420528.2019.1663863, abstract, read 2026-11-21). Everything about episodes is assumed.
///
/// Arithmetic is +, -, *, / and square root only, which IEEE 754 defines to the last bit.
struct BedsidePatient {
    private var random: SeededRandom
    private var baseline: [6 of Float] = .init(repeating: 0)
    /// Slow variation, each of variance 1: number 0 is shared by all vital signs, 1 to 6 belong to one each.
    private var variation: [7 of Float] = .init(repeating: 0)
    private var lastTime: Int64
    private var episode: DeteriorationEpisode
    private var sensors: BedsideSensors
    /// Time of the newest reading that was sent, 0 before the first.
    var newestSent: Int64 = 0

    /// Patient `index` of the hospital `seed`, first seen at `start`.
    init(seed: UInt64, index: Int, start: Int64) {
        random = SeededRandom(seed: seed, stream: UInt64(index))
        baseline[0] = Float(84.7 + 14.9 * random.normal())
        baseline[1] = Float(36.83 + 0.45 * random.normal())
        baseline[2] = Float(min(96.6 + 2.2 * random.normal(), 99))
        baseline[3] = Float(16 + 2 * random.normal())
        baseline[4] = Float(126 + 14 * random.normal())
        baseline[5] = baseline[4] * Float(0.6 + 0.03 * random.normal())
        for index in variation.indices { variation[index] = Float(random.normal()) }
        lastTime = start - 1
        // The first episode may have begun up to six hours before the start, so that a short run shows some.
        episode = DeteriorationEpisode(from: start - 6 * 3_600_000, waitingHours: 60, random: &random)
        sensors = BedsideSensors(index: index, start: start, random: &random)
    }

    /// The least time of the next reading: no two in one millisecond.
    var earliestNext: Int64 { lastTime + 1 }

    /// Which fields this patient's device sends, and how.
    var device: DeviceKind { sensors.device }

    /// Reads the bedside at `time`, not before the time of the last call.
    mutating func measure(patient: Int32, at time: Int64) -> SimulatedReading {
        let seconds = Float(time - lastTime) / 1_000
        lastTime = time
        vary(seconds: seconds)
        if time >= episode.end {
            episode = DeteriorationEpisode(from: time + 12 * 3_600_000, waitingHours: 60, random: &random)
        }
        let severity = episode.severity(at: time)
        var reading = SimulatedReading(patient: patient, time: time)
        for vital in Vital.allCases {
            let value = expected(vital, at: time) + episode.effect(on: vital) * severity
            reading[vital] = Self.rounded(value, vital)
        }
        Self.separatePressures(&reading)
        reading.consciousness = UInt8(max(0, min(4, (severity - 0.5) * 8)))
        reading.oxygenGiven = reading[.oxygenSaturation] < 9_300 || severity > 0.5
        reading.presence = sensors.presence(at: time, seconds: seconds, random: &random)
        return reading
    }

    /// Moves all variation on by `seconds`: an autoregressive step whose correlation is 0.38 after one hour.
    private mutating func vary(seconds: Float) {
        let memory: Float = 2_200
        let keep = memory / (memory + seconds)
        let renew = (1 - keep * keep).squareRoot()
        for index in variation.indices {
            variation[index] = keep * variation[index] + renew * Float(random.normal())
        }
    }

    /// Baseline, time of day and slow variation; `shared` and `own` weights have squares that add up to 1.
    private func expected(_ vital: Vital, at time: Int64) -> Float {
        let shared = variation[0]
        let own = variation[1 + vital.rawValue]
        let dayTide = circadianTide(at: time)
        let base = baseline[vital.rawValue]
        return switch vital {
        case .heartRate: base + 9 * (0.56 * shared + 0.83 * own) + 3 * dayTide
        case .temperature: base + 0.41 * (0.56 * shared + 0.83 * own) + 0.25 * dayTide
        case .oxygenSaturation: base + 2 * (-0.21 * shared + 0.98 * own)
        case .respiratoryRate: base + 2 * (0.4 * shared + 0.92 * own)
        case .systolicPressure: base + 9 * (-0.2 * shared + 0.98 * own) + 4 * dayTide
        case .diastolicPressure: base + 6 * (-0.2 * shared + 0.98 * own) + 3 * dayTide
        }
    }

    private static func rounded(_ value: Float, _ vital: Vital) -> Int {
        let step = vital.step
        let hundredths = (value * 100 / Float(step)).rounded() * Float(step)
        let bounds = vital.plausible
        return Int(max(Float(bounds.lowerBound), min(Float(bounds.upperBound), hundredths)))
    }

    /// A pulse pressure below 15 mmHg would be no reading but a fault of the cuff.
    private static func separatePressures(_ reading: inout SimulatedReading) {
        let highest = reading[.systolicPressure] - 1_500
        if reading[.diastolicPressure] > highest { reading[.diastolicPressure] = highest }
    }
}

/// From -1 at 7 o'clock to 1 at 19 o'clock UTC and back: two parabolas in place of a sine, which C libraries round
/// differently.
func circadianTide(at time: Int64) -> Float {
    let day: Int64 = 86_400_000
    // 11 hours on is 13 hours back on the clock, where the tide crosses zero upwards; and it is never negative.
    let sinceCrossing = (time + 11 * 3_600_000) % day
    let phase = Float(sinceCrossing) / Float(day) * 2
    let x = phase < 1 ? phase : phase - 2
    return 4 * x * (1 - abs(x))
}
