internal import Service

/// What a lane is told once.
public struct LaneConfiguration: Sendable {
    /// Messages taken from the source and decoded at once.
    public static let sliceMessages = 512
    /// The most events of patient flow in one transaction: what they touch is read before, and is in memory at once.
    public static let mostFlowEvents = 4_096

    /// The lane's number within its process, for logs and health.
    public var lane: Int
    /// Topics in the order in which they were subscribed; `MessageRecord.topicIndex` counts them.
    public var topics: [String]
    /// The one of them whose messages are events of patient flow; nil: none is.
    public var flowTopic: String?
    /// Lengths of the windows of patient flow in minutes.
    public var windowMinutes = [5, 60]
    /// A window is closed when an event is newer than its end by so much.
    public var allowedLatenessMilliseconds: Int64 = 600_000
    /// A partition of patient flow without messages for so long closes windows by the time it waits.
    public var flowIdle: Duration = .seconds(60)
    /// The most messages of one transaction, 1 to 65,536.
    public var batchMaxRows = 65_536
    /// Bytes held by one batch beyond which no further slice is taken.
    public var batchMaxBytes = 32 << 20
    /// The most patients that this lane remembers.
    public var patientCapacity = 1 << 20
    /// `MAX_MESSAGE_BYTES`.
    public var maxMessageBytes = 8 << 20
    /// `VALIDATION_MAX_FUTURE_SECONDS` in milliseconds; nil: off.
    public var maxFutureMilliseconds: Int64? = 300_000
    /// How long a partition that another owner has taken is left alone, while the group still gives it to this lane.
    /// Longer than the session time-out (6 s), so that a thawed process hears from the group that it is out before;
    /// not much longer: the rightful owner waits for so long when another's late take-over has come after its own.
    public var contestedWait: Duration = .seconds(8)
    /// How often the owner of stopped and contested partitions is asked for.
    public var ownershipInterval: Duration = .seconds(2)
    /// First and longest pause between two attempts to reach the database.
    public var reconnectPause: (first: Duration, longest: Duration) = (.milliseconds(100), .seconds(4))
    /// A request to the database without an answer for this long counts as a lost connection.
    public var requestLimit: Duration = .seconds(60)
    /// A full batch that waits this long for the database is given back, so that the group's calls are answered.
    public var stallLimit: Duration = .seconds(5)
    /// How long after an assignment of nothing the group is asked once more, if a topic was in doubt so long before.
    public var rejoinAfter: (pause: Duration, doubt: Duration) = (.seconds(5), .seconds(60))
    /// A batch that is not committed for this long makes the lane show its database as not writable.
    public var commitAlarm: Duration = .seconds(30)
    /// Milliseconds since 1970, for `received_at` of dead letters alone.
    public var wallClock: @Sendable () -> Int64 = WallClock.nowMilliseconds

    /// The defaults for lane number `lane` of these topics.
    public init(lane: Int, topics: [String]) {
        self.lane = lane
        self.topics = topics
    }
}
