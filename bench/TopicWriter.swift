internal import Kafka
internal import Service

/// Fills topics.
enum TopicWriter {
    /// Sends a whole stream and waits until the broker has all of it.
    static func fill(
        _ topic: String, _ workload: Workload, broker: BenchBroker, paddingBytes: Int = 0,
        progress: (Int) -> Void = { _ in }
    ) throws {
        var producer = try producer(broker.address(of: topic))
        var text = ReadingText(paddingBytes: paddingBytes)
        for index in 0..<workload.messages {
            text.write(workload.reading(at: index), isBad: workload.kind(at: index) == .bad)
            for _ in 0..<workload.copies { try send(topic, text, &producer) }
            if index % 65_536 == 0 {
                producer.poll(timeoutMilliseconds: 0)
                try Bench.pause(.zero)
                progress(index)
            }
        }
        guard producer.flush(within: .seconds(120)) == 0, producer.failedCount == 0,
            producer.deliveredCount == workload.sentMessages
        else {
            throw BenchError(
                "the broker took \(producer.deliveredCount) of \(workload.sentMessages) messages: "
                    + (producer.firstFailure?.text ?? "the rest not in time"))
        }
    }

    /// A producer for bulk: big batches, no compression.
    static func producer(_ address: String, properties: [(String, String)] = []) throws -> Producer {
        try Producer(
            properties: [
                ("bootstrap.servers", address), ("linger.ms", "50"), ("batch.size", "524288"),
                ("queue.buffering.max.messages", "200000"), ("queue.buffering.max.kbytes", "131072"),
            ] + properties)
    }

    /// Offers a message until there is room for it.
    static func send(_ topic: String, _ text: ReadingText, _ producer: inout Producer) throws {
        while true {
            let outcome = text.key.withUnsafeBytes { key in
                text.bytes.withUnsafeBytes { payload in producer.enqueue(topic: topic, key: key, payload: payload) }
            }
            switch outcome {
            case .queued: return
            case .queueFull: producer.poll(timeoutMilliseconds: 10)
            case .refused(let error): throw BenchError("the broker's client refuses a message: \(error.text)")
            }
        }
    }
}
