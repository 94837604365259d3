import ProducerSupport
import Testing

@Suite struct SendLoopTests {
    @Test func `a full sink is offered the same message until it takes it`() {
        let clock = FakeClock()
        var sink = FakeSink(clock)
        sink.room = 3
        sink.deliveredPerPoll = 1
        var source = FakeSource(1_000)
        let result = run(&source, &sink, RunLimits(rate: 0))
        #expect(sink.payloads == (0..<1_000).map { Array("\($0)".utf8) })
        #expect(result.sent == 1_000 && result.delivered == 1_000 && result.undelivered == 0)
        #expect(source.sent == 1_000)
        #expect(sink.offers > 1_000)
    }

    @Test func `messages go at the wanted rate, evenly`() {
        let clock = FakeClock()
        var sink = FakeSink(clock)
        var source = FakeSource(1_000)
        _ = run(&source, &sink, RunLimits(rate: 200))
        // Number n is due at n * 5 ms and goes at most a poll's rounding later.
        for (number, time) in sink.times.enumerated() { #expect((0...1).contains(time - Int64(number) * 5)) }
    }

    @Test func `a long pause of the broker is not followed by a burst`() {
        let clock = FakeClock()
        var sink = FakeSink(clock)
        // Ten seconds go by inside the hundredth poll.
        sink.onPoll = { polls in if polls == 100 { clock.advance(milliseconds: 10_000) } }
        var source = FakeSource(1_000)
        _ = run(&source, &sink, RunLimits(rate: 100))
        let latest = sink.times.last ?? 0
        // 10 s of sending, 10 s of pause, of which one second's worth is made up for.
        #expect((18_900...19_100).contains(latest))
    }

    @Test func `count and duration end a run`() {
        let clock = FakeClock()
        var sink = FakeSink(clock)
        var source = FakeSource(.max)
        #expect(run(&source, &sink, RunLimits(rate: 0, count: 700)).sent == 700)

        var slowSink = FakeSink(FakeClock())
        var slowSource = FakeSource(.max)
        let result = run(&slowSource, &slowSink, RunLimits(rate: 100, durationNanoseconds: 2_000_000_000))
        #expect((199...201).contains(result.sent))
        #expect(!result.isStopped)
    }

    @Test func `a stop signal ends a run with what is queued delivered`() {
        let clock = FakeClock()
        var sink = FakeSink(clock)
        sink.deliveredPerPoll = 100
        sink.onPoll = { polls in if polls == 3 { clock.isStopping = true } }
        var source = FakeSource(.max)
        let result = run(&source, &sink, RunLimits(rate: 0))
        #expect(result.isStopped)
        #expect(result.sent == 3 * 512 && result.delivered == result.sent && result.undelivered == 0)
    }

    @Test func `a stop signal while the sink is full leaves the message that waited uncounted`() {
        let clock = FakeClock()
        var sink = FakeSink(clock)
        sink.room = 10
        sink.deliveredPerPoll = 0
        sink.onPoll = { polls in if polls == 5 { clock.isStopping = true } }
        var source = FakeSource(.max)
        let before = clock.nanoseconds
        let result = run(&source, &sink, RunLimits(rate: 0))
        #expect(result.sent == 10 && source.sent == 10 && result.undelivered == 10)
        // The patience after a stop signal is eight seconds.
        #expect((8_000_000_000...9_000_000_000).contains(clock.nanoseconds - before))
    }

    @Test func `what was never delivered is counted and waited for`() {
        let clock = FakeClock()
        var sink = FakeSink(clock)
        sink.deliveredPerPoll = 0
        var source = FakeSource(5)
        let before = clock.nanoseconds
        let result = run(&source, &sink, RunLimits(rate: 0))
        #expect(result.sent == 5 && result.delivered == 0 && result.undelivered == 5)
        #expect(clock.nanoseconds - before >= 310_000_000_000)
    }

    @Test func `an obstacle or a refusal ends a run and is told`() {
        var sink = FakeSink(FakeClock())
        sink.obstacleAfter = 512
        var source = FakeSource(.max)
        let broken = run(&source, &sink, RunLimits(rate: 0))
        #expect(broken.obstacle == "broken" && broken.sent == 512)

        var refusing = FakeSink(FakeClock())
        refusing.refusedAt = 7
        var other = FakeSource(.max)
        let refused = run(&other, &refusing, RunLimits(rate: 0))
        #expect(refused.obstacle == "no" && refused.sent == 7 && refused.delivered == 7)
    }

    @Test func `a reading is never sent before its time`() {
        let clock = FakeClock()
        let begin = clock.wallMilliseconds
        var sink = FakeSink(clock)
        var source = FakeSource(50)
        // Ten messages a second by event time, as fast as possible by rate.
        source.earliest = { begin + Int64($0) * 100 }
        _ = run(&source, &sink, RunLimits(rate: 0))
        for (number, time) in sink.times.enumerated() { #expect((0...1).contains(time - Int64(number) * 100)) }
    }

    @Test func `there is a progress report each second, also while nothing moves`() {
        let clock = FakeClock()
        var sink = FakeSink(clock)
        sink.room = 10
        sink.deliveredPerPoll = 0
        sink.onPoll = { polls in if polls == 100 { clock.isStopping = true } }
        var source = FakeSource(.max)
        var seconds: [Int64] = []
        _ = run(&source, &sink, RunLimits(rate: 0)) { seconds.append($0.nanoseconds / 1_000_000_000) }
        // A hundred polls of 50 ms, then eight seconds of waiting for what is queued.
        #expect(seconds == Array(1...4) + Array(6...12))
    }
}
