internal import Service
internal import WaitTime

/// `vitalstream evaluate`: how well waits, or counts, would have been predicted.
enum EvaluateCommand {
    static func run(_ settings: ResolvedSettings) -> Int32 {
        let events = settings.optionalString("events")
        let counts = settings.optionalString("counts")
        guard (events == nil) != (counts == nil) else {
            Console.writeError("vitalstream: evaluate: name one file, --events FILE or --counts FILE")
            return 2
        }
        guard !(settings.flag("json") && settings.flag("csv")) else {
            Console.writeError("vitalstream: evaluate: --json or --csv, not both")
            return 2
        }
        return CommandRun.run("evaluate", settings) {
            if let events { try evaluateEvents(events, settings) }
            if let counts { try EvaluateCounts.run(counts, settings) }
            return 0
        }
    }

    private static func evaluateEvents(_ path: String, _ settings: ResolvedSettings) throws {
        let file = try FlowFile(path: path)
        var evaluation = FlowEvaluation()
        let began = MonotonicTime.now()
        for line in file.lines {
            evaluation.take(line.step, facility: line.facility, sector: line.sector)
        }
        let microseconds = Double(MonotonicTime.now().nanoseconds - began.nanoseconds) / 1_000
        if let output = settings.optionalString("predictions") {
            try FileSystem.writeText(output, EvaluationText.predictions(evaluation.arrivals))
        }
        let first = file.lines[0].step.timestamp
        let span = file.lines[file.lines.count - 1].step.timestamp - first
        let testFrom = first + Int64((Double(span) * settings.number("warm-up")).rounded(.up))
        let scores = WaitScores(evaluation.arrivals, testFrom: testFrom)
        let table = scores.table()
        guard table[0].count > 0 else {
            throw CommandFailure("no wait of the test part of \(path) has an end: lower --warm-up")
        }
        if let picture = settings.optionalString("svg") {
            try FileSystem.writeText(picture, EvaluationPicture.svg(scores))
        }
        if settings.flag("json") {
            Console.write(EvaluationText.json(table, file: path))
        } else if settings.flag("csv") {
            Console.write(EvaluationText.csv(table))
        } else {
            let cost = EvaluationText.decimal(microseconds / Double(file.lines.count), 1)
            Console.write(
                "\(path): \(file.lines.count) events (\(file.repeated) repeats left out), "
                    + "\(evaluation.arrivals.count) arrivals, \(table[0].count) scored waits from "
                    + "\(UTCText.timestamp(milliseconds: testFrom)) on; \(cost) µs an event, baselines and "
                    + "\(evaluation.refreshes) refreshed predictions included; "
                    + "\((evaluation.stateBytes().max() ?? 0) / 1_000) kB for the largest sector\n"
                    + EvaluationText.table(table))
        }
    }
}
