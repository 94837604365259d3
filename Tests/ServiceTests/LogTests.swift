import Glibc
import Service
import Testing

/// A log into a pipe, with a clock that the test turns.
private final class Recorder: Sendable {
    let log: Log
    private let ends: [Int32]
    private let clock: Locked<Int64>

    init(level: LogLevel = .info, format: LogFormat = .text, blocks: Bool = false) {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0)
        for end in blocks ? ends[..<1] : ends[...] { precondition(fcntl(end, F_SETFL, O_NONBLOCK) == 0) }
        self.ends = ends
        let clock = Locked<Int64>(0)
        self.clock = clock
        // 2026-01-31T09:05:00Z
        log = Log(level: level, format: format, descriptor: ends[1]) {
            let seconds = clock.withLock { $0 }
            return (1_769_850_300_000 + seconds * 1_000, MonotonicTime(nanoseconds: seconds * 1_000_000_000))
        }
    }

    deinit { for end in ends { close(end) } }

    func turnClock(seconds: Int64) { clock.withLock { $0 += seconds } }

    /// What was written since the last call; a pipe gives it in pieces.
    func read() -> String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(ends[0], &piece, piece.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
    }

    func lines() -> [Substring] { read().split(separator: "\n") }
}

@Suite struct LogTests {
    @Test func `a text line has time, level, message and a field per fact`() {
        let recorder = Recorder()
        recorder.log.info(
            "partition assigned", .field("topic", "vitals"), .field("partition", 3), .field("lag", 1.25),
            .field("fresh", true), .field("wait_ms", Duration.microseconds(2_500)))
        #expect(
            recorder.read() == "2026-01-31T09:05:00.000Z info partition assigned "
                + "topic=vitals partition=3 lag=1.25 fresh=true wait_ms=2.5\n")
    }

    @Test func `a reader that stands still holds nobody up, and is told what it has missed`() throws {
        let recorder = Recorder(blocks: true)
        let text = String(repeating: "x", count: 200)
        let writer = try ServiceThread(name: "writer") {
            // 64 KiB fit into the pipe.
            for line in 0..<1_000 { recorder.log.info("line", .field("text", text), every: .zero, key: "\(line)") }
        }
        try #require(writer.join(within: .seconds(30)))
        let kept = recorder.lines().count
        #expect((200..<500).contains(kept))
        recorder.log.info("next")
        #expect(recorder.lines().last?.hasSuffix("lines_lost=\(1_000 - kept)") == true)
    }

    @Test func `a JSON line is one object`() {
        let recorder = Recorder(format: .json)
        recorder.log.error("database lost", .field("cause", "say \"no\"\n"), .field("tries", 2), .field("x", 0.0 / 0.0))
        #expect(
            recorder.read() == #"{"time":"2026-01-31T09:05:00.000Z","level":"error","message":"database lost","#
                + #""cause":"say \"no\"\n","tries":2,"x":null}"# + "\n")
    }

    @Test(arguments: [
        ("two words", #""two words""#), ("", #""""#), ("a=b", #""a=b""#), ("line\nbreak", #""line\nbreak""#),
        ("\u{1B}[31m", #""\u001b[31m""#), ("back\\slash", #""back\\slash""#),
        ("\u{2028}", #""\u2028""#), ("Zürich", "Zürich"),
    ])
    func `texts are quoted where they need it, and control nothing`(text: String, shown: String) {
        let recorder = Recorder()
        recorder.log.info("m", .field("f", text))
        #expect(recorder.lines().first?.hasSuffix(" f=\(shown)") == true)
    }

    @Test func `lines below the level are not written`() {
        let recorder = Recorder(level: .warning)
        recorder.log.debug("a")
        recorder.log.info("b")
        recorder.log.warning("c")
        recorder.log.error("d")
        #expect(recorder.lines().map { $0.suffix(1) } == ["c", "d"])
        #expect(LogLevel(name: "warning") == .warning)
        #expect(LogLevel(name: "loud") == nil)
    }

    @Test func `a repeat is written once an interval and says how many were not`() {
        let recorder = Recorder()
        for _ in 0..<5 { recorder.log.info("broker away", every: .seconds(30)) }
        recorder.log.info("broker away", every: .seconds(30), key: "other")
        #expect(recorder.lines().count == 2)
        recorder.turnClock(seconds: 30)
        recorder.log.info("broker away", every: .seconds(30))
        #expect(recorder.lines().map { $0.hasSuffix("broker away suppressed=4") } == [true])
        recorder.turnClock(seconds: 30)
        recorder.log.info("broker away", every: .seconds(30))
        #expect(recorder.lines().map { $0.hasSuffix("broker away") } == [true])
    }

    @Test func `of any message at most a hundred lines are written in ten seconds`() {
        let recorder = Recorder()
        for index in 0..<250 { recorder.log.info("noise", .field("n", index)) }
        #expect(recorder.lines().count == 100)
        recorder.turnClock(seconds: 10)
        recorder.log.info("noise")
        #expect(recorder.lines().map { $0.hasSuffix("noise suppressed=150") } == [true])
    }

    @Test func `the end tells of what is still held back`() {
        let recorder = Recorder()
        for _ in 0..<3 { recorder.log.info("again", every: .seconds(30)) }
        _ = recorder.read()
        recorder.log.flush()
        #expect(recorder.lines().map { $0.hasSuffix("lines held back repeated=again suppressed=2") } == [true])
        recorder.log.flush()
        #expect(recorder.read() == "")
    }

    @Test(arguments: LogFormat.allCases)
    func `a line fits a pipe's atomic write, whatever its fields hold`(format: LogFormat) {
        let recorder = Recorder(format: format)
        let long = String(repeating: "\u{1}", count: 5_000)
        recorder.log.info("long", .field("a", long), .field("b", long), .field("c", 1))
        let line = recorder.read()
        #expect(line.utf8.count <= 4_096)
        #expect(line.utf8.last == UInt8(ascii: "\n") && line.split(separator: "\n").count == 1)
        #expect(line.contains("truncated"))
    }

    @Test func `a reader that does not keep up costs lines, never the service`() {
        let recorder = Recorder()
        var written = 0
        // A pipe holds 64 KiB; these are 200 KiB.
        for index in 0..<200 {
            recorder.log.info("flood", .field("text", String(repeating: "x", count: 1_000)), key: "\(index)")
            written += 1
        }
        let kept = recorder.lines().count
        #expect(kept < written)
        recorder.log.info("after")
        #expect(recorder.lines().last?.contains("lines_lost=") == true)
    }

    @Test func `threads do not mix their lines`() throws {
        let recorder = Recorder(format: .json)
        let threads = try (0..<4).map { thread in
            try ServiceThread(name: "log-\(thread)") {
                for index in 0..<20 { recorder.log.info("line", .field("t", thread), .field("i", index)) }
            }
        }
        for thread in threads { #expect(thread.join(within: .seconds(30))) }
        let lines = recorder.lines()
        #expect(lines.count == 80)
        #expect(lines.allSatisfy { $0.hasPrefix("{\"time\"") && $0.hasSuffix("}") })
    }
}

@Suite struct UTCTextTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),  // before the epoch
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),  // a leap day of a century divisible by 400
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),  // no leap day in 2100
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func `milliseconds become a UTC time`(milliseconds: Int64, text: String) {
        #expect(UTCText.timestamp(milliseconds: milliseconds) == text)
    }

    @Test func `days become a date`() {
        #expect(UTCText.date(daysSince1970: 20_454) == "2026-01-01")
        #expect(UTCText.date(daysSince1970: -719_528) == "0000-01-01")
    }

    @Test(arguments: [(0, "0"), (1.5, "1.5"), (-0.25, "-0.25"), (2.0004, "2"), (1e300, "1e+300"), (12.3456, "12.346")])
    func `numbers have at most three decimals`(number: Double, text: String) {
        #expect(TextEscape.number(number) == text)
    }
}
