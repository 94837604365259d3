package import Kafka

/// A topic in memory: what the brokers hold, holes and truncation included.
package final class FakeLog {
    package static let topic = "vitals"

    /// Oldest offset that the brokers still give.
    package private(set) var low: [Int64]
    /// Offset of the first entry.
    private var first: [Int64]
    /// Everything ever appended; nil is an offset that holds no message (a transaction's marker, compaction).
    private var entries: [[TestMessage?]]

    package init(partitions: Int) {
        low = Array(repeating: 0, count: partitions)
        first = low
        entries = Array(repeating: [], count: partitions)
    }

    package var partitionCount: Int { entries.count }

    package static func partition(_ number: Int) -> TopicPartition {
        TopicPartition(topic: topic, partition: Int32(number))
    }

    package func high(_ partition: Int) -> Int64 { first[partition] + Int64(entries[partition].count) }

    /// The message at an offset; nil for a hole, outside, and before the oldest offset.
    package func message(_ partition: Int, _ offset: Int64) -> TestMessage? {
        offset >= low[partition] ? everWritten(partition, offset) : nil
    }

    /// The message that was written at an offset, even if it has been removed since.
    package func everWritten(_ partition: Int, _ offset: Int64) -> TestMessage? {
        guard offset >= first[partition], offset < high(partition) else { return nil }
        return entries[partition][Int(offset - first[partition])]
    }

    /// Appends a message and returns its offset; nil appends a hole.
    @discardableResult
    package func append(_ message: TestMessage?, to partition: Int) -> Int64 {
        entries[partition].append(message)
        return high(partition) - 1
    }

    /// Removes what lies before an offset, as retention does.
    package func removeBefore(_ offset: Int64, _ partition: Int) {
        precondition(offset >= low[partition] && offset <= high(partition))
        low[partition] = offset
    }

    /// Deletes the topic's partition and begins again at offset `first`.
    package func recreate(_ partition: Int, first offset: Int64 = 0) {
        entries[partition] = []
        (low[partition], first[partition]) = (offset, offset)
    }

    /// Replaces a message, or makes it a hole.
    package func replace(_ partition: Int, _ offset: Int64, by message: TestMessage?) {
        entries[partition][Int(offset - first[partition])] = message
    }
}
