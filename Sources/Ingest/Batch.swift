// The public signatures are made of their values.
public import Kafka
public import PatientFlow
public import Service
public import VitalSigns

/// How far one batch moves one partition: the fence's compare-and-set and the ledger's sums.
public struct PartitionAdvance: Sendable {
    /// The partition.
    public var partition: TopicPartition
    /// The owner of the take-over under which the batch was read.
    public var owner: UUIDBytes
    /// The epoch of that take-over.
    public var epoch: Int64
    /// The offset that the ledger must stand at.
    public var expectedNext: Int64
    /// The offset that it moves to.
    public var next: Int64
    /// Offsets passed that hold no message (transaction markers, compaction).
    public var gaps: Int64 = 0
    /// Messages that became dead letters.
    public var rejected: Int64 = 0
    /// `MessageHash` of the last message taken, at `next - 1`; nil before the first.
    public var lastMessageHash: Int64?
    /// End of the log as last heard.
    public var highWatermark: Int64?
    /// How the accepted messages were classified; filled from the plan before the commit.
    public var verdicts = VerdictCounts()

    /// An advance of nothing yet.
    public init(partition: TopicPartition, owner: UUIDBytes, epoch: Int64, expectedNext: Int64) {
        self.partition = partition
        self.owner = owner
        self.epoch = epoch
        self.expectedNext = expectedNext
        next = expectedNext
    }
}

/// What one transaction will hold: readings and events of patient flow in arrival order, dead letters, and how far
/// each partition moves.
///
/// Two of them take turns: one is being filled while the other is on its way to the database. Made once, reused.
@safe public final class Batch {
    /// The most readings, events and dead letters together.
    public let capacity: Int
    /// Accepted readings in arrival order; `origin` is a number of the lane's origin table until the batch is planned.
    public let readings: UnsafeMutablePointer<Reading>
    /// How many readings there are.
    public var readingCount = 0
    /// Accepted events of patient flow in arrival order.
    public var flowEvents: [FlowEvent] = []
    /// What the database has to do about them; nil until the sealed batch is planned, and where there are none.
    public var flow: FlowChanges?
    /// Messages that could not be used.
    public let deadLetters: DeadLetterBuffer
    /// One entry a partition the batch has messages or gaps of.
    public var advances: [PartitionAdvance] = []
    /// Whether any reading carries an origin.
    public var hasOrigins = false

    /// Partitions that it does not move but writes in the name of: the fence without an offset.
    public var holds: [PartitionAdvance] = []

    /// Raised whenever the batch is emptied.
    public private(set) var filling: UInt64 = 0

    /// An empty batch for at most `capacity` messages, a whole number of slices.
    public init(capacity: Int) {
        self.capacity = capacity
        unsafe readings = .allocate(capacity: capacity)
        deadLetters = DeadLetterBuffer()
    }

    deinit { unsafe readings.deallocate() }

    /// Messages in the batch, accepted and rejected.
    public var messageCount: Int { readingCount + flowEvents.count + deadLetters.count }

    /// Bytes held on behalf of the batch, beyond its fixed buffers.
    public var retainedBytes: Int {
        readingCount * MemoryLayout<Reading>.stride + deadLetters.byteCount + flowEvents.count * Self.flowEventBytes
    }

    /// Four texts of up to 255 bytes, ids and times: an event takes no more.
    private static let flowEventBytes = 1_536

    /// Whether there is nothing to commit.
    public var isEmpty: Bool { advances.isEmpty }

    /// Forgets everything, keeping the buffers.
    public func reset() {
        filling += 1
        readingCount = 0
        hasOrigins = false
        deadLetters.reset()
        if !flowEvents.isEmpty { flowEvents.removeAll(keepingCapacity: true) }
        flow = nil
        holds.removeAll()
        advances.removeAll(keepingCapacity: true)
    }
}
