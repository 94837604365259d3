internal import Service

/// A topic full of readings, read to its end.
enum BacklogScenario {
    static let patients = 10_000

    /// One lane against the raw COPY of the same rows.
    static func oneLane(_ stage: inout Stage) throws -> ScenarioResult {
        let (topic, workload) = try backlog(&stage)
        let (drain, limit) = try compared(stage.bench, topic, workload, lanes: 1)
        stage.rates[1] = drain
        return result("backlog", drain, limit, lanes: 1, must: 0.70, goal: 0.90)
    }

    /// Two lanes; broker, database and service share the processors.
    static func twoLanes(_ stage: inout Stage) throws -> ScenarioResult {
        let (topic, workload) = try backlog(&stage)
        let (drain, limit) = try compared(stage.bench, topic, workload, lanes: 2)
        stage.rates[2] = drain
        return result("backlog-2", drain, limit, lanes: 2, must: 0.90, goal: 1.15)
    }

    /// Messages with every field of the contract, and an origin each: three times as long.
    static func fullMessages(_ stage: inout Stage) throws -> ScenarioResult {
        let workload = stage.workload(messages: 2_000_000, mix: .backlog, format: .full)
        let topic = try fill(stage.bench, "full", workload)
        let (drain, limit) = try compared(stage.bench, topic, workload, lanes: 2)
        try stage.bench.broker.deleteTopic(topic)
        return result("backlog-full", drain, limit, lanes: 2, must: 0.90, goal: 1.15)
    }

    private static func result(
        _ name: String, _ drain: Drain, _ limit: Limit, lanes: Int, must: Double, goal: Double
    ) -> ScenarioResult {
        let with = lanes == 1 ? "1 lane" : "\(lanes) lanes"
        var result = ScenarioResult(name: name)
        result.figures = [
            Figure(
                name: "rows/s ÷ raw COPY, \(with)", unit: "", value: drain.rowsPerSecond / limit.mean,
                must: must, goal: goal),
            Figure(name: "rows/s, \(with)", unit: "rows/s", value: drain.rowsPerSecond),
            Figure(name: "raw COPY", unit: "rows/s", value: limit.mean),
            Figure(
                name: "CPU per million new rows", unit: "s", value: drain.serviceSeconds / drain.inserted * 1e6,
                direction: .lower, must: 0.8, goal: 0.5),
            Figure(name: "resident", unit: "MiB", value: drain.residentMebibytes, direction: .lower),
        ]
        result.notes = [limit.note("raw COPY", "rows/s"), drain.account]
        return result
    }

    /// One, two and four lanes; those measured before are not measured again.
    static func lanes(_ stage: inout Stage) throws -> ScenarioResult {
        let (topic, workload) = try backlog(&stage)
        var result = ScenarioResult(name: "lanes")
        for lanes in [1, 2, 4] {
            let drain = try stage.rates[lanes] ?? drained(stage.bench, topic, workload, lanes: lanes)
            stage.rates[lanes] = drain
            result.figures.append(Figure(name: "rows/s, \(lanes) lane(s)", unit: "rows/s", value: drain.rowsPerSecond))
            result.notes.append("\(lanes) lane(s): " + drain.account)
        }
        if let one = stage.rates[1], let two = stage.rates[2], let four = stage.rates[4] {
            result.figures.append(
                Figure(
                    name: "2 lanes ÷ 1", unit: "", value: two.rowsPerSecond / one.rowsPerSecond, must: 1, goal: 1.25))
            result.figures.append(
                Figure(name: "4 lanes ÷ 1", unit: "", value: four.rowsPerSecond / one.rowsPerSecond, must: 1))
        }
        return result
    }

    /// The backlog with late readings, merges, corrections and bad messages, against the one without.
    static func mixed(_ stage: inout Stage) throws -> ScenarioResult {
        let bench = stage.bench
        if stage.rates[1] == nil {
            let (topic, workload) = try backlog(&stage)
            stage.rates[1] = try drained(bench, topic, workload, lanes: 1)
        }
        let workload = stage.workload(messages: 4_000_000, mix: .mixed)
        let topic = try fill(bench, "mixed", workload)
        let drain = try drained(bench, topic, workload, lanes: 1)
        try bench.broker.deleteTopic(topic)
        var result = ScenarioResult(name: "mixed")
        let plain = stage.rates[1]?.messagesPerSecond ?? .nan
        result.figures = [
            Figure(
                name: "messages/s ÷ backlog's, 1 lane", unit: "", value: drain.messagesPerSecond / plain, must: 0.75,
                goal: 0.90),
            Figure(name: "messages/s", unit: "messages/s", value: drain.messagesPerSecond),
        ]
        result.notes = ["10 % duplicates, 2 % late, 1 % merges, 1 % corrections, 0.1 % bad", drain.account]
        return result
    }

    /// Every message twice in a row.
    static func duplicates(_ stage: inout Stage) throws -> ScenarioResult {
        let bench = stage.bench
        let workload = stage.workload(messages: 2_000_000, copies: 2)
        let topic = try fill(bench, "twice", workload)
        let (drain, limit) = try compared(bench, topic, workload, lanes: 1)
        try bench.broker.deleteTopic(topic)
        var result = ScenarioResult(name: "duplicates")
        result.figures = [
            Figure(
                name: "messages/s ÷ raw COPY rows/s", unit: "", value: drain.messagesPerSecond / limit.mean,
                must: 1.2, goal: 1.6),
            Figure(name: "messages/s", unit: "messages/s", value: drain.messagesPerSecond),
        ]
        result.notes = [limit.note("raw COPY", "rows/s"), drain.account]
        return result
    }

    /// The whole topic once more, by another group, into the table that holds it all.
    static func replay(_ stage: inout Stage) throws -> ScenarioResult {
        let bench = stage.bench
        let (topic, workload) = try backlog(&stage)
        let rows = min(workload.rows, 2_000_000)
        try bench.migratedDatabase()
        bench.begin("raw COPY of \(rows / 1_000) thousand rows")
        let before = try RawCopy.measure(bench.database, workload, rows: rows)
        bench.begin("filling the table")
        _ = try Drain.run(bench, topic: topic, group: "first", messages: workload.sentMessages, lanes: 2)
        bench.begin("replay of \(workload.sentMessages / 1_000) thousand messages")
        let drain = try Drain.run(bench, topic: topic, group: "second", messages: workload.sentMessages, lanes: 1)
        guard drain.inserted == 0 else { throw BenchError("a replay has inserted \(drain.inserted) rows") }
        bench.begin("raw COPY again")
        let limit = Limit(before: before, after: try RawCopy.measure(bench.database, workload, rows: rows))
        try bench.database.drop()
        var result = ScenarioResult(name: "replay")
        result.figures = [
            Figure(
                name: "messages/s ÷ raw COPY rows/s", unit: "", value: drain.messagesPerSecond / limit.mean,
                must: 0.5, goal: 1.0),
            Figure(name: "messages/s", unit: "messages/s", value: drain.messagesPerSecond),
        ]
        result.notes = [limit.note("raw COPY", "rows/s"), drain.account]
        return result
    }

    /// The topic that several scenarios read; filled once.
    static func backlog(_ stage: inout Stage) throws -> (topic: String, workload: Workload) {
        if let backlog = stage.backlog { return backlog }
        let bench = stage.bench
        let workload = stage.workload(messages: 4_000_000, mix: .backlog)
        let topic = try fill(bench, "backlog", workload)
        // The first reader pays for the broker's compilers and caches, a fifth to a third: let it be nobody.
        bench.begin("warming the broker")
        try bench.migratedDatabase()
        _ = try Drain.run(bench, topic: topic, group: "warm", messages: workload.sentMessages, lanes: 1)
        try bench.database.drop()
        stage.backlog = (topic, workload)
        return (topic, workload)
    }

    /// Makes a topic of four partitions and fills it.
    static func fill(_ bench: Bench, _ topic: String, _ workload: Workload, paddingBytes: Int = 0) throws -> String {
        bench.begin("filling topic \(topic) with \(workload.sentMessages / 1_000) thousand messages")
        try bench.broker.createTopic(topic, partitions: 4)
        try TopicWriter.fill(topic, workload, broker: bench.broker, paddingBytes: paddingBytes) {
            bench.progress("\($0 / 1_000) thousand")
        }
        return topic
    }

    /// Raw COPY, the service in a new database, raw COPY.
    static func compared(
        _ bench: Bench, _ topic: String, _ workload: Workload, lanes: Int
    ) throws -> (Drain, Limit) {
        try bench.migratedDatabase()
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

    /// The service alone, in a new database.
    static func drained(
        _ bench: Bench, _ topic: String, _ workload: Workload, lanes: Int, settings: [String: String] = [:]
    ) throws -> Drain {
        try bench.migratedDatabase()
        bench.begin("\(workload.sentMessages / 1_000) thousand messages of \(topic), \(lanes) lane(s)")
        let drain = try Drain.run(
            bench, topic: topic, group: "alone-\(lanes)", messages: workload.sentMessages, lanes: lanes,
            settings: settings)
        try bench.database.drop()
        return drain
    }
}
