internal import CPosix
internal import Glibc
internal import Synchronization

/// What asks a program to end: SIGTERM and SIGINT, taken by the main thread alone.
public enum StopSignal: Int32, Sendable {
    /// Ctrl-C.
    case interrupt = 2
    /// `kill`, systemd, a container's end.
    case terminate = 15
    /// The terminal went away; only where `blockBeforeThreads(hangupToo: true)` asked for it.
    case hangUp = 1

    /// Blocks the stop signals and ignores SIGPIPE. To be called on the main thread before any thread starts, since
    /// threads inherit the mask: a thread without it would be killed in the middle of its work.
    public static func blockBeforeThreads(hangupToo: Bool = false) {
        cposix_stop_signals_block(hangupToo)
    }

    /// Waits for a stop signal, also one that came before the call. Main thread; after `blockBeforeThreads`.
    ///
    /// - Returns: the signal, nil once `limit` (nil: none) is over.
    public static func wait(within limit: Duration? = nil, hangupToo: Bool = false) -> StopSignal? {
        let milliseconds = limit.map { max(0, $0.wholeMilliseconds) } ?? -1
        return StopSignal(rawValue: cposix_stop_signals_wait(milliseconds, hangupToo))
    }

    /// Sends SIGTERM to this process: how another thread ends the main thread's `wait`.
    public static func requestStop() {
        _ = cposix_kill(getpid(), StopSignal.terminate.rawValue)
    }
}

/// Says to every thread that the program is ending, and wakes those that wait. It is set once and stays set.
public final class StopFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    private let events = Locked<[WakeEvent]>([])

    /// A flag that is not set.
    public init() {}

    /// Whether the stop was asked for. About 1 ns; fit for every turn of a loop.
    public var isSet: Bool { flag.load(ordering: .acquiring) }

    /// Asks for the stop and signals every event that is registered. Calls after the first one change nothing.
    public func set() {
        flag.store(true, ordering: .releasing)
        let waiting = events.withLock { $0 }
        for event in waiting { event.signal() }
    }

    /// Registers an event that `set` signals; at once when the flag is set already. Kept as long as the flag.
    public func wake(_ event: WakeEvent) {
        events.withLock { $0.append(event) }
        // Whichever of set() and wake() comes second sees the other's work.
        if isSet { event.signal() }
    }
}
