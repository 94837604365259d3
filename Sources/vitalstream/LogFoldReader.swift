internal import Kafka
internal import Service

/// Reads the partitions of the ledger again into a fold.
struct LogFoldReader: ~Copyable {
    private var reader: LogReader
    private let progress: LogFoldProgress

    init(_ settings: ResolvedSettings) throws(KafkaError) {
        reader = try LogReader(
            properties: [("bootstrap.servers", settings.string("KAFKA_BOOTSTRAP_SERVERS"))] + settings.kafkaProperties)
        progress = LogFoldProgress()
    }

    /// Reads what `wanted` has and the stream has not covered yet; it must lie behind all that was read before.
    mutating func read(_ wanted: LogFoldRanges, of stream: LogFoldStream, into fold: LogFold) throws {
        let missing = wanted.subtracting(stream.covered)
        let isBehind = missing.ranges.first.map { $0.lowerBound >= stream.covered.upperBound } ?? true
        guard isBehind, stream.covered.subtracting(wanted).count == 0 else {
            throw CommandFailure("\(stream.partition): offsets were moved while verify was reading: run it again")
        }
        if missing.count == 0 { return }
        let ends = try watermarks(of: stream)
        if stream.covered.count == 0 { stream.keptFrom = wanted.lowerBound }
        for range in missing.ranges {
            try read(range, of: stream, into: fold, low: ends.low)
            if ends.high < range.upperBound { stream.endedAt = ends.high }
        }
        stream.covered = wanted
    }

    private mutating func read(
        _ range: Range<Int64>, of stream: LogFoldStream, into fold: LogFold, low: Int64
    ) throws {
        var from = range.lowerBound
        if low > from {
            stream.keptFrom = max(stream.keptFrom, min(low, range.upperBound))
            from = low
        }
        var attempts = 0
        while from < range.upperBound {
            do throws(KafkaError) {
                let progress = self.progress
                try reader.read(
                    topic: stream.partition.topic, partition: stream.partition.partition, from: from,
                    to: range.upperBound
                ) { record in
                    fold.take(record, of: stream)
                    from = record.offset + 1
                    progress.note(stream.partition, at: record.offset, of: range)
                }
                return
            } catch {
                // Retention went on between the question for the log's beginning and the first message.
                let ends = try watermarks(of: stream)
                attempts += 1
                guard ends.low > from, attempts < 10 else { throw error }
                stream.keptFrom = max(stream.keptFrom, min(ends.low, range.upperBound))
                from = ends.low
            }
        }
    }

    private mutating func watermarks(of stream: LogFoldStream) throws -> Watermarks {
        let topic = try reader.metadata(topic: stream.partition.topic)
        guard topic.partitions.contains(where: { $0.id == stream.partition.partition }) else {
            throw CommandFailure(
                "the ledger knows \(stream.partition), the broker does not: see KAFKA_BOOTSTRAP_SERVERS, "
                    + "or make the topic again")
        }
        return try reader.watermarks(of: stream.partition)
    }
}

/// A line on standard error now and then, so that a long run is seen to move.
final class LogFoldProgress {
    private var next = MonotonicTime.now() + .seconds(5)
    private var count = 0

    /// Says where reading stands when the last line is long ago.
    func note(_ partition: TopicPartition, at offset: Int64, of range: Range<Int64>) {
        count += 1
        guard count % 8_192 == 0, MonotonicTime.now() >= next else { return }
        next = MonotonicTime.now() + .seconds(5)
        Console.writeError(
            "\(partition): read up to \(offset.grouped) of \(range.lowerBound.grouped) to "
                + "\(range.upperBound.grouped), \(count.grouped) messages in all")
    }
}
