internal import CRdKafka
internal import Service

/// A helper thread that asks one assigned partition per broker for its watermarks, each time the lane has drained some
/// messages.
///
/// Before librdkafka 2.8.0 a broker's thread whose queue was full sleeps up to a second before it fetches again; any
/// request to that broker wakes it (DESIGN.md, "A full queue stalls 2.0.2"). The answers are kept: they are the lag.
@safe final class WatermarkProbe: Sendable {
    /// Messages drained between two wake-ups.
    static let messagesPerWakeUp = 1_024

    private struct State {
        var partitions: [TopicPartition] = []
        /// Changes with `partitions`, so that the thread asks for their leaders anew.
        var generation = 0
        var isWanted = false
        var isStopping = false
        var answers: [TopicPartition: Watermarks] = [:]
    }

    private let shared = Locked(State())
    private let thread: ServiceThread

    /// The client must live until `stop` has returned true.
    init(client: OpaquePointer) throws(KafkaError) {
        let address = UInt(bitPattern: client)
        let shared = shared
        do {
            thread = try ServiceThread(name: "kafka-probe") {
                guard let client = unsafe OpaquePointer(bitPattern: address) else { return }
                unsafe WatermarkProbe.run(client: client, shared: shared)
            }
        } catch {
            throw KafkaError(
                RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, detail: "no thread for the watermark probe: \(error)")
        }
    }

    /// The partitions to choose from; the answers of others are forgotten.
    func setPartitions(_ partitions: [TopicPartition]) {
        shared.withLock { state in
            state.partitions = partitions
            state.generation += 1
            state.answers = state.answers.filter { partitions.contains($0.key) }
        }
    }

    /// Asks soon; a wish that is still open counts once.
    func wake() {
        shared.withLock { $0.isWanted = true }
        shared.signal()
    }

    /// The last answer.
    func watermarks(of partition: TopicPartition) -> Watermarks? {
        shared.withLock { $0.answers[partition] }
    }

    /// Ends the thread. False when it still waits for a broker at the deadline: the client must then not be destroyed.
    func stop(within duration: Duration) -> Bool {
        shared.withLock { $0.isStopping = true }
        shared.signal()
        return thread.join(within: duration)
    }

    private static func run(client: OpaquePointer, shared: Locked<State>) {
        var generation = 0
        var chosen: [TopicPartition] = []
        while true {
            var work: (partitions: [TopicPartition], generation: Int)?
            _ = shared.wait(until: nil) { state in
                if state.isStopping { return false }
                if !state.isWanted || state.partitions.isEmpty { return true }
                state.isWanted = false
                work = (state.partitions, state.generation)
                return false
            }
            guard let work else { return }
            if work.generation != generation || chosen.isEmpty {
                unsafe chosen = onePerBroker(work.partitions, client: client)
                generation = work.generation
            }
            var answers: [TopicPartition: Watermarks] = [:]
            for partition in chosen {
                do {
                    answers[partition] = try unsafe WatermarkRequest.ask(
                        partition, client: client, within: queryTimeout)
                } catch {
                    // The client reports a broker that does not answer by itself; here it only means "no news".
                    continue
                }
            }
            // A leader moved or went away: choose anew next time.
            if answers.count < chosen.count { chosen = [] }
            shared.withLock { state in
                guard state.generation == work.generation else { return }
                state.answers.merge(answers) { _, new in new }
            }
        }
    }

    /// Short, so that closing need not wait for long.
    private static let queryTimeout = Duration.milliseconds(500)

    private static func onePerBroker(_ partitions: [TopicPartition], client: OpaquePointer) -> [TopicPartition] {
        var chosen: [Int32: TopicPartition] = [:]
        for topic in Set(partitions.map(\.topic)) {
            let metadata: TopicMetadata
            do {
                metadata = try unsafe MetadataRequest.topic(topic, client: client, within: queryTimeout)
            } catch {
                continue  // as above: asked again at the next wish
            }
            var leaders: [Int32: Int32] = [:]
            for partition in metadata.partitions { leaders[partition.id] = partition.leader }
            for partition in partitions where partition.topic == topic {
                if let leader = leaders[partition.partition], leader >= 0, chosen[leader] == nil {
                    chosen[leader] = partition
                }
            }
        }
        return Array(chosen.values)
    }
}

/// Asking a partition's leader for the ends of its log.
enum WatermarkRequest {
    /// Blocks until the answer or the deadline. Any thread.
    static func ask(
        _ partition: TopicPartition, client: OpaquePointer, within duration: Duration
    ) throws(KafkaError) -> Watermarks {
        var low: Int64 = -1
        var high: Int64 = -1
        let code = unsafe rd_kafka_query_watermark_offsets(
            client, partition.topic, partition.partition, &low, &high, duration.clientTimeout)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code) }
        return Watermarks(low: low, high: high)
    }
}
