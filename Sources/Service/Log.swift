internal import Glibc
internal import Synchronization

/// How much a log line matters.
public enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    case debug, info, warning, error

    /// The level called `debug`, `info`, `warning` or `error`.
    public init?(name: String) {
        guard let level = LogLevel.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    /// The level's name, as settings and lines write it.
    public var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }

    /// From `debug` up to `error`.
    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}

/// Text for people, or one JSON object a line for programs.
public enum LogFormat: String, Sendable, CaseIterable {
    case text, json
}

/// One fact of a log line. Never a fact about a patient.
public struct LogField: Sendable {
    /// What a field may hold.
    public enum Value: Sendable, Equatable {
        case text(String)
        case integer(Int64)
        case number(Double)
        case truth(Bool)
    }

    /// The fact's name, in snake_case; units last.
    public let name: StaticString
    /// The fact itself.
    public let value: Value

    /// A fact as text. More than 1,024 bytes of it are cut off; control characters are escaped.
    public static func field(_ name: StaticString, _ value: String) -> LogField {
        LogField(name: name, value: .text(value))
    }

    /// A fact as a whole number.
    public static func field(_ name: StaticString, _ value: some FixedWidthInteger) -> LogField {
        LogField(name: name, value: .integer(Int64(clamping: value)))
    }

    /// A fact as a number.
    public static func field(_ name: StaticString, _ value: Double) -> LogField {
        LogField(name: name, value: .number(value))
    }

    /// A fact that is so or not.
    public static func field(_ name: StaticString, _ value: Bool) -> LogField {
        LogField(name: name, value: .truth(value))
    }

    /// A span of time, written in milliseconds: let the name end in `_ms`.
    public static func field(_ name: StaticString, _ value: Duration) -> LogField {
        LogField(name: name, value: .number(value.inMilliseconds))
    }
}

/// The program's one way to say what happens: a line a fact, on standard error.
///
/// Any thread may call it. A line is one write(2) of at most 4 KiB, so lines of threads, and of processes that share
/// a pipe, never mix. What repeats is held back: of one message (and key) 100 lines are written in 10 s, or one in
/// `every`; the next line that is written says in `suppressed` how many were not.
public final class Log: Sendable {
    /// Lines below it are not written, and cost nothing but the making of their fields.
    public let level: LogLevel
    private let format: LogFormat
    private let descriptor: Int32
    private let limiter = Locked(RepeatLimiter())
    private let lost = Atomic<Int>(0)
    private let clock: @Sendable () -> (wallMilliseconds: Int64, monotonic: MonotonicTime)

    /// Writes to `descriptor`, standard error by default, which stays the caller's.
    public convenience init(level: LogLevel = .info, format: LogFormat = .text, descriptor: Int32 = 2) {
        self.init(level: level, format: format, descriptor: descriptor) { (WallClock.nowMilliseconds(), .now()) }
    }

    /// As above, with a clock of the caller's, for tests.
    public init(
        level: LogLevel, format: LogFormat, descriptor: Int32,
        clock: @escaping @Sendable () -> (wallMilliseconds: Int64, monotonic: MonotonicTime)
    ) {
        self.level = level
        self.format = format
        self.descriptor = descriptor
        self.clock = clock
    }

    /// What helps only who looks for a fault.
    public func debug(_ message: StaticString, _ fields: LogField..., every: Duration? = nil, key: String = "") {
        write(.debug, message, fields, every: every, key: key)
    }

    /// A change that an operator wants to see.
    public func info(_ message: StaticString, _ fields: LogField..., every: Duration? = nil, key: String = "") {
        write(.info, message, fields, every: every, key: key)
    }

    /// Something is amiss, and the program deals with it.
    public func warning(_ message: StaticString, _ fields: LogField..., every: Duration? = nil, key: String = "") {
        write(.warning, message, fields, every: every, key: key)
    }

    /// Something is amiss, and somebody must deal with it.
    public func error(_ message: StaticString, _ fields: LogField..., every: Duration? = nil, key: String = "") {
        write(.error, message, fields, every: every, key: key)
    }

    /// Writes a line of any level.
    ///
    /// - Parameters:
    ///   - every: one line of this message and key in this time; nil: the common limit of 100 in 10 s.
    ///   - key: tells repeats of one message apart, as those of two partitions. A bounded set, please.
    public func write(
        _ level: LogLevel, _ message: StaticString, _ fields: [LogField], every: Duration? = nil, key: String = ""
    ) {
        guard level >= self.level else { return }
        let (wall, now) = clock()
        let verdict = limiter.withLock { limiter in
            limiter.admit(RepeatLimiter.Key(message: "\(message)", key: key), every: every, at: now)
        }
        guard case .write(let suppressed) = verdict else { return }
        var all = fields
        if suppressed > 0 { all.append(.field("suppressed", suppressed)) }
        let unwritten = lost.exchange(0, ordering: .relaxed)
        if unwritten > 0 { all.append(.field("lines_lost", unwritten)) }
        let line = LogLine.render(format, wallMilliseconds: wall, level: level, message: "\(message)", fields: all)
        // A line that is lost takes no count with it.
        if !send(line) { lost.add(unwritten + 1, ordering: .relaxed) }
    }

    /// Writes a line for each message whose repeats are still held back. For the program's end.
    public func flush() {
        let (wall, now) = clock()
        for (message, suppressed) in limiter.withLock({ $0.takeSuppressed(at: now) }) {
            let fields: [LogField] = [.field("repeated", message), .field("suppressed", suppressed)]
            let line = LogLine.render(
                format, wallMilliseconds: wall, level: .info, message: "lines held back", fields: fields)
            if !send(line) { lost.add(1, ordering: .relaxed) }
        }
    }

    /// - Returns: whether the line was written; one that nobody has room for is not waited with.
    private func send(_ line: [UInt8]) -> Bool {
        var start = 0
        while start < line.count {
            // A pipe that nobody reads must not hold a lane up. Room is asked for instead of setting O_NONBLOCK, which
            // others who share the descriptor would get too; what a pipe calls writable takes a whole page.
            var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            if unsafe poll(&room, 1, 0) == 0 { return false }
            let written = unsafe line.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress.map { unsafe $0 + start }, bytes.count - start)
            }
            if written > 0 {
                start += written
            } else if errno != EINTR {
                // A reader that is gone or does not keep up must not stop the service; the next line tells.
                return false
            }
        }
        return true
    }
}
