internal import API
internal import HTTP
internal import Ingest
internal import Kafka
internal import Service

/// `vitalstream serve`: lanes, housekeeping and health until a stop signal.
enum ServeCommand {
    static func run(_ settings: ResolvedSettings) -> Int32 {
        let log = Program.log(settings)
        let runtime: ServiceRuntime
        do {
            runtime = try ServiceRuntime(settings, log: log)
        } catch {
            Console.writeError("vitalstream: \(error)")
            return 1
        }
        log.info(
            "serving", .field("version", ProductSettings.version), .field("lanes", settings.integer("LANES")),
            .field("group", settings.string("KAFKA_GROUP_ID")), .field("topic", settings.string("VITALS_TOPIC")),
            .field("patient_flow_topic", settings.string("PATIENT_FLOW_TOPIC")),
            .field("http_port", runtime.httpPort), .field("librdkafka", KafkaLibrary.version))
        let signal = StopSignal.wait()
        log.info("stopping", .field("signal", signal.map { "\($0)" } ?? "none"))
        let isClean = runtime.stop()
        let totals = runtime.health().totals
        log.info(
            "stopped", .field("consumed", totals.consumed), .field("unknown_fields", totals.unknownFields),
            .field("foreign_keys", totals.keyMismatches), .field("repeats", totals.repeats))
        log.flush()
        return isClean ? 0 : 1
    }
}

/// The running service: everything that is started and stopped together, in one order and in its reverse.
final class ServiceRuntime: Sendable {
    private let flag = StopFlag()
    private let lanes: [LaneThread]
    private let housekeeping: Housekeeping
    private let server: Server
    private let log: Log
    /// Whether no Kafka client can be made of the settings, which ends the service.
    private let hasRefusedSettings = Locked(false)

    /// Lanes, then housekeeping, then the HTTP server, which shows what the others do.
    init(_ settings: ResolvedSettings, log: Log) throws {
        self.log = log
        guard Set(Self.topics(settings)).count == 2 else {
            throw CommandFailure(
                "VITALS_TOPIC and PATIENT_FLOW_TOPIC are both \(settings.string("VITALS_TOPIC")): give each its own")
        }
        let count = settings.integer("LANES")
        let flag = self.flag
        lanes = (0..<count).map { LaneThread(lane: $0) }
        let shown = lanes
        server = try Server(
            host: settings.string("HTTP_HOST"), port: UInt16(settings.integer("HTTP_PORT")),
            routes: HealthRoutes.routes(
                staleMilliseconds: Int64(settings.integer("STALE_LOOP_SECONDS")) * 1_000,
                snapshot: { Self.health(of: shown) }))
        housekeeping = try Housekeeping(settings, stop: flag, log: log)
        let properties = ConsumerConfiguration.properties(
            bootstrapServers: settings.string("KAFKA_BOOTSTRAP_SERVERS"), overrides: settings.kafkaProperties)
        let group = settings.string("KAFKA_GROUP_ID")
        let database = settings.string("DATABASE_URL")
        let refused = hasRefusedSettings
        for lane in 0..<count {
            let configuration = Self.configuration(settings, lane: lane, of: count)
            try lanes[lane].start(
                configuration: configuration, stop: flag, log: log,
                makeSource: { () throws(KafkaError) in
                    do throws(KafkaError) {
                        return try KafkaSource(
                            properties: properties, groupID: group, topics: configuration.topics,
                            logHook: { level, facility, message in Self.note(level, facility, message, log) })
                    } catch {
                        refused.withLock { $0 = true }
                        throw Self.explained(error, properties)
                    }
                },
                makeStore: {
                    PostgresStore(
                        databaseURL: database, applicationName: "vitalstream lane \(lane)", consumerGroup: group,
                        requiredMigration: ProductSchema.newest)
                })
        }
    }

    /// The port on which health is served.
    var httpPort: UInt16 { server.port }

    /// Stops in the reverse order; each step has its deadline, together below 10 s.
    /// - Returns: whether everything ended by itself.
    func stop() -> Bool {
        flag.set()
        var isClean = !hasRefusedSettings.withLock { $0 }
        let deadline = Deadline.after(.seconds(9))
        for lane in lanes where !lane.join(within: deadline.remaining()) || lane.hasFailed { isClean = false }
        // It may stand in a connection attempt; it holds nothing that has to be finished.
        _ = housekeeping.join(within: .milliseconds(300))
        if !server.stop(within: .milliseconds(300)) { isClean = false }
        return isClean
    }

    /// What all lanes show of themselves.
    func health() -> ServiceHealth { Self.health(of: lanes) }

    /// The topics of a consumer, in the order in which lanes count them.
    private static func topics(_ settings: ResolvedSettings) -> [String] {
        [settings.string("VITALS_TOPIC"), settings.string("PATIENT_FLOW_TOPIC")]
    }

    private static func configuration(_ settings: ResolvedSettings, lane: Int, of count: Int) -> LaneConfiguration {
        var configuration = LaneConfiguration(lane: lane, topics: topics(settings))
        configuration.flowTopic = settings.string("PATIENT_FLOW_TOPIC")
        configuration.windowMinutes = settings.integers("WINDOW_MINUTES")
        configuration.allowedLatenessMilliseconds = Int64(settings.integer("ALLOWED_LATENESS_SECONDS")) * 1_000
        configuration.flowIdle = .seconds(settings.integer("FLOW_IDLE_SECONDS"))
        configuration.batchMaxRows = settings.integer("BATCH_MAX_ROWS")
        configuration.batchMaxBytes = settings.integer("BATCH_MAX_BYTES")
        configuration.patientCapacity = max(1, settings.integer("PATIENT_CACHE_ENTRIES") / count)
        configuration.maxMessageBytes = settings.integer("MAX_MESSAGE_BYTES")
        configuration.maxFutureMilliseconds =
            settings.optionalInteger("VALIDATION_MAX_FUTURE_SECONDS").map { Int64($0) * 1_000 }
        return configuration
    }

    /// The same error, in words for operators where they are known.
    private static func explained(_ error: KafkaError, _ properties: [(String, String)]) -> KafkaError {
        var security = KafkaSecurity()
        do throws(KafkaError) { security = try KafkaSecurity(properties: properties) } catch { return error }
        guard let diagnosis = KafkaDiagnosis.explain(error.text, security) else { return error }
        return KafkaError(code: error.code, detail: "\(diagnosis)", isFatal: error.isFatal)
    }

    /// librdkafka's own lines, at our levels; syslog's numbers, 3 and below are errors.
    private static func note(_ level: Int32, _ facility: String, _ message: String, _ log: Log) {
        let fields: [LogField] = [.field("facility", facility), .field("text", message)]
        let mapped: LogLevel = level <= 4 ? .warning : level <= 6 ? .info : .debug
        log.write(mapped, "librdkafka", fields, every: .seconds(30), key: facility)
    }

    private static func health(of lanes: [LaneThread]) -> ServiceHealth {
        let now = MonotonicTime.now()
        return ServiceHealth(
            lanes: lanes.map { thread in
                let status = thread.status.withLock { $0 }
                return LaneHealth(
                    name: "lane-\(status.lane)",
                    lastTurnAgeMilliseconds: max(0, (now - thread.lastTurnAt).wholeMilliseconds),
                    membership: status.hasJoined ? .joined : .joining,
                    database: status.isDatabaseConnected
                        ? .writable : .unavailable(reason: status.databaseReason),
                    partitions: status.partitions.map(partition),
                    commitLatency: status.counters.batches == 0
                        ? nil
                        : CommitLatency(
                            p50Milliseconds: status.commitMilliseconds.p50,
                            p99Milliseconds: status.commitMilliseconds.p99),
                    counters: counters(status.counters))
            })
    }

    private static func partition(_ shown: LaneStatus.Partition) -> PartitionHealth {
        let state: PartitionHealth.State =
            switch shown.state {
            case .running: .running
            case .stopped: .stopped(reason: shown.reason)
            case .waiting: .waiting(reason: shown.reason)
            }
        return PartitionHealth(
            topic: shown.partition.topic, partition: shown.partition.partition, lag: shown.lag, state: state)
    }

    private static func counters(_ lane: Ingest.LaneCounters) -> API.LaneCounters {
        var counters = API.LaneCounters()
        counters.consumed = lane.consumed
        counters.inserted = lane.inserted
        counters.merged = lane.merged
        counters.corrected = lane.corrected
        counters.duplicate = lane.duplicate
        counters.stale = lane.stale
        counters.rejected = lane.rejected
        counters.batches = lane.batches
        counters.unknownFields = lane.unknownFields
        counters.keyMismatches = lane.keyMismatches
        counters.repeats = lane.repeats
        return counters
    }
}
