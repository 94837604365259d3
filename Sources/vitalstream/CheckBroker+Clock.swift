internal import Kafka
internal import Service

/// Whether the brokers' clock and ours agree. Kafka has no question for the time, so it is taken from messages that
/// carry the broker's: one that arrives meanwhile says all, an old one only whether that clock is ahead.
extension CheckBroker {
    /// Milliseconds; a reading counts as one of the future from 5 min on, and the lag in seconds is shown by this.
    static let clockTolerance: Int64 = 5_000
    private typealias LogEnd = (partition: TopicPartition, marks: Watermarks)
    private static let mostPartitions = 16
    private static let patience: Duration = .seconds(1)
    private static let answerLimit: Duration = .seconds(2)

    func checkClock(_ properties: [(String, String)], _ cluster: ClusterMetadata, _ report: CheckReport) {
        let partitions = cluster.topics.first { $0.name == vitals }?.partitions ?? []
        let asked = partitions.filter { $0.leader >= 0 }.prefix(Self.mostPartitions)
        guard !asked.isEmpty else { return }
        do throws(KafkaError) {
            var reader = try LogReader(properties: properties)
            let before = WallClock.nowMilliseconds()
            let ends = try Self.ends(asked.map { TopicPartition(topic: vitals, partition: $0.id) }, &reader)
            if let arrived = try arrival(ends, asked: before, &reader),
                let written = try Self.brokersTime(of: arrived.place, &reader)
            {
                return judge(
                    ClockDifference(written: written, after: arrived.after, before: arrived.before), report)
            }
            var newest: Int64?
            for end in ends where end.marks.high > end.marks.low {
                let last = TopicPartitionOffset(end.partition, offset: end.marks.high - 1)
                guard let written = try Self.brokersTime(of: last, &reader) else { continue }
                newest = max(newest ?? written, written)
            }
            guard let newest else {
                report.add(.info, "clock", "the broker's is not known: no message of \(vitals) carries it")
                return
            }
            judge(ClockDifference(written: newest, after: nil, before: WallClock.nowMilliseconds()), report)
        } catch {
            report.add(.info, "clock", "the broker's is not known: \(vitals) cannot be read (\(error.text))")
        }
    }

    private func judge(_ difference: ClockDifference, _ report: CheckReport) {
        CheckClock.judge(
            difference, "the broker's",
            unknown: "is not ahead of this machine's; whether it is behind shows only while "
                + "messages arrive", report)
    }

    private static func ends(
        _ partitions: [TopicPartition], _ reader: inout LogReader
    ) throws(KafkaError) -> [LogEnd] {
        var ends: [LogEnd] = []
        for partition in partitions {
            ends.append((partition, try reader.watermarks(of: partition, within: answerLimit)))
        }
        return ends
    }

    /// The last message of a partition that has grown since it was asked, and between which times; nil when none has in
    /// time.
    private func arrival(
        _ ends: [LogEnd], asked: Int64, _ reader: inout LogReader
    ) throws(KafkaError) -> (place: TopicPartitionOffset, after: Int64, before: Int64)? {
        let deadline = Deadline.after(Self.patience)
        var lastRound = asked
        while !deadline.hasPassed() {
            let thisRound = WallClock.nowMilliseconds()
            for end in ends {
                let high = try reader.watermarks(of: end.partition, within: Self.answerLimit).high
                if high > end.marks.high {
                    let place = TopicPartitionOffset(end.partition, offset: high - 1)
                    return (place, lastRound, WallClock.nowMilliseconds())
                }
            }
            lastRound = thisRound
            // One connection's answer is soon there; this only keeps an idle broker from being asked without pause.
            var pause = PollSet(capacity: 1)
            _ = pause.wait(until: .after(.milliseconds(50)))
        }
        return nil
    }

    /// The time of a message if it is the broker's; nil also for a place that holds no message (a marker).
    private static func brokersTime(
        of place: TopicPartitionOffset, _ reader: inout LogReader
    ) throws(KafkaError) -> Int64? {
        var found: Int64?
        try reader.read(
            topic: place.partition.topic, partition: place.partition.partition, from: place.offset,
            to: place.offset + 1, patience: answerLimit
        ) { record in
            if record.timestampIsLogAppend { found = record.timestampMilliseconds }
        }
        return found
    }
}

/// What is said about another machine's clock.
enum CheckClock {
    static func judge(_ difference: ClockDifference, _ whose: String, unknown: String, _ report: CheckReport) {
        let remedy = "let both machines take their time from the same NTP servers"
        switch difference.verdict(tolerance: CheckBroker.clockTolerance) {
        case .agrees:
            let most = max(abs(difference.least ?? 0), abs(difference.most ?? 0))
            report.add(.fine, "clock", "\(whose) differs from this machine's by no more than \(most) ms")
        case .ahead(let milliseconds):
            report.add(
                .warning, "clock", "\(whose) is at least \(milliseconds / 1_000) s ahead of this machine's",
                remedy: remedy)
        case .behind(let milliseconds):
            report.add(
                .warning, "clock", "\(whose) is at least \(milliseconds / 1_000) s behind this machine's",
                remedy: remedy)
        case .unknown:
            report.add(.info, "clock", "\(whose) \(unknown)")
        }
    }
}
