internal import Kafka
internal import Service

/// What `check` asks the brokers.
struct CheckBroker: Sendable {
    let servers: String
    let vitals: String
    private let overrides: [(String, String)]
    private let patientFlow: String
    private let lanes: Int

    /// Limits of the single questions; together below `CheckCommand`'s.
    private static let metadataLimit: Duration = .seconds(6)
    private static let metadataSlice: Duration = .seconds(2)
    private static let topicLimit: Duration = .seconds(4)
    /// Shorter: nothing depends on it, and the embedded broker never answers.
    private static let topicSettingsLimit: Duration = .seconds(2)
    private static let brokersTime = "message.timestamp.type=LogAppendTime"

    init(_ settings: ResolvedSettings) {
        servers = settings.string("KAFKA_BOOTSTRAP_SERVERS")
        overrides = settings.kafkaProperties
        vitals = settings.string("VITALS_TOPIC")
        patientFlow = settings.string("PATIENT_FLOW_TOPIC")
        lanes = settings.integer("LANES")
    }

    /// Whether all brokers that are named are on this machine.
    var isLocal: Bool {
        servers.split(separator: ",").allSatisfy { server in
            ["localhost:", "127.0.0.1:", "[::1]:"].contains { server.hasPrefix($0) }
        }
    }

    /// Asks one thing after the other; blocks up to 15 s.
    func run(_ report: CheckReport) {
        let properties = ConsumerConfiguration.properties(bootstrapServers: servers, overrides: overrides)
        var security = KafkaSecurity()
        do throws(KafkaError) {
            security = try KafkaSecurity(properties: properties)
            checkSecurity(security, report)
            var admin = try Admin(properties: properties)
            guard let cluster = askCluster(&admin, report) else { return report.finish() }
            checkTopic(vitals, &admin, cluster, report)
            checkPatientFlow(cluster, report)
            checkClock(properties, cluster, report)
            // The leaders have been asked by now, so more certificates than the first one's are known.
            checkCertificates(admin.certificates, report)
            // Closing the client may take its time; everything is said.
            report.finish()
        } catch {
            let diagnosis = KafkaDiagnosis.explain(error.text, security)
            report.add(
                .failure, "broker", diagnosis?.cause ?? "the Kafka client refuses its settings: \(error.text)",
                remedy: diagnosis?.remedy ?? "correct KAFKA_CONFIG_*")
        }
    }

    /// Asks for the cluster, again and again while the cause of the failure may pass. A certificate that is not
    /// accepted, or a refused login, does not.
    private func askCluster(_ admin: inout Admin, _ report: CheckReport) -> ClusterMetadata? {
        let deadline = Deadline.after(Self.metadataLimit)
        while true {
            do throws(KafkaError) {
                let cluster = try admin.metadata(within: min(Self.metadataSlice, deadline.remaining()))
                let addresses = cluster.brokers.map(\.address)
                let more = addresses.count > 3 ? " ..." : ""
                report.add(
                    .fine, "broker",
                    "answers; \(addresses.count) in the cluster: \(addresses.prefix(3).joined(separator: ", "))\(more)")
                return cluster
            } catch {
                let failure = admin.lastFailure
                let isCertain = failure.map { !$0.isVague && ($0.kind == .certificate || $0.kind == .authentication) }
                if isCertain != true, deadline.remaining() > .milliseconds(100) { continue }
                report.add(
                    .failure, "broker",
                    failure?.cause
                        ?? "\(servers) does not answer within \(Self.metadataLimit.wholeMilliseconds / 1_000) s "
                        + "(\(error.text))",
                    remedy: failure?.remedy
                        ?? "see whether it is a Kafka broker, is overloaded, or a firewall drops the packets")
                return nil
            }
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
            switch try admin.topicSettings(name, within: Self.topicSettingsLimit)["message.timestamp.type"] {
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
}
