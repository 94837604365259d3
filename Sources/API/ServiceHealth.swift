/// What the service tells about itself: an immutable snapshot, made anew for each question. Holds no patient data.
public struct ServiceHealth: Sendable, Equatable {
    /// Every lane of the process, in the order of their names.
    public var lanes: [LaneHealth]

    /// A snapshot of these lanes.
    public init(lanes: [LaneHealth]) {
        self.lanes = lanes
    }
}

/// The state of one lane: its loop, its place in the consumer group, its database connection, its partitions.
public struct LaneHealth: Sendable, Equatable {
    /// Whether the consumer has its place in the group.
    public enum Membership: Sendable, Equatable {
        /// No assignment has come yet, or the last one was revoked.
        case joining
        /// Assigned. No partition at all counts too: there may be more lanes than partitions.
        case joined
    }

    /// Whether the lane can commit.
    public enum Database: Sendable, Equatable {
        case writable
        /// With the cause in a few words, such as `connection refused`.
        case unavailable(reason: String)
    }

    /// The lane's name as in the log, such as `lane-0`.
    public var name: String
    /// How long ago its loop last turned, in milliseconds.
    public var lastTurnAgeMilliseconds: Int64
    /// Its place in the consumer group.
    public var membership: Membership
    /// Its database connection.
    public var database: Database
    /// The partitions it owns now.
    public var partitions: [PartitionHealth]
    /// How long its latest commits took; nil before the first.
    public var commitLatency: CommitLatency?
    /// What it has done since the process started.
    public var counters: LaneCounters

    /// The state of one lane at one moment.
    public init(
        name: String, lastTurnAgeMilliseconds: Int64, membership: Membership, database: Database,
        partitions: [PartitionHealth] = [], commitLatency: CommitLatency? = nil, counters: LaneCounters = LaneCounters()
    ) {
        self.name = name
        self.lastTurnAgeMilliseconds = lastTurnAgeMilliseconds
        self.membership = membership
        self.database = database
        self.partitions = partitions
        self.commitLatency = commitLatency
        self.counters = counters
    }
}

/// The state of one partition that a lane owns.
public struct PartitionHealth: Sendable, Equatable {
    /// What happens to it.
    public enum State: Sendable, Equatable {
        /// Its messages are read and committed.
        case running
        /// It goes on by itself once the reason is gone.
        case waiting(reason: String)
        /// It goes on only when a person decides how.
        case stopped(reason: String)
    }

    /// The topic's name.
    public var topic: String
    /// The partition's number, from 0 on.
    public var partition: Int32
    /// High watermark less the next offset in the database, in messages; nil while either is unknown.
    public var lag: Int64?
    /// What happens to it.
    public var state: State

    /// The state of one partition at one moment.
    public init(topic: String, partition: Int32, lag: Int64?, state: State) {
        self.topic = topic
        self.partition = partition
        self.lag = lag
        self.state = state
    }
}

/// Times from a transaction's start to its commit.
public struct CommitLatency: Sendable, Equatable {
    /// Half of the commits took at most this, in milliseconds.
    public var p50Milliseconds: Double
    /// 99 of 100 commits took at most this, in milliseconds.
    public var p99Milliseconds: Double

    /// The two percentiles, in milliseconds.
    public init(p50Milliseconds: Double, p99Milliseconds: Double) {
        self.p50Milliseconds = p50Milliseconds
        self.p99Milliseconds = p99Milliseconds
    }
}

/// The ledger's counts of what a lane has committed since its start, in messages, and the number of its transactions.
public struct LaneCounters: Sendable, Equatable {
    /// All messages that were judged: the sum of the six below.
    public var consumed: Int64 = 0
    /// New readings.
    public var inserted: Int64 = 0
    /// Readings that added absent vital signs to a stored one.
    public var merged: Int64 = 0
    /// Readings that replaced a stored value.
    public var corrected: Int64 = 0
    /// Readings that said nothing new.
    public var duplicate: Int64 = 0
    /// Readings that came after a later one had set the same values.
    public var stale: Int64 = 0
    /// Dead letters.
    public var rejected: Int64 = 0
    /// Transactions committed.
    public var batches: Int64 = 0
    /// Fields of accepted messages that the format does not know.
    public var unknownFields: Int64 = 0
    /// Accepted messages whose Kafka key is not the patientId.
    public var keyMismatches: Int64 = 0
    /// Messages that the client delivered again; dropped by their offset.
    public var repeats: Int64 = 0

    /// All zero.
    public init() {}

    /// Adds another lane's counts, for the sum over lanes.
    public static func += (left: inout LaneCounters, right: LaneCounters) {
        for field in fields { left[keyPath: field.path] += right[keyPath: field.path] }
    }

    /// Every count with its name in JSON, so that writing, reading and adding cannot forget one.
    static var fields: [(name: String, path: WritableKeyPath<LaneCounters, Int64>)] {
        [
            ("consumed", \.consumed), ("inserted", \.inserted), ("merged", \.merged), ("corrected", \.corrected),
            ("duplicate", \.duplicate), ("stale", \.stale), ("rejected", \.rejected), ("batches", \.batches),
            ("unknownFields", \.unknownFields), ("keyMismatches", \.keyMismatches), ("repeats", \.repeats),
        ]
    }
}

extension ServiceHealth {
    /// The sum of all lanes' counts.
    public var totals: LaneCounters {
        lanes.reduce(into: LaneCounters()) { $0 += $1.counters }
    }

    /// The sum of all known lags, in messages; nil when one is unknown.
    public var totalLag: Int64? {
        var sum: Int64 = 0
        for lane in lanes {
            for partition in lane.partitions {
                guard let lag = partition.lag else { return nil }
                sum += lag
            }
        }
        return sum
    }
}
