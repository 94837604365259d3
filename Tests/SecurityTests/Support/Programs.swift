import Service
import Testing

/// What a command said and how it ended.
struct CommandRun {
    let code: Int32?
    let output: String
    let errors: String

    /// All that it wrote.
    var text: String { output + errors }

    /// The lines of `check` that failed, without their verdict.
    var failures: [Substring] {
        output.split(separator: "\n").filter { $0.hasPrefix("FAIL  ") }.map { $0.dropFirst(6) }
    }
}

/// The program `vitalstream` that the build left beside the test bundle, run as users run it: by settings alone.
enum Program {
    /// Starts it.
    static func start(_ arguments: [String], _ settings: [String: String]) throws -> ChildProcess {
        var command = ChildCommand(try path(), arguments)
        // Settings and nothing else that could steer libpq or the program.
        command.environment = settings.merging(["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"]) { $1 }
        command.output = .pipe
        command.error = .pipe
        command.diesWithParent = true
        return try ChildProcess(command)
    }

    /// Runs it to its end.
    static func run(
        _ arguments: [String], _ settings: [String: String], within limit: Duration = .seconds(20)
    ) throws -> CommandRun {
        let child = try start(arguments, settings)
        let status = child.wait(within: limit)
        if status == nil { child.signal(9) }
        _ = child.output?.waitForEnd(within: .seconds(5))
        _ = child.errorOutput?.waitForEnd(within: .seconds(5))
        var code: Int32?
        if case .exited(let exited) = status { code = exited }
        return CommandRun(code: code, output: child.output?.text ?? "", errors: child.errorOutput?.text ?? "")
    }

    /// Runs `serve` until its log says something or it ends, then asks it to stop; gives its log. Quotation marks
    /// within a field, which a line of the log escapes, are given as they are.
    static func serve(_ settings: [String: String], until text: String) throws -> CommandRun {
        let child = try start(["serve"], settings)
        do {
            try eventually("serve says \(text)", within: .seconds(40)) {
                child.exitStatus != nil || unescaped(child.errorOutput?.text ?? "").contains(text)
            }
        } catch {
            child.signal(9)
            throw TestFailure("\(error)\n\(child.errorOutput?.text ?? "")")
        }
        let status = child.stop(within: .seconds(10))
        _ = child.errorOutput?.waitForEnd(within: .seconds(5))
        var code: Int32?
        if case .exited(let exited) = status { code = exited }
        return CommandRun(
            code: code, output: child.output?.text ?? "", errors: unescaped(child.errorOutput?.text ?? ""))
    }

    private static func unescaped(_ log: String) -> String { log.replacing("\\\"", with: "\"") }

    private static func path() throws -> String {
        var candidates: [String] = []
        if let own = HostProcess.executablePath { candidates.append(directory(of: own) + "/vitalstream") }
        // In a bundle the tests run from the toolchain's helper; an argument then names the bundle.
        for argument in CommandLine.arguments where argument.hasSuffix(".xctest") {
            candidates.append(directory(of: argument) + "/vitalstream")
        }
        guard let found = candidates.first(where: { FileSystem.isExecutable($0) }) else {
            throw TestFailure("vitalstream is not at \(candidates.joined(separator: " or ")): build all products first")
        }
        return found
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return String(path[..<slash])
    }
}

/// Asks again and again until it is so, and fails when it is not so in time.
func eventually(_ state: String, within limit: Duration, _ condition: () throws -> Bool) throws {
    let deadline = Deadline.after(limit)
    var pauses = PollSet(capacity: 1)
    while try !condition() {
        if deadline.hasPassed() { throw TestFailure("after \(limit) still not: \(state)") }
        _ = pauses.wait(until: .after(.milliseconds(20)))
    }
}
