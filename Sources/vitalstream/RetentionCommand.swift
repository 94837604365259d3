internal import Postgres
internal import Service

/// `vitalstream retention`: drops what is older than it may be kept, and books what goes.
enum RetentionCommand {
    static func run(_ settings: ResolvedSettings) -> Int32 {
        let ages: Ages
        do throws(SettingsError) { ages = try Ages(settings) } catch {
            Console.writeError("vitalstream: \(error)")
            return 2
        }
        return CommandRun.run("retention", settings) {
            try apply(ages, settings)
            return 0
        }
    }

    /// What the flags ask for.
    private struct Ages {
        let vitals: RetentionAge?
        let history: RetentionAge?
        let deadLetters: RetentionAge?
        let flow: RetentionAge?
        let predictions: RetentionAge?

        init(_ settings: ResolvedSettings) throws(SettingsError) {
            vitals = try RetentionAge.flag("vitals", settings)
            history = try RetentionAge.flag("history", settings)
            deadLetters = try RetentionAge.flag("dead-letters", settings)
            flow = try RetentionAge.flag("flow", settings)
            predictions = try RetentionAge.flag("predictions", settings)
            let given = [vitals, history, deadLetters, flow, predictions].compactMap { $0 }
            guard !given.isEmpty else {
                throw SettingsError(
                    "retention", nil, "give at least one age, such as --vitals 2y; see vitalstream retention --help")
            }
        }
    }

    private static func apply(_ ages: Ages, _ settings: ResolvedSettings) throws {
        var run = RetentionRun(
            try Connection.open(settings.string("DATABASE_URL"), applicationName: "vitalstream retention"),
            isDryRun: settings.flag("dry-run"))
        try run.begin()
        // Before anything goes: a command that is refused has changed nothing.
        if ages.flow != nil { try run.passOver("flow", table: "silver.patient_flow_event") }
        if ages.predictions != nil { try run.passOver("predictions", table: "gold.wait_prediction") }
        if let vitals = ages.vitals, let history = ages.history { try run.require(history, notBeyond: vitals) }
        defer { run.report() }
        // First: a correction that is read again finds its reading as it was left, or neither of the two.
        if let age = ages.history ?? ages.vitals { try run.expireHistory(age) }
        if let age = ages.vitals { try run.dropReadings(age) }
        if let age = ages.deadLetters { try run.expireDeadLetters(age) }
    }
}
