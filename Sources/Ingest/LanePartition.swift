internal import Kafka
internal import PatientFlow
internal import Service

/// How far event time has got in a partition of patient flow, and up to where windows were closed for it.
struct FlowClock {
    /// Follows the committed events.
    var watermark: Watermark
    /// The minute since 1970 up to which windows are closed; windows end at whole minutes.
    var closedMinute: Int64?

    /// A clock that goes on where the database says.
    init(_ settings: Watermark.Settings, _ times: PartitionTimes?, heardAt: MonotonicTime) {
        let level = times?.frontier.map { $0 - settings.allowedLatenessMilliseconds }
        watermark = Watermark(settings, instant: [level, times?.watermark].compactMap { $0 }.max())
        watermark.hear(nil, now: heardAt.wholeMilliseconds)
        closedMinute = times?.watermark.map { $0 / 60_000 }
    }

    /// The watermark, if windows may have ended since the last closing; they count as closed from then on.
    mutating func takeClosing() -> Int64? {
        guard let instant = watermark.instant, instant / 60_000 > closedMinute ?? .min else { return nil }
        closedMinute = instant / 60_000
        return instant
    }
}

/// A partition that the group has given to this lane.
struct LanePartition {
    enum Phase: Equatable {
        /// To be taken over as soon as the database can be asked.
        case awaitingTakeOver
        /// Memory was dropped; the database is asked who owns the partition before it is taken over again.
        case unsettled(retakeAt: MonotonicTime)
        /// Taken over; the first message must be the one the ledger remembers.
        case verifying(hash: Int64)
        /// Messages flow.
        case running
        /// Stands still until an operator has moved its offset.
        case stopped(reason: String)
    }

    let partition: TopicPartition
    var phase = Phase.awaitingTakeOver
    /// The epoch and owner of the last take-over; 0 and nil before the first.
    var epoch: Int64 = 0
    var owner: UUIDBytes?
    /// Offset up to which the database has committed.
    var committed: Int64 = 0
    /// Of patient flow: when a message came last, at first when it was taken over.
    var heardAt = MonotonicTime(nanoseconds: 0)
    /// Of patient flow: how far event time has got; nil until the database was asked.
    var clock: FlowClock?

    var isFlowing: Bool {
        switch phase {
        case .running, .verifying: true
        case .awaitingTakeOver, .unsettled, .stopped: false
        }
    }
}

/// The part of a partition's state that every message touches, kept apart in flat memory.
struct PartitionCursor: BitwiseCopyable {
    enum State: UInt8, BitwiseCopyable {
        /// Messages are dropped: not taken over, stopped, or about to be assigned again.
        case ignored
        /// The next message is compared with the ledger's hash.
        case verifying
        case running
    }

    var state = State.ignored
    /// Index of this partition's entry in the filling batch, -1 for none yet.
    var advance: Int32 = -1
    /// Position in the slice of the last message taken, -1 for none.
    var lastInSlice: Int32 = -1
    /// Offset of the next message to take.
    var next: Int64 = 0
    /// Where the filling batch begins.
    var batchStart: Int64 = 0
    /// Hash of the message before `next`, and of the one before `batchStart`; nil where none was ever read.
    var lastHash: Int64?
    /// See `lastHash`.
    var batchStartHash: Int64?
    /// Offset that once came instead of `gapExpected`. The same pair again after a new assignment is the log's own gap;
    /// another `next` before the same offset is another gap.
    var gapSeenAt: Int64 = -1
    /// See `gapSeenAt`.
    var gapExpected: Int64 = -1
}

/// Finds a partition's place in the lane from a message's numbers, without hashing.
@safe struct PartitionIndex: ~Copyable {
    private var places: UnsafeMutablePointer<Int32>
    private var stride = 0
    private var topicCount = 0

    init() {
        unsafe places = .allocate(capacity: 1)
    }

    deinit { unsafe places.deallocate() }

    /// Indexes `partitions` by their place in the list.
    mutating func build(_ partitions: [LanePartition], topics: [String]) {
        stride = Int(partitions.map(\.partition.partition).max() ?? -1) + 1
        topicCount = topics.count
        unsafe places.deallocate()
        unsafe places = .allocate(capacity: max(1, stride * topicCount))
        unsafe places.initialize(repeating: -1, count: max(1, stride * topicCount))
        for (place, partition) in partitions.enumerated() {
            guard let topic = topics.firstIndex(of: partition.partition.topic) else { continue }
            unsafe places[topic * stride + Int(partition.partition.partition)] = Int32(place)
        }
    }

    /// The place of a partition, -1 when the lane does not own it.
    @inline(__always)
    func find(topicIndex: Int32, partition: Int32) -> Int {
        guard topicIndex >= 0, topicIndex < topicCount, partition >= 0, partition < stride else { return -1 }
        return unsafe Int(places[Int(topicIndex) * stride + Int(partition)])
    }
}

extension MonotonicTime {
    /// For clocks that count in milliseconds.
    var wholeMilliseconds: Int64 { nanoseconds / 1_000_000 }
}
