public import Service  // Why a connection failed.

/// What a consumer has to tell beside messages, in the order in which it happened.
public enum ConsumerEvent: Equatable, Sendable {
    /// The group gave these partitions (all that are owned now, maybe none). Nothing is fetched until `assign`.
    case assigned([TopicPartition])
    /// The group took these partitions (all that were owned); nothing more of them comes. `lost`: this client knows
    /// that it was expelled, so that others may have them already. Without it they may have them too, when this member
    /// was too slow to look (seen with 2.0.2): only the database's fence decides.
    case revoked([TopicPartition], lost: Bool)
    /// The offset asked for is not in the log: the partition stands still until it is assigned anew.
    case offsetOutOfRange(TopicPartition, offset: Int64)
    /// A broker did not know a partition that is being read, does not lead it any more, or has hung up: the topic may
    /// be deleted and made anew. The client asks on by itself from the same offset, and would take another log's.
    case fetchRefused
    /// A subscribed topic does not exist (yet); told once until that changes.
    case topicUnknown(String)
    /// No broker answers, and why not, as far as is known. Messages or an assignment show that it is over.
    case brokersDown(ConnectionDiagnosis?)
    /// One broker cannot be used, while others may be.
    case brokerFailed(ConnectionDiagnosis)
    /// Anything else, for the log; the client goes on by itself.
    case error(KafkaError, topic: String?, partition: Int32?)
    /// The client is dead: close it and make another.
    case fatal(KafkaError)
}

/// Why a poll came back.
public enum PollOutcome: Equatable, Sendable {
    /// The queue is empty: the consumer's descriptor tells when it no longer is.
    case drained
    /// The slice is full; there may be more.
    case full
    /// An event waits: take all events, then poll again; there may be more.
    case interrupted
}
