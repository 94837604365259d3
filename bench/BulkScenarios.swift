internal import Kafka
internal import Postgres
internal import Service

/// Big payloads, many patients, a crash.
enum BulkScenarios {
    /// Messages with `large_data` against a bare consumer of the same topic that only counts bytes.
    static func largeData(_ stage: inout Stage, kilobytes: Int) throws -> ScenarioResult {
        let bench = stage.bench
        let total = bench.broker.kind == .kafka ? (stage.isQuick ? 192 << 20 : 512 << 20) : 48 << 20
        let workload = Workload(
            messages: total / (kilobytes * 1_000), patients: BacklogScenario.patients,
            start: WallClock.nowMilliseconds() - 7_200_000)
        let name = "large-\(kilobytes)"
        let topic = try BacklogScenario.fill(bench, name, workload, paddingBytes: kilobytes * 1_000)
        bench.begin("\(kilobytes) kB: a consumer that only counts")
        let (before, bytes) = try count(bench, topic, messages: workload.messages)
        let drain = try BacklogScenario.drained(bench, topic, workload, lanes: 1)
        bench.begin("\(kilobytes) kB: a consumer that only counts, again")
        let (after, _) = try count(bench, topic, messages: workload.messages)
        try bench.broker.deleteTopic(topic)
        let limit = Limit(before: before, after: after)
        let rate = drain.messagesPerSecond * Double(bytes) / Double(workload.messages) / 1e6
        var result = ScenarioResult(name: name)
        result.figures = [
            Figure(name: "MB/s ÷ bare consumer", unit: "", value: rate / limit.mean, must: 0.5, goal: 0.8),
            Figure(name: "MB/s", unit: "MB/s", value: rate),
        ]
        result.notes = [limit.note("bare consumer", "MB/s"), drain.account]
        return result
    }

    /// MB a second of a consumer with librdkafka's own defaults, and the bytes of all payloads.
    private static func count(_ bench: Bench, _ topic: String, messages: Int) throws -> (rate: Double, bytes: Int) {
        var consumer = try Consumer(
            properties: [
                ("bootstrap.servers", bench.broker.address(of: topic)), ("enable.auto.commit", "false"),
                ("partition.assignment.strategy", "range"), ("session.timeout.ms", "6000"),
            ], groupID: "bare-\(MonotonicTime.now().nanoseconds)")
        try consumer.subscribe([topic])
        var slice = MessageSlice()
        var poll = PollSet(capacity: 1)
        poll.set(0, consumer.eventDescriptor, read: true)
        var seen = 0
        var bytes = 0
        var began = MonotonicTime.now()
        let deadline = Deadline.after(.seconds(120))
        while seen < messages {
            consumer.acknowledgeEvent()
            let outcome = consumer.poll(into: &slice)
            if seen == 0, slice.count > 0 { began = .now() }
            for index in 0..<slice.count { bytes += slice[index].payloadLength }
            seen += slice.count
            slice.release()
            while let event = consumer.takeEvent() {
                guard case .assigned(let partitions) = event else { continue }
                try consumer.assign(partitions.map { TopicPartitionOffset($0, offset: 0) })
            }
            if outcome == .drained, seen < messages { _ = poll.wait(timeoutMilliseconds: 20) }
            if deadline.hasPassed() { throw BenchError("the bare consumer saw \(seen) of \(messages) messages") }
            try Bench.pause(.zero)
        }
        let seconds = (MonotonicTime.now() - began).inSeconds
        _ = consumer.close(within: .seconds(10))
        return (Double(bytes) / 1e6 / seconds, bytes)
    }

    /// Resident memory with few and with many patients, two lanes.
    static func memory(_ stage: inout Stage) throws -> ScenarioResult {
        let bench = stage.bench
        var result = ScenarioResult(name: "memory")
        var resident: [Int: Double] = [:]
        let cases: [(patients: Int, messages: Int, must: Double, goal: Double)] = [
            (10_000, 600_000, 64, 48), (100_000, 600_000, 96, 64), (1_000_000, 2_000_000, 200, 128),
        ]
        for (patients, messages, must, goal) in cases where !stage.isQuick || patients < 1_000_000 {
            let workload = Workload(
                messages: min(messages, bench.broker.backlogLimit), patients: patients,
                start: WallClock.nowMilliseconds() - 7_200_000)
            let topic = try BacklogScenario.fill(bench, "patients-\(patients)", workload)
            let drain = try BacklogScenario.drained(bench, topic, workload, lanes: 2)
            try bench.broker.deleteTopic(topic)
            resident[patients] = drain.residentMebibytes
            result.figures.append(
                Figure(
                    name: "resident, \(patients / 1_000) thousand patients", unit: "MiB",
                    value: drain.residentMebibytes, direction: .lower, must: must, goal: goal))
        }
        if let few = resident[10_000], let many = resident[1_000_000] {
            result.figures.append(
                Figure(
                    name: "bytes per patient", unit: "B", value: (many - few) * 1_048_576 / 990_000,
                    direction: .lower, must: 80, goal: 80))
        }
        result.notes = ["peak (VmHWM) of the process; PATIENT_CACHE_ENTRIES bounds the patients remembered"]
        return result
    }

    /// From the start of a new process after SIGKILL to its first commit, when the group has forgotten the old one.
    static func restart(_ stage: inout Stage) throws -> ScenarioResult {
        let bench = stage.bench
        let (topic, workload) = try BacklogScenario.backlog(&stage)
        try bench.migratedDatabase()
        var connection = try bench.database.connect("bench-ledger")
        func consumed() throws -> Int64 {
            try connection.query("SELECT coalesce(sum(consumed), 0)::bigint FROM ops.partition_progress").int64(0, 0)
        }
        var seconds: [Double] = []
        for round in 0..<(stage.isQuick ? 2 : 5) {
            bench.begin("restart \(round + 1)")
            let before = try consumed()
            let began = MonotonicTime.now()
            // Batches of a twentieth, so that the backlog lasts for all rounds.
            let service = try bench.serve(
                topic: topic, group: "restart", lanes: 2,
                settings: ["BATCH_MAX_ROWS": "\(max(512, workload.sentMessages / 200 / 512 * 512))"])
            let deadline = Deadline.after(.seconds(60))
            while try consumed() == before {
                try service.expectRunning()
                if deadline.hasPassed() { throw BenchError("no commit within 60 s of a restart") }
                try Bench.pause(.milliseconds(5))
            }
            if round > 0 { seconds.append((MonotonicTime.now() - began).inSeconds) }
            service.kill()
            // The session time-out of the service's consumers is 6 s.
            try Bench.pause(.milliseconds(6_500))
        }
        try bench.database.drop()
        seconds.sort()
        var result = ScenarioResult(name: "restart")
        result.figures = [
            Figure(
                name: "start to first commit", unit: "s", value: seconds[seconds.count / 2], direction: .lower,
                must: 2, goal: 0.5)
        ]
        result.notes = ["each: " + seconds.map { $0.formatted(2) }.joined(separator: ", ")]
        return result
    }
}
