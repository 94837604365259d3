internal import Service
internal import Simulation

/// What a producer program is to do, all of it decided and checked before anything is sent.
struct RunPlan {
    /// Where the messages come from.
    enum Content {
        case simulation(SimulationConfiguration)
        case replay(path: String, repeats: Int, isShuffled: Bool)
        case flow(FlowConfiguration, EventPace)
        case flowReplay(path: String, EventPace)
    }

    /// Which program it is for.
    enum Program {
        case vitals, duplicateVitals, patientFlow
    }

    let content: Content
    let seed: UInt64
    let limits: RunLimits
    /// The setting that names the topic.
    let topicSetting: String
    /// The field that is the key of a replayed line.
    let keyField: StaticString
    /// A file that takes the messages instead of the topic, `-` for standard output; nil: the topic.
    let output: String?

    /// Readings a second that no run exceeds: the start of an unlimited run lies so far back that its event times do
    /// not reach the clock.
    private static let fastestRate: Double = 1_000_000
    private static let defaultRate: Double = 100
    private static let slowestRate = 0.001

    /// The plan that the settings mean.
    ///
    /// - Parameters:
    ///   - now: milliseconds since 1970-01-01Z.
    ///   - randomSeed: the seed when none is given.
    init(
        _ program: Program, _ settings: ResolvedSettings, now: Int64, randomSeed: UInt64
    ) throws(SettingsError) {
        let seed = settings.optionalInteger("seed").map { UInt64($0) } ?? randomSeed
        self.seed = seed
        if program == .patientFlow {
            (topicSetting, keyField) = ("PATIENT_FLOW_TOPIC", "facilityId")
            output = settings.optionalString("output")
            limits = RunLimits(
                rate: 0, count: settings.optionalInteger("count"),
                durationNanoseconds: settings.optionalDuration("duration")?.wholeNanoseconds)
            content = try Self.flow(settings, limits, seed: seed, now: now)
            return
        }
        (topicSetting, keyField, output) = ("VITALS_TOPIC", "patientId", nil)
        let path = program == .vitals ? settings.optionalString("file") : nil
        limits = RunLimits(
            rate: settings.optionalNumber("rate") ?? (path == nil ? Self.defaultRate : 0),
            count: settings.optionalInteger("count"),
            durationNanoseconds: settings.optionalDuration("duration")?.wholeNanoseconds)
        guard limits.rate == 0 || limits.rate >= Self.slowestRate else {
            throw SettingsError("--rate", nil, "allowed is 0, or a number from 0.001 to 10000000")
        }
        if let path {
            try Self.refuse(["patients", "interval", "start-time", "large-data-bytes"], settings, "without --file")
            content = .replay(
                path: path, repeats: settings.integer("repeat"), isShuffled: settings.flag("shuffle"))
        } else {
            if program == .vitals { try Self.refuse(["repeat", "shuffle"], settings, "with --file") }
            content = .simulation(try Self.simulation(program, settings, limits, seed: seed, now: now))
        }
    }

    private static func simulation(
        _ program: Program, _ settings: ResolvedSettings, _ limits: RunLimits, seed: UInt64, now: Int64
    ) throws(SettingsError) -> SimulationConfiguration {
        let patients = settings.integer("patients")
        let slot: Int64
        if limits.rate > 0 {
            try refuse(["interval"], settings, "with --rate 0; else it follows from --rate and --patients")
            slot = SimulationConfiguration.slotNanoseconds(messagesPerSecond: limits.rate)
        } else {
            slot = SimulationConfiguration.slotNanoseconds(
                interval: settings.optionalDuration("interval")?.inSeconds ?? 1,
                schedule: WardSchedule(patientCount: patients))
        }
        let start = try startTime(settings, limits, slot: slot, now: now)
        do throws(SimulationError) {
            return try SimulationConfiguration(
                seed: seed, patientCount: patients, startMilliseconds: start, slotNanoseconds: slot,
                shares: program == .duplicateVitals ? shares(settings) : MessageShares(),
                largeDataBytes: settings.integer("large-data-bytes"),
                oversizeBytes: oversizeBytes(program, settings))
        } catch {
            throw SettingsError("simulation", nil, error.message)
        }
    }

    private static func startTime(
        _ settings: ResolvedSettings, _ limits: RunLimits, slot: Int64, now: Int64
    ) throws(SettingsError) -> Int64 {
        if let text = settings.optionalString("start-time") {
            guard let start = StartTime.milliseconds(of: text, now: now), start > 0, start <= now else {
                throw SettingsError(
                    "--start-time", nil,
                    "allowed is a time not in the future: now, 2026-01-31T09:00:00Z, or milliseconds since 1970")
            }
            return start
        }
        if limits.rate > 0 { return now }
        var messages = limits.count.map(Double.init) ?? .infinity
        if let duration = limits.durationNanoseconds { messages = min(messages, Double(duration) / 1e9 * fastestRate) }
        guard messages.isFinite else {
            throw SettingsError("--rate", nil, "0 needs an end: give --count, --duration or --start-time as well")
        }
        let span = messages * Double(slot) / 1e6
        guard span < Double(now) - 1_000 else {
            throw SettingsError("--interval", nil, "so many readings so far apart would begin before 1970")
        }
        return now - 1_000 - Int64(span.rounded(.up))
    }

    private static func shares(_ settings: ResolvedSettings) -> MessageShares {
        var shares = MessageShares()
        func millionths(_ name: String) -> Int { Int((settings.number(name) * 1e6).rounded()) }
        shares.duplicate = millionths("duplicates")
        shares.merge = millionths("merges")
        shares.correction = millionths("corrections")
        shares.late = millionths("late")
        shares.future = millionths("future")
        shares.malformed = millionths("malformed")
        shares.oversize = millionths("oversize")
        return shares
    }

    private static func oversizeBytes(_ program: Program, _ settings: ResolvedSettings) -> Int {
        switch program {
        case .vitals, .patientFlow: SimulationConfiguration.payloadLimit
        case .duplicateVitals: settings.integer("MAX_MESSAGE_BYTES") + 1
        }
    }

    /// Refuses flags that were given where they mean nothing.
    static func refuse(
        _ flags: [String], _ settings: ResolvedSettings, _ condition: String
    ) throws(SettingsError) {
        for flag in flags where settings.source(of: flag) != .defaultValue {
            throw SettingsError("--\(flag)", nil, "it has a meaning only \(condition)")
        }
    }
}
