internal import Service

extension ProductCommands {
    /// The commands about the life of the data.
    static let data = [partitions, retention]

    private static let dataSettings = ["DATABASE_URL", "LOG_LEVEL", "LOG_FORMAT"]

    private static let partitions = CommandDeclaration(
        "partitions", summary: "List the daily partitions of readings, make them ahead, empty the default one.",
        details: "serve makes partitions by itself, \(Housekeeping.partitionDays.behind) days back and "
            + "\(Housekeeping.partitionDays.ahead) ahead. Readings of other days go into the default partition, where "
            + "they are found as well, but not dropped as a whole. Rows are the server's estimates.\n"
            + "--empty-default works day by day, each day in a transaction of its own, while serve goes on: writers "
            + "wait while what changed meanwhile is copied and the old rows are deleted, about a second for 500,000 "
            + "rows, and repeat their batch where that is longer than their lock time-out.",
        flags: [
            FlagDeclaration(
                "ahead", kind: .integer(0...999), valueName: "DAYS",
                meaning: "Make the partitions from today to so many days ahead."),
            FlagDeclaration(
                "empty-default", meaning: "Move rows from the default partition into partitions of their days."),
            FlagDeclaration(
                "most-days", kind: .integer(1...10_000), valueName: "N", default: "366",
                meaning: "Of --empty-default: at most so many days, those with the most rows."),
        ],
        settings: dataSettings,
        examples: [
            CommandExample("vitalstream partitions", "what there is"),
            CommandExample("vitalstream partitions --ahead 30", "a month ahead, before a long absence"),
            CommandExample("vitalstream partitions --empty-default", "after an import of older readings"),
        ])

    private static func age(_ name: String, _ what: String) -> FlagDeclaration {
        FlagDeclaration(name, kind: .text(), valueName: "AGE", meaning: "Keep \(what) for so long, such as 2y or 90d.")
    }

    private static let retention = CommandDeclaration(
        "retention", summary: "Drop what is older than it may be kept, and book what goes.",
        details: "An age is a whole number of days (90d), weeks (12w), months (18mo) or years (2y), counted back from "
            + "today's midnight in UTC. Readings go by their time, in whole daily partitions; those of the default "
            + "partition, the history and dead letters (by the time they were received) in batches. serve goes on: "
            + "its lanes wait while a partition is counted and taken out. A lock that is not granted within 2 s is let "
            + "go and asked for again, up to 12 times in about a minute; then the command names what is in use and "
            + "ends, and what was done before is done.\n"
            + "What goes is booked in ops.retention_run in the same transaction, so that verify still adds up. It "
            + "cannot be had back but from a backup: try --dry-run first. The history goes with its readings, also "
            + "without --history; with it, earlier at will, never later.\n"
            + "Patient flow and predictions cannot be dropped yet, since windows are made again from events that come "
            + "late: --flow and --predictions are refused, before anything is changed.",
        flags: [
            age("vitals", "readings"), age("history", "the values that corrections replaced"),
            age("dead-letters", "dead letters, whose payloads are patient data,"),
            age("flow", "patient-flow events and visits"), age("predictions", "predictions and their outcomes"),
            FlagDeclaration("dry-run", meaning: "Count what would go, and change nothing."),
        ],
        settings: dataSettings,
        examples: [
            CommandExample(
                "vitalstream retention --vitals 2y --history 2y --dead-letters 90d --dry-run", "what would go"),
            CommandExample("vitalstream retention --dead-letters 30d", "payloads only, once a day by cron"),
        ])
}
