// The public signatures are made of their values.
internal import Kafka
internal import PatientFlow
public import Service
internal import VitalSigns

/// What a lane waits for between two turns.
public struct LaneInterest: BitwiseCopyable, Sendable {
    /// The store's descriptor and directions.
    public var store: StoreInterest
    /// Whether messages should wake the lane; not while its batch is full.
    public var wantsMessages: Bool
}

/// A lane: one thread's worth of poll, decode, classify, write, commit, as a machine that is stepped by `turn`.
///
/// It owns a source of messages, a store, and the state of its partitions; it shares nothing. It never blocks but in
/// the source's `queryWatermarks` and where a store resolves a name, is told the time, and decides everything about
/// failures here: what is not certainly stored is dropped from memory and read again from where the database says.
@safe public struct Lane<Source: MessageSource & ~Copyable, Store: ReadingStore & ~Copyable>: ~Copyable {
    /// What the lane waits for from its store.
    enum Stage: Equatable {
        case disconnected(retryAt: MonotonicTime)
        case connecting
        case idle
        case takingOver([TakeOverRequest], owner: UUIDBytes)
        case endingBlockers
        case readingOwnership
        case resolvingOrigins([Int32])
        case fetchingNewest
        case fetchingStored
        case askingFlow
        case committing
        case backingOff(until: MonotonicTime)
    }

    let configuration: LaneConfiguration
    let log: Log
    var source: Source
    var store: Store

    var stage: Stage
    var stageSince: MonotonicTime
    var partitions: [LanePartition] = []
    var hasJoined = false
    var index = PartitionIndex()
    var cursors: UnsafeMutablePointer<PartitionCursor>

    var decoder: SliceDecoder
    let raw: UnsafeMutablePointer<RawMessage>
    let slicePositions: UnsafeMutablePointer<Int32>
    /// The same for messages of patient flow, which leave the slice before it is decoded.
    var flowDecoder: FlowDecoder
    let flowRaw: UnsafeMutablePointer<RawMessage>
    let flowPositions: UnsafeMutablePointer<Int32>
    /// `MessageRecord.topicIndex` of patient flow, -2 for none.
    let flowTopicIndex: Int32
    /// Whether the group has ever given this lane a partition of patient flow.
    var hasSeenFlow = false
    /// What is planned for the sealed batch's events.
    var flowPlan: FlowPlan
    /// The predictors of the facilities met.
    var foresight = FlowForesight()
    /// Clocks as they are once the sealed batch is committed.
    var plannedClocks: [(partition: TopicPartition, clock: FlowClock)] = []
    var origins = OriginTable()
    var patients: PatientTable
    /// The sealed batch's, and the one in which the filling batch is sorted ahead.
    var plan: BatchPlan
    var planAhead: BatchPlan

    /// The batch that messages go into, and the one on its way to the database.
    var filling: Batch
    var sealed: Batch
    var hasSealed = false
    /// The sealed batch's partitions were taken away: its commit may still succeed, but nothing follows from it.
    var sealedIsOrphan = false
    var sealedAt: MonotonicTime
    var trustsTable = true
    var attempts = 0
    /// SQLSTATE of the sealed batch's last failure; empty: none.
    var lastFailure = ""
    /// Lowered after the server refused a value, to find the message; grows back with every commit.
    var rowLimit: Int

    /// The filling batch was given back because the database stalls; partitions are assigned again afterwards.
    var isStalled = false
    /// Since when the filling batch has had no room. Not the request's own time: one that is repeated has many.
    var fullSince: MonotonicTime?
    var isDrained = true
    /// A partition left the flow or has to be read again: the rest is assigned anew after the slice.
    var needsReassignment = false
    /// How long the next attempt to connect waits; short again after a commit, or a session that lasted.
    var reconnectPause: Duration
    var connectedAt: MonotonicTime?
    var awaySince: MonotonicTime?
    var lastTurn: MonotonicTime
    /// After a pause of the whole process the group is believed only from here on.
    var trustsGroupAfter: MonotonicTime
    /// When a topic was last unknown, or a fetch refused; nil once the group was asked again because of it.
    var topicDoubtAt: MonotonicTime?
    /// When the group is asked again.
    var rejoinAt: MonotonicTime?
    var ownershipCheckAt: MonotonicTime
    var watermarkRetryAt: MonotonicTime

    /// Commits that Kafka has not been told of, and when it may be told again.
    var hasUnreported = false
    var reportAt: MonotonicTime

    /// The source is dead: no message will come any more.
    public internal(set) var hasFailed = false

    var counters = LaneCounters()
    var commitLatency = CommitLatency()
    var databaseReason = "connecting"

    /// A lane that has asked nothing yet.
    public init(
        configuration: LaneConfiguration, source: consuming Source, store: consuming Store, log: Log,
        now: MonotonicTime
    ) {
        self.configuration = configuration
        self.log = log
        self.source = source
        self.store = store
        stage = .disconnected(retryAt: now)
        stageSince = now
        sealedAt = now
        lastTurn = now
        trustsGroupAfter = now
        ownershipCheckAt = now
        watermarkRetryAt = now
        reportAt = now
        reconnectPause = configuration.reconnectPause.first
        unsafe cursors = .allocate(capacity: 1)
        decoder = SliceDecoder(
            maxMessageBytes: configuration.maxMessageBytes,
            maxFutureMilliseconds: configuration.maxFutureMilliseconds)
        unsafe raw = .allocate(capacity: LaneConfiguration.sliceMessages)
        unsafe slicePositions = .allocate(capacity: LaneConfiguration.sliceMessages)
        flowDecoder = FlowDecoder(
            maxMessageBytes: configuration.maxMessageBytes,
            maxFutureMilliseconds: configuration.maxFutureMilliseconds)
        unsafe flowRaw = .allocate(capacity: LaneConfiguration.sliceMessages)
        unsafe flowPositions = .allocate(capacity: LaneConfiguration.sliceMessages)
        flowTopicIndex =
            configuration.flowTopic.flatMap { configuration.topics.firstIndex(of: $0) }.map { Int32($0) } ?? -2
        flowPlan = FlowPlan(windowMinutes: configuration.windowMinutes)
        patients = PatientTable(capacity: configuration.patientCapacity)
        plan = BatchPlan(capacity: configuration.batchMaxRows)
        planAhead = BatchPlan(capacity: configuration.batchMaxRows)
        filling = Batch(capacity: configuration.batchMaxRows)
        sealed = Batch(capacity: configuration.batchMaxRows)
        rowLimit = configuration.batchMaxRows
    }

    deinit {
        unsafe cursors.deallocate()
        unsafe raw.deallocate()
        unsafe slicePositions.deallocate()
        unsafe flowRaw.deallocate()
        unsafe flowPositions.deallocate()
    }

    /// Does what can be done without waiting.
    /// - Returns: true when there is more to do at once; otherwise wait as `interest` says, then turn again.
    public mutating func turn(now: MonotonicTime) -> Bool {
        if now - lastTurn > .seconds(3) { trustsGroupAfter = now + .seconds(3) }
        lastTurn = now
        driveStore(now)
        if stage == .idle { startWork(now) }
        let canTake = canTakeMessages
        if canTake {
            fullSince = nil
            takeMessages(now)
        } else {
            giveBackWhenStalled(now)
            sortAhead()
        }
        if stage == .idle { startWork(now) }
        rejoinWhenLeftOut(now)
        reportCommitted(now)
        return canTake && !isDrained
    }

    /// What to wait for when `turn` found nothing more to do.
    public var interest: LaneInterest {
        LaneInterest(store: store.interest, wantsMessages: canTakeMessages)
    }

    /// Lets a commit that is under way finish; everything else is dropped. Nothing is taken from the source.
    /// - Returns: true when nothing is under way any more.
    public mutating func finish(now: MonotonicTime) -> Bool {
        if case .committing = stage {
            driveStore(now)
            if case .committing = stage { return false }
        }
        dropFilling()
        reportCommitted(max(now, reportAt))
        store.disconnect()
        return true
    }

    /// Leaves the group. False when the client did not end in time; leave the process then.
    public mutating func close(within limit: Duration) -> Bool {
        source.close(within: limit)
    }

    // MARK: - Messages in

    /// Whether the filling batch has room for a slice; without a session only events are served.
    var canTakeMessages: Bool {
        // A full table of origins is emptied when its ids are there, unless a batch refers to it by then.
        if origins.isFull, !isStalled, case .resolvingOrigins = stage { return false }
        return filling.messageCount < min(rowLimit, filling.capacity)
            && filling.flowEvents.count < LaneConfiguration.mostFlowEvents
            && filling.retainedBytes < configuration.batchMaxBytes
    }

    /// A full batch has to wait for the database anyway: what can be done before the other one is stored is done now.
    private func sortAhead() {
        guard hasSealed, filling.readingCount > 0 else { return }
        unsafe planAhead.sortAhead(filling.readings, count: filling.readingCount, filling: filling.filling)
    }

    /// Forgets the filling batch; what it held is read again from the ledger's offset.
    mutating func dropFilling() {
        filling.reset()
        for place in partitions.indices {
            unsafe cursors[place].advance = -1
            unsafe cursors[place].next = unsafe cursors[place].batchStart
            let hash = unsafe cursors[place].batchStartHash
            unsafe cursors[place].lastHash = hash
            // The message to compare with is now another one; where none was ever read, there is nothing to compare.
            if case .verifying = partitions[place].phase {
                partitions[place].phase = hash.map { .verifying(hash: $0) } ?? .running
            }
        }
    }

    /// A database that takes long must not keep the group's calls unanswered: a full batch is given back, nothing is
    /// assigned, and polling goes on until the request is over.
    private mutating func giveBackWhenStalled(_ now: MonotonicTime) {
        let since = fullSince ?? now
        fullSince = since
        guard stage != .idle, now - since > configuration.stallLimit else { return }
        log.warning(
            "the database is slow: reading pauses until it has answered", .field("lane", configuration.lane),
            .field("waited_milliseconds", now - since))
        dropFilling()
        for place in partitions.indices { unsafe cursors[place].state = .ignored }
        assign([])
        isStalled = true
    }
}
