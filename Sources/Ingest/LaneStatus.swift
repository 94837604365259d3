// The public signatures are made of their values.
public import Kafka

/// Sums over everything a lane has committed since its start.
public struct LaneCounters: Sendable, Equatable {
    /// Messages committed: the sum of the six below.
    public var consumed: Int64 = 0
    /// New keys.
    public var inserted: Int64 = 0
    /// Messages that only added vital signs.
    public var merged: Int64 = 0
    /// Messages that replaced a stored value.
    public var corrected: Int64 = 0
    /// Messages that said nothing new.
    public var duplicate: Int64 = 0
    /// Messages that disagreed with what is stored but stand earlier.
    public var stale: Int64 = 0
    /// Messages that became dead letters.
    public var rejected: Int64 = 0
    /// Transactions committed.
    public var batches: Int64 = 0
    /// Messages that came again after they had been taken, and were dropped.
    public var repeats: Int64 = 0
    /// Fields of accepted messages that the format does not know.
    public var unknownFields: Int64 = 0
    /// Accepted messages whose Kafka key is not their patient.
    public var keyMismatches: Int64 = 0

    /// Nothing yet.
    public init() {}
}

/// What a lane shows of itself; a copy, replaced as a whole.
public struct LaneStatus: Sendable {
    /// One partition that the group has given to the lane.
    public struct Partition: Sendable, Equatable {
        /// What becomes of its messages.
        public enum State: String, Sendable {
            /// They flow.
            case running
            /// They will, when the reason is over.
            case waiting
            /// They will not before an operator has done something.
            case stopped
        }

        /// Which.
        public var partition: TopicPartition
        /// What becomes of its messages.
        public var state: State
        /// Why it waits or stopped; empty while it runs.
        public var reason: String
        /// Messages of the log not yet in the database; nil while unknown.
        public var lag: Int64?
    }

    /// The lane's number.
    public var lane: Int
    /// Whether the group has answered with an assignment, maybe an empty one.
    public var hasJoined = false
    /// Whether a database session stands.
    public var isDatabaseConnected = false
    /// Why not, in one line; empty while it stands.
    public var databaseReason = ""
    /// The partitions.
    public var partitions: [Partition] = []
    /// The sums.
    public var counters = LaneCounters()
    /// Time from sealing a batch to its commit over the last minute, in milliseconds: median and 99th percentile.
    public var commitMilliseconds: (p50: Double, p99: Double) = (0, 0)

    /// A lane that has only been made.
    public init(lane: Int) {
        self.lane = lane
    }
}
