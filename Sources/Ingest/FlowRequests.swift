// The public signatures are made of their values.
public import PatientFlow
public import VitalSigns

/// What a lane has to know of the database before it can say what a batch's events of patient flow change.
public struct FlowQuestion: Sendable, Equatable {
    /// Events that may be stored already. Their visits and facilities belong to those below.
    public var eventIDs: [EventID] = []
    /// Visits whose stored events are wanted.
    public var visits: [VisitID] = []
    /// Facilities whose state is wanted.
    public var facilities: [FlowName] = []
    /// Facilities whose newest event time is wanted without some of their events.
    public var frontiers: [FrontierQuestion] = []
    /// Partitions of which it is wanted how far event time had got in them.
    public var partitions: [Int32] = []
    /// Facilities whose predictor's state is wanted.
    public var models: [FlowName] = []
    /// Times in which it is wanted who was there.
    public var ranges: [FlowRange] = []
    /// Facilities and instants after which the keys of stored windows are wanted.
    public var windowsAfter: [FlowName: Int64] = [:]

    /// An empty question.
    public init() {}

    /// Whether there is nothing to ask.
    public var isEmpty: Bool { self == FlowQuestion() }
}

/// Asks for the newest event time of a facility without some of its events.
public struct FrontierQuestion: Sendable, Equatable {
    /// Where.
    public var facility: FlowName
    /// Which events do not count.
    public var without: [EventID]
}

/// A span of time in one facility.
public struct FlowRange: Sendable, Equatable {
    /// Where.
    public var facility: FlowName
    /// From one instant to before another, milliseconds since 1970 UTC.
    public var times: Range<Int64>
}

/// The state of one facility, as `gold.flow_state` has it.
public struct FacilityState: Sendable, Equatable {
    /// Raised by every transaction that changes an event of it.
    public var version: Int64
    /// Its newest event time, milliseconds since 1970 UTC; nil when all its events have become others'.
    public var frontier: Int64?

    /// The row as read.
    public init(version: Int64, frontier: Int64?) {
        self.version = version
        self.frontier = frontier
    }
}

/// How far event time had got in a partition, as the facilities have it whose latest event came from there.
public struct PartitionTimes: Sendable, Equatable {
    /// Their newest event time, milliseconds since 1970 UTC.
    public var frontier: Int64?
    /// Their newest watermark.
    public var watermark: Int64?

    /// The times as read.
    public init(frontier: Int64?, watermark: Int64?) {
        self.frontier = frontier
        self.watermark = watermark
    }
}

/// What the database says to a `FlowQuestion`.
public struct FlowAnswer: Sendable, Equatable {
    /// Facilities that have a row; the others are new.
    public var facilities: [FlowName: FacilityState] = [:]
    /// Every stored event of the visits.
    public var events: [FlowEvent] = []
    /// Newest event times; a facility without any other event is missing.
    public var frontiers: [FlowName: Int64] = [:]
    /// Predictors' states; a facility that has none is missing.
    public var models: [FlowName: [StoredState]] = [:]
    /// How far event time had got in the partitions.
    public var times: [Int32: PartitionTimes] = [:]
    /// Every stored event of those who were there in the ranges.
    public var present: [FlowEvent] = []
    /// Keys of stored windows.
    public var windows: [FlowName: [WindowKey]] = [:]

    /// Nothing is stored.
    public init() {}
}

/// What one transaction does to one facility.
public struct FacilityChange: Sendable, Equatable {
    /// Which.
    public var facility: FlowName
    /// The version that everything was planned on; 0: it must have none. It is raised by one.
    public var version: Int64
    /// Its newest event time after the transaction, milliseconds since 1970 UTC.
    public var frontier: Int64?
    /// Partition of the last of its events in the batch.
    public var partition: Int32
    /// That partition's watermark, milliseconds since 1970 UTC; nil while nothing is known.
    public var watermark: Int64?
}

/// A window as it shall be stored.
public struct WindowChange: Sendable, Equatable {
    /// Where.
    public var facility: FlowName
    /// Its values, and what its revision is raised by.
    public var update: FacilityFold.WindowUpdate
    /// Wall clock, milliseconds since 1970 UTC, if the watermark has passed its end; nil while it is open.
    public var closedAt: Int64?
}

/// How far the watermark of a partition is.
public struct FlowClosing: Sendable, Equatable {
    /// Which.
    public var partition: Int32
    /// Windows that end by then are over, milliseconds since 1970 UTC.
    public var watermark: Int64
    /// Whether it came so far by waiting alone, which no event remembers.
    public var isIdle: Bool
}

/// What one transaction does to patient flow. Everything is in order of facilities, so that two lanes never wait for
/// each other in a circle.
public struct FlowChanges: Sendable {
    /// Whose versions are compared and raised, before anything else.
    public var facilities: [FacilityChange] = []
    /// Stored events that make room for others of the same id.
    public var removed: [EventID] = []
    /// Events to store.
    public var events: [FlowEvent] = []
    /// Visits as they are now.
    public var visits: [Visit] = []
    /// Visits that no event is left of.
    public var vanished: [VisitID] = []
    /// Windows as they are now.
    public var windows: [WindowChange] = []
    /// What the predictors say, and what they have become.
    public var foresights: [FacilityForesight] = []
    /// Watermarks that have passed the end of a window.
    public var closings: [FlowClosing] = []
    /// Messages of each partition by class: `inserted` and `duplicate`.
    public var verdicts: [Int32: VerdictCounts] = [:]

    /// Nothing.
    public init() {}
}
