/// What takes messages: Kafka's producer, or a test's stand-in.
package protocol MessageSink: ~Copyable {
    /// Offers a message; `.full` means: poll, then offer the same again.
    mutating func offer(key: UnsafeRawBufferPointer?, payload: UnsafeRawBufferPointer) -> SinkAnswer
    /// Serves delivery reports, waiting for the first one at most so long.
    mutating func poll(timeoutMilliseconds: Int32)
    /// Pushes out what waits, for at most so long; how many still wait.
    mutating func flush(withinMilliseconds: Int32) -> Int
    /// Messages delivered so far.
    var delivered: Int { get }
    /// Messages given up so far.
    var failed: Int { get }
    /// Why it takes nothing more, nil while it does.
    var obstacle: String? { get }
    /// What must be there before the first message and is not yet; nil when all is there.
    mutating func missing(within limit: Duration) -> String?
}

extension MessageSink where Self: ~Copyable {
    /// Nothing is needed beforehand.
    package mutating func missing(within limit: Duration) -> String? { nil }
}

/// A sink's answer to a message.
package enum SinkAnswer: Equatable {
    case taken
    case full
    case refused(String)
}

/// The time, given from outside so that a test decides it.
package struct RunTime {
    /// Nanoseconds of a clock that never jumps.
    package var monotonicNanoseconds: Int64
    /// Milliseconds since 1970-01-01Z.
    package var wallClockMilliseconds: Int64

    /// One instant by both clocks.
    package init(monotonicNanoseconds: Int64, wallClockMilliseconds: Int64) {
        self.monotonicNanoseconds = monotonicNanoseconds
        self.wallClockMilliseconds = wallClockMilliseconds
    }
}

/// When a run ends, and how fast it goes.
package struct RunLimits {
    /// Messages a second; 0: as fast as they are taken.
    package var rate: Double
    /// Most messages, nil: no limit.
    package var count: Int?
    /// Longest time of sending, nil: no limit.
    package var durationNanoseconds: Int64?
    /// Patience for what is still waiting at the end of the messages.
    package var flushMilliseconds: Int64 = 310_000
    /// The same after a stop signal: a container is killed ten seconds after it.
    package var stoppedFlushMilliseconds: Int64 = 8_000

    /// Limits of a run; nothing is checked.
    package init(rate: Double, count: Int? = nil, durationNanoseconds: Int64? = nil) {
        self.rate = rate
        self.count = count
        self.durationNanoseconds = durationNanoseconds
    }
}

/// How a run ended.
package struct RunResult: Equatable {
    /// Messages that the sink took.
    package var sent = 0
    /// Messages that a broker acknowledged.
    package var delivered = 0
    /// Messages that were given up, or still waited when patience ended.
    package var undelivered = 0
    /// Time from the first message to the last delivery.
    package var nanoseconds: Int64 = 0
    /// Whether a stop signal ended it.
    package var isStopped = false
    /// Why it could not go on, nil when it could.
    package var obstacle: String?

    /// Nothing sent yet.
    package init() {}
}

/// Carries messages from a source to a sink at the wanted rate. It waits only inside the sink's `poll`, and while the
/// sink is full it offers the same message again: nothing is dropped.
package struct SendLoop {
    package let limits: RunLimits
    /// The time now.
    package let now: () -> RunTime
    /// Whether a stop signal came.
    package let isStopping: () -> Bool
    /// Told about once a second what is so far; `undelivered` then counts only what was given up.
    package let progress: (RunResult) -> Void

    /// A loop that has not begun.
    package init(
        limits: RunLimits, now: @escaping () -> RunTime, isStopping: @escaping () -> Bool,
        progress: @escaping (RunResult) -> Void
    ) {
        self.limits = limits
        self.now = now
        self.isStopping = isStopping
        self.progress = progress
    }

    private static let second: Int64 = 1_000_000_000
    private static let longestPollMilliseconds: Int64 = 50

    /// Runs until the source's end, a limit, a stop signal or an obstacle, then flushes.
    package func run<Source: MessageSource & ~Copyable, Sink: MessageSink & ~Copyable>(
        _ source: inout Source, _ sink: inout Sink
    ) -> RunResult {
        let start = now().monotonicNanoseconds
        var state = State(pace: Pace(rate: limits.rate, start: start))
        var nextProgress = start + Self.second
        while !isStopping(), state.result.obstacle == nil {
            let time = now()
            let elapsed = time.monotonicNanoseconds - start
            if time.monotonicNanoseconds >= nextProgress {
                nextProgress = time.monotonicNanoseconds + Self.second
                report(state.result, sink, elapsed: elapsed)
            }
            if let limit = limits.durationNanoseconds, elapsed >= limit { break }
            if let count = limits.count, state.result.sent >= count { break }
            do throws(ReplayError) {
                if try !sendSlice(from: &source, to: &sink, at: time, &state) { break }
            } catch {
                // What was read before the damage is sent, and counts.
                state.result.obstacle = error.message
            }
            if state.result.obstacle == nil { state.result.obstacle = sink.obstacle }
        }
        finish(&sink, &state.result, since: start)
        return state.result
    }

    private struct State {
        var pace: Pace
        var result = RunResult()
        /// The source's present message was not taken yet: it is offered again before any other.
        var isPending = false
    }

    /// Sends what is due, at most a slice, or waits a little; false at the source's end.
    private func sendSlice<Source: MessageSource & ~Copyable, Sink: MessageSink & ~Copyable>(
        from source: inout Source, to sink: inout Sink, at time: RunTime, _ state: inout State
    ) throws(ReplayError) -> Bool {
        var budget = state.pace.due(at: time.monotonicNanoseconds)
        if let count = limits.count { budget = min(budget, count - state.result.sent) }
        if budget == 0 {
            let wait = state.pace.nanosecondsToNext(at: time.monotonicNanoseconds)
            sink.poll(timeoutMilliseconds: Self.pollTime(milliseconds: (wait + 999_999) / 1_000_000))
            return true
        }
        for _ in 0..<budget {
            if !state.isPending {
                switch try source.advance(wallClockMilliseconds: time.wallClockMilliseconds) {
                case .end: return false
                case .message: state.isPending = true
                case .notBefore(let when):
                    sink.poll(timeoutMilliseconds: Self.pollTime(milliseconds: when - time.wallClockMilliseconds))
                    return true
                }
            }
            let answer = source.withMessage { key, payload in sink.offer(key: key, payload: payload) }
            switch answer {
            case .taken:
                state.isPending = false
                source.countSent()
                state.result.sent += 1
                state.pace.countSent()
            case .full:
                sink.poll(timeoutMilliseconds: Int32(Self.longestPollMilliseconds))
                return true
            case .refused(let why):
                state.result.obstacle = why
                return true
            }
        }
        sink.poll(timeoutMilliseconds: 0)
        return true
    }

    private func finish<Sink: MessageSink & ~Copyable>(
        _ sink: inout Sink, _ result: inout RunResult, since start: Int64
    ) {
        let begin = now().monotonicNanoseconds
        var nextProgress = begin + Self.second
        var waiting = sink.flush(withinMilliseconds: 0)
        while waiting > 0 {
            let time = now().monotonicNanoseconds
            let patience = isStopping() ? limits.stoppedFlushMilliseconds : limits.flushMilliseconds
            if time - begin >= patience * 1_000_000 { break }
            if time >= nextProgress {
                nextProgress = time + Self.second
                report(result, sink, elapsed: time - start)
            }
            waiting = sink.flush(withinMilliseconds: 200)
        }
        result.isStopped = isStopping()
        result.delivered = sink.delivered
        result.undelivered = result.sent - sink.delivered
        if result.obstacle == nil { result.obstacle = sink.obstacle }
        result.nanoseconds = now().monotonicNanoseconds - start
    }

    private func report<Sink: MessageSink & ~Copyable>(
        _ result: RunResult, _ sink: borrowing Sink, elapsed: Int64
    ) {
        var present = result
        present.delivered = sink.delivered
        present.undelivered = sink.failed
        present.nanoseconds = elapsed
        progress(present)
    }

    /// Short enough to notice a stop signal soon, and at least one millisecond, or the loop would spin.
    private static func pollTime(milliseconds: Int64) -> Int32 {
        Int32(max(1, min(longestPollMilliseconds, milliseconds)))
    }
}
