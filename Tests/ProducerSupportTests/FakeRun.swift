import ProducerSupport

/// A clock that stands still until somebody waits, and a stop signal that a test gives.
final class FakeClock {
    var nanoseconds: Int64 = 5_000_000_000
    var wallMilliseconds: Int64 = 1_790_000_000_000
    var isStopping = false

    func advance(milliseconds: Int64) {
        nanoseconds += milliseconds * 1_000_000
        wallMilliseconds += milliseconds
    }

    var time: RunTime { RunTime(monotonicNanoseconds: nanoseconds, wallClockMilliseconds: wallMilliseconds) }
}

/// A sink with room for so many messages; each poll takes its time and delivers some.
struct FakeSink: ~Copyable, MessageSink {
    let clock: FakeClock
    /// Messages that fit before the sink is full.
    var room = Int.max
    /// Delivered by each poll and each flush.
    var deliveredPerPoll = Int.max
    /// The answer to message number `refusedAt`, counted from 0.
    var refusedAt = Int.max
    /// What is said once this many were delivered.
    var obstacleAfter = Int.max
    /// Called with the number of polls so far.
    var onPoll: (Int) -> Void = { _ in }
    /// Milliseconds of each message since the clock's start, in order.
    private(set) var times: [Int64] = []
    private(set) var payloads: [[UInt8]] = []
    private(set) var offers = 0
    private(set) var polls = 0
    private(set) var delivered = 0
    private let start: Int64

    init(_ clock: FakeClock) {
        self.clock = clock
        start = clock.nanoseconds
    }

    var failed: Int { obstacle == nil ? 0 : 1 }
    var obstacle: String? { delivered >= obstacleAfter ? "broken" : nil }

    mutating func offer(key: UnsafeRawBufferPointer?, payload: UnsafeRawBufferPointer) -> SinkAnswer {
        offers += 1
        if payloads.count == refusedAt { return .refused("no") }
        if payloads.count - delivered >= room { return .full }
        payloads.append(Array(payload))
        times.append((clock.nanoseconds - start) / 1_000_000)
        return .taken
    }

    mutating func poll(timeoutMilliseconds: Int32) {
        polls += 1
        onPoll(polls)
        clock.advance(milliseconds: Int64(timeoutMilliseconds))
        deliver()
    }

    mutating func flush(withinMilliseconds: Int32) -> Int {
        clock.advance(milliseconds: Int64(withinMilliseconds))
        deliver()
        return payloads.count - delivered
    }

    private mutating func deliver() {
        delivered += min(deliveredPerPoll, payloads.count - delivered)
    }
}

/// Messages 0, 1, 2 and so on, as decimal text.
struct FakeSource: ~Copyable, MessageSource {
    let total: Int
    /// Message number n is not offered before this wall-clock time.
    var earliest: (Int) -> Int64 = { _ in 0 }
    private(set) var sent = 0
    private var present: [UInt8] = []
    private var next = 0

    init(_ total: Int) {
        self.total = total
    }

    mutating func advance(wallClockMilliseconds: Int64) throws(ReplayError) -> SourceStep {
        if next == total { return .end }
        if earliest(next) > wallClockMilliseconds { return .notBefore(earliest(next)) }
        present = Array("\(next)".utf8)
        next += 1
        return .message
    }

    func withMessage<Result>(
        _ body: (_ key: UnsafeRawBufferPointer?, _ payload: UnsafeRawBufferPointer) -> Result
    ) -> Result {
        present.withUnsafeBytes { body(nil, $0) }
    }

    mutating func countSent() {
        sent += 1
    }
}

/// Runs a loop over a fake clock.
func run<Source: MessageSource & ~Copyable>(
    _ source: inout Source, _ sink: inout FakeSink, _ limits: RunLimits,
    progress: @escaping (RunResult) -> Void = { _ in }
) -> RunResult {
    let clock = sink.clock
    let loop = SendLoop(
        limits: limits, now: { clock.time }, isStopping: { clock.isStopping }, progress: progress)
    return loop.run(&source, &sink)
}
