/// A partition of a topic.
public struct TopicPartition: Hashable, Sendable {
    /// The topic's name.
    public let topic: String
    /// Its partition, from 0.
    public let partition: Int32

    /// Names a partition; nothing is asked.
    public init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }
}

extension TopicPartition: CustomStringConvertible {
    /// `vitals[3]`, as librdkafka's own log lines write it.
    public var description: String { "\(topic)[\(partition)]" }
}

/// A place in a partition: for an assignment the offset of the first message wanted, for a commit the next one to read.
public struct TopicPartitionOffset: Hashable, Sendable {
    /// Which partition.
    public let partition: TopicPartition
    /// Its offset, not negative.
    public let offset: Int64

    /// Names a place; nothing is asked.
    public init(_ partition: TopicPartition, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }

    /// The same from its three parts.
    public init(topic: String, partition: Int32, offset: Int64) {
        self.init(TopicPartition(topic: topic, partition: partition), offset: offset)
    }
}

/// The ends of a partition's log.
public struct Watermarks: Equatable, Sendable {
    /// Offset of the oldest message kept; -1 while only the high one is known.
    public let low: Int64
    /// Offset that the next message will get.
    public let high: Int64

    /// A pair of offsets.
    public init(low: Int64, high: Int64) {
        self.low = low
        self.high = high
    }
}

/// What the brokers say about a topic.
public struct TopicMetadata: Equatable, Sendable {
    /// One partition of it.
    public struct Partition: Equatable, Sendable {
        /// Its number.
        public let id: Int32
        /// Broker that leads it, -1 for none.
        public let leader: Int32
    }

    /// The topic's name.
    public let name: String
    /// Its partitions in ascending order; empty when `error` is set.
    public let partitions: [Partition]
    /// Why nothing is known, such as `UNKNOWN_TOPIC_OR_PART`.
    public let error: KafkaError?
}

/// A broker of the cluster.
public struct BrokerMetadata: Equatable, Sendable {
    /// Its number.
    public let id: Int32
    /// `host:port` under which it wants to be reached.
    public let address: String
}

/// What the brokers say about themselves and their topics.
public struct ClusterMetadata: Equatable, Sendable {
    /// All brokers known.
    public let brokers: [BrokerMetadata]
    /// The topics asked for.
    public let topics: [TopicMetadata]
}
