internal import Kafka
internal import Service

/// `vitalstream broker`: the embedded broker in a process of its own (docs/embedded-broker.md).
enum BrokerCommand {
    /// Kafka's own default is three; no more copies than that are pretended.
    private static let mostReplicas = 3

    /// Prints the address as the only line on standard output and runs until a stop signal.
    static func run(_ settings: ResolvedSettings) -> Int32 {
        let log = Program.log(settings)
        let brokers = settings.integer("brokers")
        do throws(KafkaError) {
            let cluster = try MockCluster(brokers: brokers) { level, facility, message in
                log.write(
                    level <= 4 ? .warning : .debug, "librdkafka",
                    [.field("facility", facility), .field("text", message)], every: .seconds(30), key: facility)
            }
            for topic in Set([settings.string("VITALS_TOPIC"), settings.string("PATIENT_FLOW_TOPIC")]) {
                try cluster.createTopic(
                    topic, partitions: settings.integer("partitions"), replicas: min(brokers, mostReplicas))
            }
            Console.writeLine(cluster.bootstrapServers)
            _ = StopSignal.wait()
            _ = consume cluster
            return 0
        } catch {
            Console.writeError("vitalstream broker: the embedded broker cannot start: \(error.text)")
            return 1
        }
    }
}
