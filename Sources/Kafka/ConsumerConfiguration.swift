/// The properties a lane's consumer starts from.
public enum ConsumerConfiguration {
    /// What differs from librdkafka's own defaults, and why.
    public static var defaults: [(String, String)] {
        var properties: [(String, String)] = [
            // Offsets come from the database: where none is known the lane decides, never the client.
            ("auto.offset.reset", "error"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("partition.assignment.strategy", "range"),
            // A lane that died is replaced in seconds; the broker allows no less than 6 s.
            ("session.timeout.ms", "6000"),
            ("heartbeat.interval.ms", "500"),
            // A single message is delivered at once, at the price of a fetch every 10 ms on idle partitions.
            ("fetch.wait.max.ms", "10"),
            ("socket.nagle.disable", "true"),
            ("socket.keepalive.enable", "true"),
            ("check.crcs", "true"),
            // Small fetches keep memory small: the queue holds what is decoded within some milliseconds.
            ("fetch.max.bytes", "1048576"),
            ("max.partition.fetch.bytes", "262144"),
            ("queued.max.messages.kbytes", "2048"),
            // A topic that is made later, and added partitions, are seen within this time (default 5 min).
            ("topic.metadata.refresh.interval.ms", "5000"),
            ("reconnect.backoff.max.ms", "2000"),
        ]
        if KafkaLibrary.hasFetchQueueBackoff { properties.append(("fetch.queue.backoff.ms", "1")) }
        return properties
    }

    /// The list for `Consumer.init`: our defaults, the address, then the user's own, which win, also under an alias.
    /// - Parameter overrides: the KAFKA_CONFIG_* settings as librdkafka's names and values.
    public static func properties(
        bootstrapServers: String, clientID: String? = nil, overrides: [(String, String)] = []
    ) -> [(String, String)] {
        var properties = defaults
        properties.append(("bootstrap.servers", bootstrapServers))
        if let clientID { properties.append(("client.id", clientID)) }
        return properties + overrides
    }
}
