// The public signatures are made of their values.
public import Kafka
public import Service
internal import Synchronization

/// A thread that turns one lane until it is told to stop, and the lane's face to the rest of the process.
public final class LaneThread: Sendable {
    /// What a lane shows of itself, as of its last turn or at most a quarter of a second before.
    public let status: Locked<LaneStatus>
    private let lastTurn: Atomic<Int64>
    private let isDone = Atomic<Bool>(false)
    private let isFailed = Atomic<Bool>(false)
    private let thread: Locked<ServiceThread?>

    private static let statusInterval: Duration = .milliseconds(250)
    private static let longestWaitMilliseconds: Int32 = 250
    private static let finishLimit: Duration = .seconds(5)
    private static let closeLimit: Duration = .seconds(3)

    /// Prepares lane number `lane`; `start` makes its thread.
    public init(lane: Int) {
        status = Locked(LaneStatus(lane: lane))
        lastTurn = Atomic(MonotonicTime.now().nanoseconds)
        thread = Locked(nil)
    }

    /// When the lane's loop last turned.
    public var lastTurnAt: MonotonicTime { MonotonicTime(nanoseconds: lastTurn.load(ordering: .acquiring)) }

    /// Whether the loop has ended.
    public var hasEnded: Bool { isDone.load(ordering: .acquiring) }

    /// Whether the lane could not start, or its Kafka client has failed for good: the process has to end, not with 0.
    public var hasFailed: Bool { isFailed.load(ordering: .acquiring) }

    /// Starts the thread. It makes its own consumer and store, so that both live and end on it.
    /// - Parameter makeSource: called on the new thread; a failure ends the lane and is logged.
    public func start(
        configuration: LaneConfiguration, stop: StopFlag, log: Log,
        makeSource: @escaping @Sendable () throws(KafkaError) -> KafkaSource,
        makeStore: @escaping @Sendable () -> PostgresStore
    ) throws(SystemError) {
        let wake = try WakeEvent()
        stop.wake(wake)
        let started = try ServiceThread(name: "lane-\(configuration.lane)") {
            do {
                let source = try makeSource()
                self.run(source, makeStore(), configuration: configuration, stop: stop, wake: wake, log: log)
            } catch {
                log.error(
                    "the lane cannot start", .field("lane", configuration.lane), .field("error", "\(error)"))
                self.giveUp()
            }
            self.isDone.store(true, ordering: .releasing)
        }
        thread.withLock { $0 = started }
    }

    /// Waits for the thread's end. False when it still runs after `limit`.
    public func join(within limit: Duration) -> Bool {
        guard let started = thread.withLock({ $0 }) else { return true }
        return started.join(within: limit)
    }

    private func run(
        _ source: consuming KafkaSource, _ store: consuming PostgresStore, configuration: LaneConfiguration,
        stop: StopFlag, wake: WakeEvent, log: Log
    ) {
        let sourceDescriptor = source.eventDescriptor
        var lane = Lane(
            configuration: configuration, source: source, store: store, log: log, now: .now())
        var poll = PollSet(capacity: 3)
        poll.set(0, wake.descriptor, read: true)
        var statusAt = MonotonicTime.now()
        while !stop.isSet {
            let now = MonotonicTime.now()
            lastTurn.store(now.nanoseconds, ordering: .releasing)
            let hasMore = lane.turn(now: now)
            if lane.hasFailed { giveUp() }
            if now >= statusAt {
                statusAt = now + Self.statusInterval
                publish(lane.status())
            }
            if !hasMore { wait(lane.interest, sourceDescriptor: sourceDescriptor, &poll) }
        }
        end(&lane, log: log, lane: configuration.lane, &poll)
    }

    private func wait(_ interest: LaneInterest, sourceDescriptor: Int32, _ poll: inout PollSet) {
        if interest.store.descriptor >= 0 {
            poll.set(1, interest.store.descriptor, read: interest.store.read, write: interest.store.write)
        } else {
            poll.clear(1)
        }
        if interest.wantsMessages { poll.set(2, sourceDescriptor, read: true) } else { poll.clear(2) }
        _ = poll.wait(timeoutMilliseconds: Self.longestWaitMilliseconds)
    }

    /// The order of a lane's end: the transaction under way, the session, the group.
    private func end(
        _ lane: inout Lane<KafkaSource, PostgresStore>, log: Log, lane number: Int, _ poll: inout PollSet
    ) {
        let deadline = Deadline.after(Self.finishLimit)
        poll.clear(0)
        while !lane.finish(now: .now()) {
            if deadline.hasPassed() {
                log.warning(
                    "the last transaction did not end in time: it is left to the server", .field("lane", number))
                break
            }
            wait(lane.interest, sourceDescriptor: -1, &poll)
        }
        publish(lane.status())
        if !lane.close(within: Self.closeLimit) {
            log.warning("the Kafka client did not close in time: the process leaves it", .field("lane", number))
        }
    }

    /// Ends the process in order: whoever supervises it starts it again.
    private func giveUp() {
        if !isFailed.exchange(true, ordering: .acquiringAndReleasing) { StopSignal.requestStop() }
    }

    private func publish(_ next: LaneStatus) {
        status.withLock { $0 = next }
    }
}
