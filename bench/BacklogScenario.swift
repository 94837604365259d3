internal import Service

/// A topic full of readings, read to its end.
enum BacklogScenario {
    static let patients = 10_000

    /// One lane against the raw COPY of the same rows.
    static func oneLane(_ stage: inout Stage) throws -> ScenarioResult {
        let (topic, workload) = try backlog(&stage)
        var result = ScenarioResult(name: "backlog")
        let (drain, limit) = try compared(stage.bench, topic, workload, lanes: 1)
        stage.backlogRate = drain.messagesPerSecond
        result.figures = [
            Figure(
                name: "rows/s ÷ raw COPY, 1 lane", unit: "", value: drain.rowsPerSecond / limit.mean, must: 0.70,
                goal: 0.90),
            Figure(name: "rows/s, 1 lane", unit: "rows/s", value: drain.rowsPerSecond),
            Figure(name: "raw COPY", unit: "rows/s", value: limit.mean),
            Figure(
                name: "CPU per million new rows", unit: "s", value: drain.serviceSeconds / drain.inserted * 1e6,
                direction: .lower, must: 0.8, goal: 0.5),
            Figure(name: "resident", unit: "MiB", value: drain.residentMebibytes, direction: .lower),
        ]
        result.notes = [limit.note("raw COPY", "rows/s"), drain.account]
        return result
    }

    /// The topic that several scenarios read; filled once.
    static func backlog(_ stage: inout Stage) throws -> (topic: String, workload: Workload) {
        if let backlog = stage.backlog { return backlog }
        let bench = stage.bench
        let messages = min(bench.broker.backlogLimit, stage.isQuick ? 400_000 : 4_000_000)
        let workload = Workload(
            messages: messages, patients: patients, start: WallClock.nowMilliseconds() - 7_200_000, mix: .backlog)
        // The embedded broker's one topic.
        let topic = bench.broker.kind == .kafka ? "backlog" : "vitals"
        bench.begin("filling topic \(topic) with \(messages / 1_000) thousand messages")
        try bench.broker.createTopic(topic, partitions: bench.broker.backlogPartitions)
        try TopicWriter.fill(topic, workload, broker: bench.broker) { bench.progress("\($0 / 1_000) thousand") }
        // The first reader pays for the broker's compilers and caches, a fifth to a third: let it be nobody.
        bench.begin("warming the broker")
        try bench.migratedDatabase()
        _ = try Drain.run(bench, topic: topic, group: "warm", messages: messages, lanes: 1)
        try bench.database.drop()
        stage.backlog = (topic, workload)
        return (topic, workload)
    }

    /// Raw COPY, the service in a new database, raw COPY.
    static func compared(
        _ bench: Bench, _ topic: String, _ workload: Workload, lanes: Int
    ) throws -> (Drain, Limit) {
        try bench.migratedDatabase()
        defer { bench.begin("cleaning up") }
        let rows = min(workload.rows, 2_000_000)
        bench.begin("raw COPY of \(rows / 1_000) thousand rows")
        let before = try RawCopy.measure(bench.database, workload, rows: rows)
        bench.begin("\(workload.sentMessages / 1_000) thousand messages, \(lanes) lane(s)")
        let drain = try Drain.run(
            bench, topic: topic, group: "bench-\(lanes)", messages: workload.sentMessages, lanes: lanes)
        bench.begin("raw COPY again")
        let after = try RawCopy.measure(bench.database, workload, rows: rows)
        try bench.database.drop()
        return (drain, Limit(before: before, after: after))
    }
}
