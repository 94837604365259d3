/// A patient gets worse, stays so, and recovers: a rise, a plateau and a fall of all vital signs together.
///
/// Courses and sizes are assumed, not taken from a source: they need only look like what alarms are made for.
struct DeteriorationEpisode {
    private enum Cause {
        case sepsis, respiratoryFailure, bleeding, collapse
    }

    private let cause: Cause
    private let start: Int64
    private let risen: Int64
    private let falling: Int64
    /// When the patient has recovered, milliseconds since 1970-01-01Z.
    let end: Int64
    private let depth: Float

    /// An episode that begins at a random time within `waitingHours` after `earliest`.
    init(from earliest: Int64, waitingHours: Int, random: inout SeededRandom) {
        cause =
            switch random.below(20) {
            case 0...7: .sepsis
            case 8...14: .respiratoryFailure
            case 15...18: .bleeding
            default: .collapse
            }
        let minute: Int64 = 60_000
        start = earliest + Int64(random.below(waitingHours * 60)) * minute
        if cause == .collapse {
            // Minutes, not hours: heart rate and saturation fall below what CONTRACT flags as suspect.
            risen = start + Int64(random.within(1...2)) * minute
            falling = risen + Int64(random.within(1...3)) * minute
            end = falling + Int64(random.within(2...5)) * minute
        } else {
            risen = start + Int64(random.within(60...360)) * minute
            falling = risen + Int64(random.within(30...480)) * minute
            end = falling + Int64(random.within(120...720)) * minute
        }
        depth = Float(0.4 + 0.6 * random.unit())
    }

    /// 0 when well to 1 at the worst; continuous.
    func severity(at time: Int64) -> Float {
        guard time > start, time < end else { return 0 }
        if time < risen { return depth * Float(time - start) / Float(risen - start) }
        if time < falling { return depth }
        return depth * Float(end - time) / Float(end - falling)
    }

    /// What full severity adds to a vital sign, in its own unit.
    func effect(on vital: Vital) -> Float {
        switch (cause, vital) {
        case (.sepsis, .heartRate): 40
        case (.sepsis, .temperature): 2.4
        case (.sepsis, .oxygenSaturation): -6
        case (.sepsis, .respiratoryRate): 12
        case (.sepsis, .systolicPressure): -40
        case (.sepsis, .diastolicPressure): -26
        case (.respiratoryFailure, .heartRate): 22
        case (.respiratoryFailure, .temperature): 0.3
        case (.respiratoryFailure, .oxygenSaturation): -16
        case (.respiratoryFailure, .respiratoryRate): 18
        case (.respiratoryFailure, .systolicPressure): 12
        case (.respiratoryFailure, .diastolicPressure): 6
        case (.bleeding, .heartRate): 50
        case (.bleeding, .temperature): -0.8
        case (.bleeding, .oxygenSaturation): -3
        case (.bleeding, .respiratoryRate): 8
        case (.bleeding, .systolicPressure): -55
        case (.bleeding, .diastolicPressure): -32
        case (.collapse, .heartRate): -120
        case (.collapse, .temperature): 0
        case (.collapse, .oxygenSaturation): -60
        case (.collapse, .respiratoryRate): -14
        case (.collapse, .systolicPressure): -80
        case (.collapse, .diastolicPressure): -50
        }
    }
}
