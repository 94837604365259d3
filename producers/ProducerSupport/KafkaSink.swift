internal import Kafka

/// A topic of a Kafka cluster as the sink of messages.
struct KafkaSink: ~Copyable, MessageSink {
    private var producer: Producer
    private let topic: String

    /// Makes the producer; connects in the background.
    ///
    /// - Parameters:
    ///   - mostMessageBytes: longest message to come.
    ///   - properties: win over everything set here.
    init(
        bootstrapServers: String, topic: String, mostMessageBytes: Int, properties: [(String, String)],
        logHook: @escaping KafkaLogHook
    ) throws(KafkaError) {
        let own = [
            ("bootstrap.servers", bootstrapServers),
            // A broker judges the packed size: even oversize messages, which are mostly padding, pass its limit, and
            // the embedded broker's 5 MiB hold several times as much.
            ("compression.type", "lz4"),
            // Memory bound of what waits; a longer queue would only delay the word that the broker is too slow.
            ("queue.buffering.max.kbytes", "131072"),
            ("message.max.bytes", "\(max(1_000_000, mostMessageBytes + 65_536))"),
        ]
        producer = try Producer(properties: own + properties, logHook: logHook)
        self.topic = topic
    }

    var delivered: Int { producer.deliveredCount }

    var failed: Int { producer.failedCount }

    /// The first message that was given up ends the run: the counts can no longer be exact, and the cause rarely goes.
    var obstacle: String? {
        if let fatal = producer.fatalError { return "the producer cannot go on: \(fatal)" }
        return producer.firstFailure.map { "a message was not delivered: \($0)" }
    }

    mutating func offer(key: UnsafeRawBufferPointer?, payload: UnsafeRawBufferPointer) -> SinkAnswer {
        switch producer.enqueue(topic: topic, key: key, payload: payload) {
        case .queued: .taken
        case .queueFull: .full
        case .refused(let error): .refused("a message was refused: \(error)")
        }
    }

    mutating func poll(timeoutMilliseconds: Int32) {
        producer.poll(timeoutMilliseconds: timeoutMilliseconds)
    }

    mutating func flush(withinMilliseconds: Int32) -> Int {
        producer.flush(within: .milliseconds(withinMilliseconds))
    }

    /// Asks the brokers for the topic; nil when it is there, else what is missing.
    mutating func missing(within limit: Duration) -> String? {
        do throws(KafkaError) {
            return try producer.metadata(topic: topic, within: limit).error.map { "\($0)" }
        } catch {
            return "\(error)"
        }
    }
}
