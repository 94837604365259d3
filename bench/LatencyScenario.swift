internal import API
internal import Kafka
internal import Postgres
internal import Service

/// Steady load, and how long a reading takes from its producer to being visible to another connection.
///
/// Every twentieth of a second one more message, a probe, is stamped and sent without lingering; until its row is seen
/// the table is asked for it again and again, a millisecond apart. What is measured is too long by that
/// pause and one answer of the database at most, the same for the service and for the floor.
enum LatencyScenario {
    /// 50th and 99th percentile in milliseconds.
    struct Latency {
        let p50: Double
        let p99: Double
        let probes: Int64
    }

    private static let probePatient = 5_000_000
    private static let gap = Duration.milliseconds(50)
    private static let floorTable =
        "CREATE TABLE floor_probe (patient_id uuid, recorded_at timestamptz, PRIMARY KEY (patient_id, recorded_at))"

    /// - Parameter bounds: must and goal of p50 and p99, as ratios to the floor.
    static func run(
        _ stage: inout Stage, rate: Int, bounds: (p50: (Double, Double), p99: (Double, Double))
    ) throws -> ScenarioResult {
        let bench = stage.bench
        let name = "latency-\(rate)"
        var result = ScenarioResult(name: name)
        try bench.broker.createTopic(name, partitions: 4, isBacklog: false)
        try bench.migratedDatabase()
        var connection = try bench.database.connect("bench")
        try connection.execute(floorTable)
        let load = try SteadyLoad(topic: name, address: bench.broker.address(of: name), rate: rate)
        defer { load.stop() }
        bench.begin("\(rate) messages/s: the floor")
        let seconds = stage.isQuick ? 6 : 20
        let before = try floor(bench, topic: name, seconds: seconds)
        bench.begin("\(rate) messages/s: the service")
        let service = try bench.serve(topic: name, group: "service", lanes: 2)
        defer { service.stop() }
        try awaitCaughtUp(bench, service)
        let busy = ProcessFigures.processorSeconds(of: service.process.pid)
        let measured = try probe(
            bench, topic: name, table: "silver.vital_reading", seconds: stage.isQuick ? 10 : 60)
        let spent = ProcessFigures.processorSeconds(of: service.process.pid) - busy
        service.stop()
        bench.begin("\(rate) messages/s: the floor again")
        let after = try floor(bench, topic: name, seconds: seconds)
        load.stop()
        try bench.database.drop()
        try bench.broker.deleteTopic(name)
        let p50 = Limit(before: before.p50, after: after.p50)
        let p99 = Limit(before: before.p99, after: after.p99)
        result.figures = [
            Figure(
                name: "p50 ÷ floor", unit: "", value: measured.p50 / p50.mean, direction: .lower, must: bounds.p50.0,
                goal: bounds.p50.1),
            Figure(
                name: "p99 ÷ floor", unit: "", value: measured.p99 / p99.mean, direction: .lower, must: bounds.p99.0,
                goal: bounds.p99.1),
            Figure(name: "p50", unit: "ms", value: measured.p50, direction: .lower),
            Figure(name: "p99", unit: "ms", value: measured.p99, direction: .lower),
        ]
        let seen = Double(load.sent) / load.seconds
        result.notes = [
            "floor p50: \(p50.before.formatted(2)) ms before, \(p50.after.formatted(2)) after; "
                + "p99: \(p99.before.formatted(2)), \(p99.after.formatted(2))",
            "\(measured.probes) probes; really \(seen.grouped) messages/s; "
                + "the service took \((spent / Double(stage.isQuick ? 10 : 60) * 100).formatted(0)) % of a core",
        ]
        return result
    }

    /// The same probes with the Python consumer.
    private static func floor(_ bench: Bench, topic: String, seconds: Int) throws -> Latency {
        let script = try FileSystem.resolved("bench/floor.py").orThrow("bench/floor.py: run from the repository")
        let (high, low) = Workload.identifier(ofPatient: probePatient)
        let key = UUIDBytes(high: high, low: low).text
        var command = ChildCommand(
            script,
            [
                try bench.broker.address(of: topic), topic, "floor-\(MonotonicTime.now().nanoseconds)",
                bench.database.url, key,
            ])
        command.environment = ["PATH": "/usr/bin:/bin"]
        command.output = .pipe
        command.error = .file(bench.directory + "/floor.log", appending: true)
        command.diesWithParent = true
        let child = try ChildProcess(command)
        defer { child.stop(within: .seconds(5)) }
        guard child.waitForLine(containing: "ready", within: .seconds(30)) != nil else {
            let said = try FileSystem.readText(bench.directory + "/floor.log")
            throw BenchError(
                "floor.py did not start (apt-get install python3-confluent-kafka python3-psycopg): "
                    + (said.split(separator: "\n").last.map(String.init) ?? "it says nothing"))
        }
        return try probe(bench, topic: topic, table: "floor_probe", seconds: seconds)
    }

    /// Waits until the service reads as fast as is written.
    private static func awaitCaughtUp(_ bench: Bench, _ service: BenchService) throws {
        let deadline = Deadline.after(.seconds(60))
        while !deadline.hasPassed() {
            try service.expectRunning()
            // Not yet listening: the next look will tell.
            if let health = try? bench.health(), health.totals.consumed > 0,
                health.lanes.flatMap(\.partitions).allSatisfy({ ($0.lag ?? .max) < 2_000 })
            {
                return
            }
            try Bench.pause(.milliseconds(100))
        }
        throw BenchError("the service did not catch up with the load within 60 s")
    }

    private static func probe(_ bench: Bench, topic: String, table: String, seconds: Int) throws -> Latency {
        var connection = try bench.database.connect("probe")
        var producer = try Producer(properties: [
            ("bootstrap.servers", bench.broker.address(of: topic)), ("linger.ms", "0"),
        ])
        var pauses = PollSet(capacity: 1)
        var text = ReadingText()
        var histogram = Percentiles(highest: 1 << 36)
        let sql = "SELECT FROM \(table) WHERE patient_id = $1::uuid AND recorded_at = to_timestamp($2::bigint / 1000.0)"
        let (high, low) = Workload.identifier(ofPatient: probePatient)
        let patient = UUIDBytes(high: high, low: low).text
        var end = Deadline.after(.seconds(60))
        // The first ones pay for connections and plans, and a consumer that begins at the log's end may miss some.
        var unmeasured = 10
        var last: Int64 = 0
        while !end.hasPassed() {
            var reading = Workload(messages: 1, patients: 1, start: 0).newReading(0)
            reading.patient = probePatient
            reading.time = max(last + 1, WallClock.nowMilliseconds())
            last = reading.time
            text.write(reading)
            let sent = MonotonicTime.now()
            try TopicWriter.send(topic, text, &producer)
            let limit = Deadline.after(.seconds(unmeasured > 0 ? 2 : 20))
            while try connection.query(sql, [patient, "\(reading.time)"]).rowCount == 0 {
                if limit.hasPassed(), unmeasured > 0 { break }
                if limit.hasPassed() { throw BenchError("a probe did not become visible within 20 s") }
                producer.poll(timeoutMilliseconds: 0)
                _ = pauses.wait(timeoutMilliseconds: 1)
            }
            let passed = MonotonicTime.now() - sent
            if unmeasured > 0 {
                unmeasured -= 1
                if unmeasured == 0 { end = .after(.seconds(seconds)) }
                continue
            }
            histogram.record(passed.wholeNanoseconds / 1_000)
            bench.progress("\(histogram.count) probes")
            if passed < gap { try Bench.pause(gap - passed) }
        }
        guard histogram.count > 0 else { throw BenchError("no probe became visible") }
        return Latency(
            p50: Double(histogram.value(at: 0.5)) / 1_000, p99: Double(histogram.value(at: 0.99)) / 1_000,
            probes: histogram.count)
    }
}

extension Optional {
    /// The value, or why there is none.
    func orThrow(_ reason: String) throws(BenchError) -> Wrapped {
        guard let self else { throw BenchError(reason) }
        return self
    }
}

/// Sends new readings at a steady rate from a thread of its own, every millisecond as many as are due.
final class SteadyLoad: Sendable {
    private struct State {
        var isOver = false
        var sent = 0
        var failure: String?
    }

    private let state = Locked(State())
    private let began = MonotonicTime.now()
    private let ended = Locked<MonotonicTime?>(nil)
    private let thread = Locked<ServiceThread?>(nil)

    init(topic: String, address: String, rate: Int) throws {
        let state = state
        let started = try ServiceThread(name: "load") {
            do {
                try Self.send(topic, address, rate, state)
            } catch {
                state.withLock { $0.failure = "\(error)" }
            }
        }
        thread.withLock { $0 = started }
    }

    var sent: Int { state.withLock { $0.sent } }
    /// How long it has been sending.
    var seconds: Double { ((ended.withLock { $0 } ?? .now()) - began).inSeconds }

    func stop() {
        state.withLock { $0.isOver = true }
        state.signal()
        _ = thread.withLock { $0 }?.join(within: .seconds(10))
        ended.withLock { if $0 == nil { $0 = .now() } }
    }

    private static func send(_ topic: String, _ address: String, _ rate: Int, _ state: Locked<State>) throws {
        var producer = try Producer(properties: [("bootstrap.servers", address)])
        let workload = Workload(
            messages: .max, patients: BacklogScenario.patients, start: WallClock.nowMilliseconds() - 7_200_000)
        var text = ReadingText()
        let began = MonotonicTime.now()
        var sent = 0
        // Woken when it is over; a millisecond otherwise.
        while state.wait(until: .after(.milliseconds(1)), while: { !$0.isOver }) == false {
            let due = Int((MonotonicTime.now() - began).inSeconds * Double(rate))
            while sent < due {
                text.write(workload.reading(at: sent))
                try TopicWriter.send(topic, text, &producer)
                sent += 1
            }
            producer.poll(timeoutMilliseconds: 0)
            let now = sent
            state.withLock { $0.sent = now }
        }
        _ = producer.flush(within: .seconds(5))
    }
}
