internal import CPosix

/// An instant of the clock that never jumps (CLOCK_MONOTONIC), in nanoseconds since an arbitrary start.
/// For time-outs and measurements only; nothing stored as data comes from it.
public struct MonotonicTime: Sendable, Hashable, Comparable, BitwiseCopyable {
    /// Nanoseconds since the machine's start.
    public let nanoseconds: Int64

    /// The instant at `nanoseconds`, as tests make it.
    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The present instant. About 25 ns.
    public static func now() -> MonotonicTime {
        MonotonicTime(nanoseconds: cposix_monotonic_nanoseconds())
    }

    /// The instant `duration` later; stays at the ends of the range instead of overflowing.
    public func advanced(by duration: Duration) -> MonotonicTime {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        if overflow { return MonotonicTime(nanoseconds: duration < .zero ? .min : .max) }
        return MonotonicTime(nanoseconds: sum)
    }

    /// The time from `earlier` to this instant.
    @inlinable
    public func duration(since earlier: MonotonicTime) -> Duration {
        .nanoseconds(nanoseconds &- earlier.nanoseconds)
    }

    /// The time between two instants, negative when the left one is the earlier.
    public static func - (left: MonotonicTime, right: MonotonicTime) -> Duration { left.duration(since: right) }

    /// The instant later by a duration.
    public static func + (left: MonotonicTime, right: Duration) -> MonotonicTime { left.advanced(by: right) }

    /// Whether the left instant is the earlier.
    @inlinable
    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }
}

/// An instant by which something must be done.
public struct Deadline: Sendable, Hashable, Comparable, BitwiseCopyable {
    /// The instant itself; never negative.
    public let time: MonotonicTime

    /// A deadline at a known instant. One before the clock's start counts as its start: long past.
    public init(at time: MonotonicTime) { self.time = MonotonicTime(nanoseconds: max(0, time.nanoseconds)) }

    /// A deadline `duration` from `start` on, by default from now on.
    public static func after(_ duration: Duration, from start: MonotonicTime = .now()) -> Deadline {
        Deadline(at: start.advanced(by: duration))
    }

    /// Whether the deadline lies at or before `now`.
    public func hasPassed(at now: MonotonicTime = .now()) -> Bool { time <= now }

    /// What is left, never negative.
    public func remaining(at now: MonotonicTime = .now()) -> Duration {
        time <= now ? .zero : time.duration(since: now)
    }

    /// What is left in milliseconds, rounded up, as poll(2) wants it: 0 when the deadline has passed.
    public func remainingMilliseconds(at now: MonotonicTime = .now()) -> Int32 {
        guard time > now else { return 0 }
        let (left, overflow) = time.nanoseconds.subtractingReportingOverflow(now.nanoseconds)
        if overflow { return .max }
        return Int32(clamping: (left - 1) / 1_000_000 + 1)
    }

    /// Whether the left deadline comes first.
    public static func < (left: Deadline, right: Deadline) -> Bool { left.time < right.time }
}

/// The time of day, for log lines, metrics and wall-clock facts such as "the hour's partition".
public enum WallClock {
    /// Milliseconds since 1970-01-01T00:00:00Z. May jump.
    public static func nowMilliseconds() -> Int64 { cposix_wall_milliseconds() }
}

/// Processor time, for measurements.
public enum ProcessorTime {
    /// What all threads of this process have used so far.
    public static func ofProcess() -> Duration { .nanoseconds(cposix_process_cpu_nanoseconds()) }
    /// What the calling thread has used so far.
    public static func ofThread() -> Duration { .nanoseconds(cposix_thread_cpu_nanoseconds()) }
}

extension Duration {
    /// The duration in nanoseconds; stays at the ends of the range (292 years) instead of overflowing.
    public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, tooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, tooLongStill) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return tooLong || tooLongStill ? (seconds < 0 ? .min : .max) : sum
    }

    /// The duration in milliseconds, fraction cut off.
    public var wholeMilliseconds: Int64 { wholeNanoseconds / 1_000_000 }

    /// The duration in seconds, for rates and for people.
    public var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }

    /// The duration in milliseconds, for rates and for people.
    public var inMilliseconds: Double { inSeconds * 1_000 }
}
