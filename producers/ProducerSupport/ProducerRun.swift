internal import Kafka
internal import Service
internal import Simulation

/// Carries a plan out against a Kafka cluster, on the thread that calls it.
struct ProducerRun: Sendable {
    let program: String
    let settings: ResolvedSettings
    let plan: RunPlan
    let log: Log
    let stop: StopFlag

    /// Why a run did not even begin.
    enum Failure: Error {
        case kafka(KafkaError)
        case replay(ReplayError)
        case noTopic(String)
        case output(SystemError)

        var message: String {
            switch self {
            case .kafka(let error): "cannot make a producer: \(error); see KAFKA_BOOTSTRAP_SERVERS and KAFKA_CONFIG_*"
            case .replay(let error): error.message
            case .noTopic(let why): why
            case .output(let error): "\(error); see --output"
            }
        }
    }

    /// Longest wait for the broker and the topic before the first message.
    private static let topicPatience: Duration = .seconds(300)

    /// Sends everything, waits for its delivery, and reports.
    func run() throws(Failure) -> RunReport {
        if let path = plan.output {
            var file: FileSink
            do throws(SystemError) { file = try FileSink(path: path) } catch { throw .output(error) }
            return try carry(to: &file)
        }
        var topic = try makeSink()
        return try carry(to: &topic)
    }

    private func carry<Sink: MessageSink & ~Copyable>(to sink: inout Sink) throws(Failure) -> RunReport {
        // A file that cannot be opened is said at once, not after a wait for the broker.
        switch plan.content {
        case .simulation(let configuration):
            var source = SimulatedSource(configuration)
            let result = try send(&source, &sink)
            return report(result, .simulation(source.counts))
        case .replay(let path, let repeats, false):
            var source = try Self.replay { () throws(ReplayError) in
                try StreamedReplay(path: path, repeats: repeats, keyField: plan.keyField)
            }
            let result = try send(&source, &sink)
            return report(result, .replay(source.counts))
        case .replay(let path, let repeats, true):
            var source = try Self.replay { () throws(ReplayError) in
                try ShuffledReplay(path: path, repeats: repeats, seed: plan.seed, keyField: plan.keyField)
            }
            let result = try send(&source, &sink)
            return report(result, .replay(source.counts))
        case .flow(let configuration, let pace):
            var source = FlowSource(configuration, pace: pace)
            let result = try send(&source, &sink)
            return report(result, .flow(source.counts))
        case .flowReplay(let path, let pace):
            var source = try Self.replay { () throws(ReplayError) in
                try PacedReplay(path: path, keyField: plan.keyField, pace: pace)
            }
            let result = try send(&source, &sink)
            return report(result, .replay(source.counts))
        }
    }

    private static func replay<Source: ~Copyable>(
        _ open: () throws(ReplayError) -> Source
    ) throws(Failure) -> Source {
        do throws(ReplayError) { return try open() } catch { throw .replay(error) }
    }

    private func makeSink() throws(Failure) -> KafkaSink {
        var longest = LineReader.lineLimit
        if case .flow = plan.content { longest = FlowConfiguration.messageBytes }
        if case .simulation(let configuration) = plan.content {
            longest =
                configuration.shares.oversize > 0
                ? configuration.oversizeBytes : configuration.largeDataBytes + SimulationConfiguration.oversizeLeast
        }
        let log = log
        do throws(KafkaError) {
            return try KafkaSink(
                bootstrapServers: settings.string("KAFKA_BOOTSTRAP_SERVERS"), topic: topic,
                mostMessageBytes: longest, properties: settings.kafkaProperties
            ) { level, facility, message in
                // librdkafka's levels are syslog's: below 5 something is amiss, but for a fresh broker's first second.
                let isStarting = message.contains("Coordinator load in progress")
                log.write(
                    level < 5 && !isStarting ? .warning : .debug, "librdkafka",
                    [.field("facility", facility), .field("text", message)], every: .seconds(10), key: facility)
            }
        } catch {
            throw .kafka(error)
        }
    }

    private func send<Source: MessageSource & ~Copyable, Sink: MessageSink & ~Copyable>(
        _ source: inout Source, _ sink: inout Sink
    ) throws(Failure) -> RunResult {
        try waitForTopic(&sink)
        let loop = SendLoop(
            limits: plan.limits,
            now: {
                RunTime(
                    monotonicNanoseconds: MonotonicTime.now().nanoseconds,
                    wallClockMilliseconds: WallClock.nowMilliseconds())
            },
            isStopping: { stop.isSet }, progress: progressLine())
        return loop.run(&source, &sink)
    }

    /// Asks until the topic is there: a producer may well be started before its broker.
    private func waitForTopic<Sink: MessageSink & ~Copyable>(_ sink: inout Sink) throws(Failure) {
        let deadline = Deadline.after(Self.topicPatience)
        while !stop.isSet, let cause = sink.missing(within: .seconds(2)) {
            if deadline.hasPassed() { throw .noTopic("the topic cannot be reached: \(cause)") }
            log.info(
                "waiting for the topic", .field("topic", topic), .field("cause", cause),
                every: .seconds(10))
            sink.poll(timeoutMilliseconds: 500)
        }
    }

    /// A line a second: all so far, and the rate since the last line.
    private func progressLine() -> (RunResult) -> Void {
        let log = log
        let last = Locked((sent: 0, nanoseconds: Int64(0)))
        return { present in
            let before = last.withLock { state in
                defer { state = (present.sent, present.nanoseconds) }
                return state
            }
            let seconds = Double(present.nanoseconds - before.nanoseconds) / 1e9
            let rate = seconds > 0 ? Double(present.sent - before.sent) / seconds : 0
            log.info(
                "sending", .field("seconds", Int(present.nanoseconds / 1_000_000_000)), .field("sent", present.sent),
                .field("per_second", Int(rate.rounded())), .field("delivered", present.delivered),
                .field("waiting", present.sent - present.delivered - present.undelivered),
                .field("failed", present.undelivered))
        }
    }

    private var topic: String { settings.string(plan.topicSetting) }

    private func report(_ result: RunResult, _ counts: RunReport.Counts) -> RunReport {
        RunReport(
            program: program, destination: plan.output.map { .file($0) } ?? .topic(topic), seed: plan.seed,
            result: result, counts: counts)
    }
}
