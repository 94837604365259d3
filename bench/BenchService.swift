internal import Glibc
internal import Service

/// A `vitalstream serve` under measurement.
final class BenchService {
    let process: ChildProcess
    let logPath: String
    private let handicap: Handicap?

    /// - Parameter handicapPercent: share of the time in which it is stopped, to see whether that is noticed.
    init(program: String, settings: [String: String], logPath: String, handicapPercent: Int = 0) throws {
        self.logPath = logPath
        var command = ChildCommand(program, ["serve"])
        var environment = ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"]
        environment.merge(settings) { _, new in new }
        command.environment = environment
        command.output = .null
        command.error = .file(logPath, appending: false)
        command.ownProcessGroup = true
        command.diesWithParent = true
        process = try ChildProcess(command)
        handicap = handicapPercent > 0 ? try Handicap(process, percent: handicapPercent) : nil
    }

    /// Throws when it has ended.
    func expectRunning() throws {
        guard let status = process.exitStatus else { return }
        // Without its log the status alone must do.
        let log = (try? FileSystem.readText(logPath)) ?? ""
        let end = log.split(separator: "\n").suffix(3).joined(separator: " | ")
        throw BenchError("vitalstream serve has ended (\(status)): \(end)")
    }

    /// Ends it as SIGTERM does.
    func stop() {
        handicap?.end()
        process.stop(within: .seconds(15))
    }

    /// Ends it as a crash does.
    func kill() {
        handicap?.end()
        process.signal(SIGKILL)
        _ = process.wait(within: .seconds(10))
    }
}

/// Stops a process for a share of each tenth of a second.
final class Handicap: Sendable {
    private let isOver = Locked(false)
    private let process: ChildProcess
    private let thread = Locked<ServiceThread?>(nil)

    init(_ process: ChildProcess, percent: Int) throws {
        self.process = process
        let isOver = isOver
        let stopped = Duration.milliseconds(percent)
        let running = Duration.milliseconds(100 - percent)
        let started = try ServiceThread(name: "handicap") {
            while true {
                process.signal(SIGSTOP)
                _ = isOver.wait(until: .after(stopped)) { !$0 }
                process.signal(SIGCONT)
                if !isOver.wait(until: .after(running), while: { !$0 }) { continue }
                return
            }
        }
        thread.withLock { $0 = started }
    }

    /// Lets it run.
    func end() {
        isOver.withLock { $0 = true }
        isOver.signal()
        _ = thread.withLock { $0 }?.join(within: .seconds(5))
        process.signal(SIGCONT)
    }
}
