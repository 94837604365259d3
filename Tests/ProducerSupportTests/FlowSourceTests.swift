import CZlib
import ProducerSupport
import Service
import Simulation
import Testing

@Suite struct FlowSourceTests {
    private static let day: Int64 = 86_400_000

    private func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "flow")
        let result = Swift.Result { try body(directory) }
        try FileSystem.removeTree(directory)
        return try result.get()
    }

    /// A day that ends where the clock will be after it was sent at this speed.
    private func configuration(_ clock: FakeClock, speed: Double, days: Int64 = 1) throws -> FlowConfiguration {
        let lasts = speed > 0 ? Int64(Double(days * Self.day) / speed) : 0
        let start = clock.wallMilliseconds + lasts - days * Self.day
        return try FlowConfiguration(
            seed: 7, facilityCount: 2, startMilliseconds: start, endMilliseconds: start + days * Self.day)
    }

    private func timestamps(_ payloads: [[UInt8]]) throws -> [Int64] {
        try payloads.map { try #require($0.withUnsafeBytes { ReplayKey.timestamp(in: $0) }) }
    }

    @Test func `a pace sends at its speed, and nothing before its time when bound to the clock`() {
        var plain = EventPace(speed: 60, from: 1_000_000)
        #expect(plain.due(eventTime: 1_000_000, wallClockMilliseconds: 500) == 500)
        #expect(plain.due(eventTime: 1_060_000, wallClockMilliseconds: 900) == 1_500)
        var late = EventPace(speed: 1)
        #expect(late.due(eventTime: 7_000, wallClockMilliseconds: 100) == 100)
        #expect(late.due(eventTime: 6_000, wallClockMilliseconds: 100) < 100)
        var bound = EventPace(speed: 1_000, from: 1_000_000, isBoundToClock: true)
        #expect(bound.due(eventTime: 2_000_000, wallClockMilliseconds: 1_999_000) == 2_000_000)
        var atOnce = EventPace(speed: 0, isBoundToClock: true)
        #expect(atOnce.due(eventTime: 5, wallClockMilliseconds: 9) <= 9)
        #expect(atOnce.due(eventTime: 50, wallClockMilliseconds: 9) == 50)
        var absurd = EventPace(speed: 0.001)
        _ = absurd.due(eventTime: .min, wallClockMilliseconds: 9)
        #expect(absurd.due(eventTime: .max, wallClockMilliseconds: 9) == 9 + 100_000_000_000_000)
    }

    @Test func `an accelerated day ends when it should, and no event is ahead of the clock`() throws {
        let clock = FakeClock()
        let begin = clock.wallMilliseconds
        var sink = FakeSink(clock)
        var source = FlowSource(
            try configuration(clock, speed: 600),
            pace: EventPace(speed: 600, from: begin + Self.day / 600 - Self.day, isBoundToClock: true))
        let result = run(&source, &sink, RunLimits(rate: 0))
        #expect(result.sent > 500 && result.sent == source.counts.messages && result.obstacle == nil)
        for (time, sent) in zip(try timestamps(sink.payloads), sink.times) {
            #expect(time <= begin + sent)
            // A poll lasts at most 50 ms, and half a minute of the day.
            let due = (time - (begin + Self.day / 600 - Self.day)) / 600
            #expect((due - 1...due + 51).contains(sent))
        }
        #expect((140_000...144_100).contains(sink.times.last ?? 0))
    }

    @Test func `at once means at once, up to the present`() throws {
        let clock = FakeClock()
        var sink = FakeSink(clock)
        // Half of the day lies ahead.
        let start = clock.wallMilliseconds - Self.day / 2
        let configuration = try FlowConfiguration(
            seed: 7, facilityCount: 2, startMilliseconds: start, endMilliseconds: start + Self.day)
        let begin = clock.wallMilliseconds
        var source = FlowSource(configuration, pace: EventPace(speed: 0, isBoundToClock: true))
        _ = run(&source, &sink, RunLimits(rate: 0))
        let past = sink.times.count { $0 == 0 }
        #expect(past > 300 && sink.times.count > past)
        for (time, sent) in zip(try timestamps(sink.payloads), sink.times) { #expect(time <= begin + sent) }
    }

    @Test func `recorded events are sent at their speed, and lines without a time at once`() throws {
        let lines = [
            #"{"eventId":"1","facilityId":"a","timestamp":1000000}"#, #"{"eventId":"2","timestamp":1030000}"#,
            "not json", #"{"eventId":"3","facilityId":"b","timestamp":1010000}"#,
            #"{"eventId":"4","facilityId":"a","timestamp":1060000}"#,
        ]
        try withDirectory { directory in
            try FileSystem.writeText("\(directory)/events.ndjson", lines.joined(separator: "\n"))
            var sink = FakeSink(FakeClock())
            var source = try PacedReplay(
                path: "\(directory)/events.ndjson", keyField: "facilityId", pace: EventPace(speed: 10))
            let result = run(&source, &sink, RunLimits(rate: 0))
            #expect(result.sent == 5)
            #expect(sink.payloads.map { String(decoding: $0, as: UTF8.self) } == lines)
            #expect(sink.times == [0, 3_000, 3_000, 3_000, 6_000])
            #expect(source.counts.messages == 5 && source.counts.withoutKey == 2)
        }
    }

    @Test(arguments: ["events.ndjson", "events.ndjson.gz"])
    func `a file holds every message on a line of its own`(name: String) throws {
        try withDirectory { directory in
            let path = "\(directory)/\(name)"
            // Longer than what was there before.
            try FileSystem.writeText(path, String(repeating: "old\n", count: 500_000))
            var expected: [[UInt8]] = []
            var counts = FlowCounts()
            do {
                let clock = FakeClock()
                var source = FlowSource(try configuration(clock, speed: 0, days: 2), pace: EventPace(speed: 0))
                var file = try FileSink(path: path)
                let loop = SendLoop(
                    limits: RunLimits(rate: 0), now: { clock.time }, isStopping: { false }, progress: { _ in })
                let result = loop.run(&source, &file)
                counts = source.counts
                #expect(result.sent == counts.messages && result.delivered == counts.messages)
                #expect(result.undelivered == 0 && result.obstacle == nil)
                var sink = FakeSink(clock)
                var again = FlowSource(try configuration(clock, speed: 0, days: 2), pace: EventPace(speed: 0))
                _ = run(&again, &sink, RunLimits(rate: 0))
                expected = sink.payloads
            }
            var reader = try LineReader(path: path)
            var lines: [[UInt8]] = []
            while let line = try reader.next() { lines.append(Array(line)) }
            #expect(lines == expected && lines.count == counts.messages)
            let isPacked = try FileSystem.readFile(path).starts(with: [0x1F, 0x8B])
            #expect(isPacked == name.hasSuffix(".gz"))
        }
    }

    @Test func `a file that cannot be written ends the run, and nothing counts as delivered`() throws {
        let clock = FakeClock()
        var source = FlowSource(try configuration(clock, speed: 0, days: 7), pace: EventPace(speed: 0))
        // Writing to it fails as on a full disk.
        var file = try FileSink(path: "/dev/full")
        let loop = SendLoop(limits: RunLimits(rate: 0), now: { clock.time }, isStopping: { false }, progress: { _ in })
        let result = loop.run(&source, &file)
        #expect(result.obstacle?.contains("/dev/full") == true)
        #expect(result.delivered == 0 && result.undelivered > 0)
        #expect(throws: SystemError.self) { _ = try FileSink(path: "/nonexistent/file") }
    }
}
