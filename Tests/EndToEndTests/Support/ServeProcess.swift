import FoundationEssentials  // JSON of another reader than ours: the log promises to be JSON
import Glibc
import HTTP
import Service
import TestSupport

/// One line of a service's log.
struct LogRecord: Decodable {
    let level: String
    let message: String
    let reason: String?
    let partitions: String?
    let topic: String?
    let sqlstate: String?

    private enum CodingKeys: CodingKey {
        case level, message, reason, partitions, topic, sqlstate
    }
}

/// A `vitalstream serve` of our own, its log in a file.
final class ServeProcess {
    let name: String
    let logPath: String
    let process: ChildProcess

    init(name: String, logPath: String, settings: [String: String]) throws {
        self.name = name
        self.logPath = logPath
        var command = ChildCommand(try Programs.path("vitalstream"), ["serve"])
        command.environment = Programs.environment(settings)
        command.output = .null
        command.error = .file(logPath, appending: false)
        command.diesWithParent = true
        process = try ChildProcess(command)
    }

    // MARK: - What it says

    /// Its whole log.
    var log: String { get throws { try FileSystem.readText(logPath) } }

    /// The log line by line; a line that is not JSON is an error. Half a line at the end is still being written.
    func records() throws -> [LogRecord] {
        let text = try log
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        lines.removeLast()
        let decoder = JSONDecoder()
        return try lines.map { line in
            do {
                return try decoder.decode(LogRecord.self, from: Data(line.utf8))
            } catch {
                throw TestFailure("\(name) wrote a line that is not JSON: \(line)")
            }
        }
    }

    /// How many lines have this message.
    func count(of message: String) throws -> Int {
        try records().count { $0.message.contains(message) }
    }

    /// Waits for a line with this message, and this in its reason.
    @discardableResult
    func awaitLine(_ message: String, reason: String = "", within limit: Duration = .seconds(60)) throws -> LogRecord {
        do {
            return try eventually("\(name) says \"\(message)\"", within: limit) {
                if let status = process.exitStatus { throw TestFailure("\(name) has ended: \(status)") }
                return try records().last {
                    $0.message.contains(message) && (reason.isEmpty || $0.reason?.contains(reason) == true)
                }
            }
        } catch {
            throw TestFailure("\(error)\n\(tail())")
        }
    }

    /// The end of the log, for a failure's text.
    func tail(lines: Int = 30) -> String {
        let text = (try? log) ?? "(no log)"
        return "--- \(name):\n" + text.split(separator: "\n").suffix(lines).joined(separator: "\n")
    }

    // MARK: - What it answers

    /// The port of its HTTP server, once it is known.
    func httpPort() throws -> UInt16 {
        struct Serving: Decodable {
            let port: UInt16

            private enum CodingKeys: String, CodingKey {
                case port = "http_port"
            }
        }
        return try eventually("\(name) tells its port", within: .seconds(30)) {
            let line = try log.split(separator: "\n").first { $0.contains("\"message\":\"serving\"") }
            return try line.map { try JSONDecoder().decode(Serving.self, from: Data($0.utf8)).port }
        }
    }

    /// What a path answers.
    func get(_ path: String) throws -> (status: Int, body: String) {
        let answer = try HTTPClient.get(host: "127.0.0.1", port: try httpPort(), path: path)
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    /// Waits until `/readyz` says yes.
    func awaitReady(within limit: Duration = .seconds(60)) throws {
        var last = ""
        do {
            try eventually("\(name) is ready", within: limit, every: .milliseconds(50)) {
                let answer = try get("/readyz")
                last = answer.body
                return answer.status == 200
            }
        } catch {
            throw TestFailure("\(error)\nreadyz: \(last)\n\(tail())")
        }
    }

    /// Waits until `/readyz` says no and gives this as a reason.
    @discardableResult
    func awaitNotReady(_ reason: String, within limit: Duration = .seconds(60)) throws -> String {
        try eventually("\(name)'s readyz is 503 and says \"\(reason)\"", within: limit, every: .milliseconds(50)) {
            let answer = try get("/readyz")
            return answer.status == 503 && answer.body.contains(reason) ? answer.body : nil
        }
    }

    // MARK: - Signals

    /// SIGKILL, and its end.
    func kill() throws {
        process.signal(SIGKILL)
        guard process.wait(within: .seconds(10)) != nil else { throw TestFailure("\(name) survives SIGKILL") }
    }

    /// Asks it to stop; it must end by itself with code 0 within 10 s.
    func stop(with signal: Int32 = SIGTERM) throws {
        if let status = process.exitStatus { throw TestFailure("\(name) had ended before: \(status)\n\(tail())") }
        process.signal(signal)
        guard let status = process.wait(within: .seconds(10)) else {
            throw TestFailure("\(name) does not end within 10 s of signal \(signal)\n\(tail())")
        }
        guard status.isSuccess else { throw TestFailure("\(name) ended with \(status)\n\(tail())") }
    }

    /// SIGSTOP, until the kernel says that it stands still.
    func freeze() throws {
        process.signal(SIGSTOP)
        try awaitFrozen()
    }

    /// Waits until it stands still.
    func awaitFrozen() throws {
        try eventually("\(name) stands still", within: .seconds(10)) {
            let stat = try FileSystem.readText("/proc/\(process.pid)/stat")
            // pid (name) state ...
            return stat.split(separator: ")").last?.split(separator: " ").first == "T"
        }
    }

    /// SIGCONT.
    func thaw() {
        process.signal(SIGCONT)
    }
}
