internal import Service
internal import Simulation

extension RunPlan {
    /// Where event time begins in a file when nothing else is said: the same file for the same seed, on any day.
    private static let fileStart: Int64 = 1_735_689_600_000
    private static let dayMilliseconds = 86_400_000.0
    /// Between the end of an accelerated run and the clock, so that no event is ever ahead of it.
    private static let marginMilliseconds: Int64 = 1_000

    /// Flags of the simulation alone.
    private static let simulationFlags = [
        "days", "start-time", "facilities", "arrivals-per-day", "utilization", "bad-days", "late", "reordered",
        "duplicates", "cancelled",
    ]

    /// What `patient-flow-producer` is to do.
    static func flow(
        _ settings: ResolvedSettings, _ limits: RunLimits, seed: UInt64, now: Int64
    ) throws(SettingsError) -> Content {
        let isToFile = settings.optionalString("output") != nil
        if let path = settings.optionalString("file") {
            try refuse(simulationFlags, settings, "without --file")
            let speed = settings.optionalNumber("speed") ?? 0
            if speed > 0 {
                try refuse(["repeat", "shuffle"], settings, "without --speed")
                return .flowReplay(path: path, EventPace(speed: speed))
            }
            return .replay(path: path, repeats: settings.integer("repeat"), isShuffled: settings.flag("shuffle"))
        }
        try refuse(["repeat", "shuffle"], settings, "with --file")
        let speed = settings.optionalNumber("speed") ?? (isToFile ? 0 : 1)
        let length = settings.optionalNumber("days").map { Int64($0 * dayMilliseconds) }
        let start = try start(settings, speed: speed, length: length, isToFile: isToFile, now: now)
        if isToFile, speed == 0, length == nil, limits.count == nil, limits.durationNanoseconds == nil {
            throw SettingsError("--output", nil, "it needs an end: give --days, --count or --duration as well")
        }
        do throws(SimulationError) {
            let configuration = try FlowConfiguration(
                seed: seed, facilityCount: settings.integer("facilities"), startMilliseconds: start,
                endMilliseconds: length.map { start + $0 }, arrivalsPerDay: settings.number("arrivals-per-day"),
                utilization: settings.number("utilization"), badDayMillionths: millionths(settings, "bad-days"),
                shares: shares(settings))
            return .flow(configuration, EventPace(speed: speed, from: start, isBoundToClock: !isToFile))
        } catch {
            throw SettingsError("simulation", nil, error.message)
        }
    }

    private static func start(
        _ settings: ResolvedSettings, speed: Double, length: Int64?, isToFile: Bool, now: Int64
    ) throws(SettingsError) -> Int64 {
        if let text = settings.optionalString("start-time") {
            guard let start = StartTime.milliseconds(of: text, now: now), start > 0, isToFile || start <= now else {
                throw SettingsError(
                    "--start-time", nil,
                    "allowed is a time not in the future: now, 2026-01-31T09:00:00Z, or milliseconds since 1970")
            }
            return start
        }
        if isToFile { return fileStart }
        // Slower than time itself never reaches it.
        if speed > 0, speed <= 1 { return now }
        guard let length else {
            throw SettingsError("--speed", nil, "0, or more than 1, needs --days or --start-time as well")
        }
        let lasts = speed > 0 ? Int64(Double(length) / speed) : 0
        return now + lasts - length - marginMilliseconds
    }

    private static func shares(_ settings: ResolvedSettings) -> FlowShares {
        var shares = FlowShares()
        shares.late = millionths(settings, "late")
        shares.reordered = millionths(settings, "reordered")
        shares.duplicate = millionths(settings, "duplicates")
        shares.cancelled = millionths(settings, "cancelled")
        return shares
    }

    private static func millionths(_ settings: ResolvedSettings, _ name: String) -> Int {
        Int((settings.number(name) * 1e6).rounded())
    }
}
