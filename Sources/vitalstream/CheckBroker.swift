internal import Kafka
internal import Service

/// What `check` asks the brokers.
struct CheckBroker: Sendable {
    private let servers: String
    private let overrides: [(String, String)]
    private let vitals: String
    private let patientFlow: String
    private let lanes: Int

    /// Limits of the single questions; together below `CheckCommand`'s.
    private static let metadataLimit: Duration = .seconds(6)
    private static let topicLimit: Duration = .seconds(4)
    private static let brokersTime = "message.timestamp.type=LogAppendTime"

    init(_ settings: ResolvedSettings) {
        servers = settings.string("KAFKA_BOOTSTRAP_SERVERS")
        overrides = settings.kafkaProperties
        vitals = settings.string("VITALS_TOPIC")
        patientFlow = settings.string("PATIENT_FLOW_TOPIC")
        lanes = settings.integer("LANES")
    }

    /// Asks one thing after the other; blocks up to 14 s.
    func run(_ report: CheckReport) {
        checkLibrary(report)
        let lastLine = Locked<String?>(nil)
        do throws(KafkaError) {
            var admin = try Admin(
                properties: ConsumerConfiguration.properties(bootstrapServers: servers, overrides: overrides)
            ) { level, facility, message in
                // The call itself says only that nobody answered; why stands in the log, also in lines that
                // librdkafka holds to be harmless, such as a plain client's at a port for TLS.
                let isCause = facility == "FAIL" || (level <= 4 && !message.contains("brokers are down"))
                if isCause { lastLine.withLock { $0 = message } }
            }
            guard let cluster = askCluster(&admin, lastLine, report) else { return report.finish() }
            checkTopic(vitals, &admin, cluster, report)
            checkPatientFlow(cluster, report)
            // Closing the client may take its time; everything is said.
            report.finish()
        } catch {
            report.add(
                .failure, "broker", "the Kafka client refuses its settings: \(error.text)",
                remedy: "correct KAFKA_CONFIG_*")
        }
    }

    private func checkLibrary(_ report: CheckReport) {
        let usesSCRAM = overrides.contains { name, value in
            (name == "sasl.mechanism" || name == "sasl.mechanisms") && value.uppercased().hasPrefix("SCRAM")
        }
        if usesSCRAM, !KafkaLibrary.hasWorkingSCRAM {
            report.add(
                .warning, "librdkafka",
                "\(KafkaLibrary.version): its SCRAM login fails on Kafka 4 (\"invalid credentials\")",
                remedy: "use librdkafka 2.6.1 or later, or PLAIN over TLS")
        } else {
            report.add(.fine, "librdkafka", KafkaLibrary.version)
        }
    }

    private func askCluster(
        _ admin: inout Admin, _ lastLine: Locked<String?>, _ report: CheckReport
    ) -> ClusterMetadata? {
        do throws(KafkaError) {
            let cluster = try admin.metadata(within: Self.metadataLimit)
            let addresses = cluster.brokers.map(\.address)
            let more = addresses.count > 3 ? " ..." : ""
            report.add(
                .fine, "broker",
                "answers; \(addresses.count) in the cluster: \(addresses.prefix(3).joined(separator: ", "))\(more)")
            return cluster
        } catch {
            let cause = lastLine.withLock { $0 }.map(Self.shortened) ?? error.text
            report.add(.failure, "broker", "\(servers) does not answer: \(cause)", remedy: Self.remedy(cause))
            return nil
        }
    }

    private func checkTopic(
        _ name: String, _ admin: inout Admin, _ cluster: ClusterMetadata, _ report: CheckReport
    ) {
        do throws(KafkaError) {
            var found = cluster.topics.first { $0.name == name }
            // A topic that we may not see is not listed; asked for by name, the broker says so.
            if found == nil { found = try admin.topic(name, within: Self.topicLimit) }
            if let error = found?.error { throw error }
            let partitions = found?.partitions ?? []
            let leaderless = partitions.count { $0.leader < 0 }
            if leaderless > 0 {
                report.add(
                    .failure, "topic", "\(name): \(leaderless) of \(partitions.count) partitions have no leader",
                    remedy: "start the brokers that hold them")
            } else if partitions.count < lanes {
                report.add(
                    .info, "topic", "\(name): \(partitions.count) partitions for \(lanes) lanes; the others stand by")
            } else {
                report.add(.fine, "topic", "\(name): \(partitions.count) partitions")
            }
            checkTimestamps(of: name, &admin, report)
        } catch {
            let isUnknown = error.name.contains("UNKNOWN")
            let creation = "kafka-topics.sh --create --topic \(name) --partitions 4 --config \(Self.brokersTime)"
            report.add(
                .failure, "topic", isUnknown ? "\(name) does not exist" : "\(name): \(error.text)",
                remedy: isUnknown ? creation : "give this user the right to describe and read it")
        }
    }

    private func checkTimestamps(of name: String, _ admin: inout Admin, _ report: CheckReport) {
        do throws(KafkaError) {
            switch try admin.topicSettings(name, within: Self.topicLimit)["message.timestamp.type"] {
            case "LogAppendTime":
                report.add(.fine, "topic", "\(name): messages carry the broker's time")
            case let other?:
                report.add(
                    .warning, "topic",
                    "\(name): messages carry their producer's time (\(other)), so nothing tells a clock that is ahead",
                    remedy: "kafka-configs.sh --alter --topic \(name) --add-config \(Self.brokersTime)")
            case nil:
                report.add(.info, "topic", "\(name): the broker does not say whose time messages carry")
            }
        } catch {
            // Not everyone may describe settings, and the embedded broker cannot.
            report.add(.info, "topic", "\(name): whose time messages carry cannot be asked (\(error.text))")
        }
    }

    private func checkPatientFlow(_ cluster: ClusterMetadata, _ report: CheckReport) {
        let found = cluster.topics.first { $0.name == patientFlow }
        report.add(
            .info, "topic",
            found.map { "\(patientFlow): \($0.partitions.count) partitions" }
                ?? "\(patientFlow) is absent: vital signs do not need it")
    }

    /// Without thread, broker and state:
    /// `[thrd:b/bootstrap]: b/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: Connection refused (after 0ms in ...)`
    private static func shortened(_ line: String) -> String {
        var text = line[...]
        for _ in 0..<2 {
            guard let head = text.firstRange(of: ": "), !text[..<head.lowerBound].contains(" ") else { break }
            text = text[head.upperBound...]
        }
        return String(text[..<(text.firstRange(of: " (after ")?.lowerBound ?? text.endIndex)])
    }

    private static func remedy(_ cause: String) -> String {
        if cause.contains("SASL") { return "correct KAFKA_CONFIG_SASL_* and KAFKA_CONFIG_SECURITY_PROTOCOL" }
        if cause.contains("SSL") { return "correct KAFKA_CONFIG_SSL_* and KAFKA_CONFIG_SECURITY_PROTOCOL" }
        return "start it, or correct KAFKA_BOOTSTRAP_SERVERS"
    }
}
