internal import API
internal import Postgres
internal import Service

/// What it took the service to read a topic to its end.
struct Drain {
    /// From the first commit seen to the last.
    var seconds = 0.0
    /// From the start of the program to the first commit seen.
    var startSeconds = 0.0
    var messages = 0.0
    var inserted = 0.0
    var serviceSeconds = 0.0
    var databaseSeconds = 0.0
    var brokerSeconds = 0.0
    var othersSeconds = 0.0
    var residentMebibytes = 0.0
    var batches = 0.0

    var messagesPerSecond: Double { messages / seconds }
    var rowsPerSecond: Double { inserted / seconds }

    /// Where the processor time went, in seconds a million messages.
    var account: String {
        func each(_ spent: Double) -> String { (spent / messages * 1e6).formatted(2) }
        return "CPU s per million messages: service \(each(serviceSeconds)), PostgreSQL \(each(databaseSeconds)), "
            + "broker \(each(brokerSeconds)), everything else \(each(othersSeconds)); "
            + "\((messages / max(1, batches)).formatted(0)) messages a transaction"
    }

    /// Starts a service on a topic and waits until its ledger says that all is in.
    static func run(
        _ bench: Bench, topic: String, group: String, messages: Int, lanes: Int, settings: [String: String] = [:],
        within limit: Duration = .seconds(300)
    ) throws -> Drain {
        var connection = try bench.database.connect("bench-ledger")
        try connection.execute("CHECKPOINT")
        let service = try bench.serve(topic: topic, group: group, lanes: lanes, settings: settings)
        defer { service.stop() }
        let began = MonotonicTime.now()
        let deadline = Deadline.after(limit)
        var first: Sample?
        while true {
            let sample = try Sample(&connection, group, topic, bench, service)
            if first == nil, sample.consumed > 0 { first = sample }
            if sample.consumed >= messages, let first {
                var drain = first.difference(to: sample)
                drain.startSeconds = (first.at - began).inSeconds
                drain.batches = Double(try bench.health().totals.batches)
                drain.residentMebibytes = ProcessFigures.mebibytes("VmHWM", of: service.process.pid)
                return drain
            }
            try service.expectRunning()
            if deadline.hasPassed() {
                throw BenchError("after \(limit) only \(sample.consumed) of \(messages) messages were stored")
            }
            bench.progress("\(sample.consumed / 1_000) of \(messages / 1_000) thousand messages")
            try Bench.pause(.milliseconds(10))
        }
    }
}

/// The books at an instant.
private struct Sample {
    let at: MonotonicTime
    let consumed: Int
    let inserted: Int
    let service: Double
    let database: Double
    let broker: Double
    let machine: Double

    init(
        _ connection: inout Connection, _ group: String, _ topic: String, _ bench: Bench, _ service: BenchService
    ) throws {
        let found = try connection.query(
            """
            SELECT coalesce(sum(consumed), 0), coalesce(sum(inserted), 0) FROM ops.partition_progress
            WHERE consumer_group = $1 AND topic = $2
            """, [group, topic])
        at = .now()
        consumed = Int(found.int64(0, 0))
        inserted = Int(found.int64(0, 1))
        self.service = ProcessFigures.processorSeconds(of: service.process.pid)
        broker = bench.broker.processorSeconds(of: topic)
        database = bench.database.server.pid.map { ProcessFigures.processorSecondsOfTree($0) } ?? 0
        machine = ProcessFigures.machineBusySeconds()
    }

    func difference(to later: Sample) -> Drain {
        var drain = Drain()
        drain.seconds = max(0.001, (later.at - at).inSeconds)
        drain.messages = Double(later.consumed - consumed)
        drain.inserted = Double(later.inserted - inserted)
        drain.serviceSeconds = later.service - service
        drain.databaseSeconds = later.database - database
        drain.brokerSeconds = later.broker - broker
        drain.othersSeconds =
            later.machine - machine - drain.serviceSeconds - drain.databaseSeconds - drain.brokerSeconds
        return drain
    }
}
