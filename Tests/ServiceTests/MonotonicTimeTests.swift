import Service
import Testing

@Suite struct MonotonicTimeTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    @Test func `the clock does not go back`() {
        let first = MonotonicTime.now()
        #expect(MonotonicTime.now() >= first)
    }

    @Test func `times stop at the ends of their range instead of overflowing`() {
        #expect(start.advanced(by: .seconds(Int64.max)).nanoseconds == .max)
        #expect(MonotonicTime(nanoseconds: .min).advanced(by: .seconds(-1)).nanoseconds == .min)
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        #expect(Duration.seconds(Int64.min).wholeNanoseconds == .min)
        #expect(Deadline.after(.seconds(Int64.max), from: start).remainingMilliseconds(at: start) == .max)
    }

    @Test func `what is left is rounded up, so that no wait ends early and spins`() {
        let deadline = Deadline.after(.nanoseconds(1_000_001), from: start)
        #expect(deadline.remainingMilliseconds(at: start) == 2)
        #expect(Deadline.after(.milliseconds(1), from: start).remainingMilliseconds(at: start) == 1)
        #expect(Deadline.after(.nanoseconds(1), from: start).remainingMilliseconds(at: start) == 1)
    }

    @Test func `a deadline passes at its instant`() {
        let deadline = Deadline(at: start)
        #expect(deadline.hasPassed(at: start))
        #expect(deadline.remaining(at: start) == .zero)
        #expect(deadline.remainingMilliseconds(at: start) == 0)
        #expect(!deadline.hasPassed(at: MonotonicTime(nanoseconds: 999_999_999)))
        #expect(deadline.remaining(at: MonotonicTime(nanoseconds: 999_999_999)) == .nanoseconds(1))
    }

    @Test func `durations are read in whole units and in seconds`() {
        #expect(Duration.milliseconds(1_999).wholeMilliseconds == 1_999)
        #expect(Duration.microseconds(1_999).wholeMilliseconds == 1)
        #expect(Duration.milliseconds(-1_500).inSeconds == -1.5)
        #expect(Duration.microseconds(250).inMilliseconds == 0.25)
        #expect(start + .seconds(1) - start == .seconds(1))
    }

    @Test func `work uses processor time`() {
        let before = ProcessorTime.ofThread()
        var sum = 0.0
        while ProcessorTime.ofThread() == before { sum += 1 }
        #expect(ProcessorTime.ofThread() > before)
        #expect(ProcessorTime.ofProcess() >= before || sum > 0)
    }
}
