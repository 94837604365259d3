import Service

/// Why a test cannot go on.
struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// What a command said and how it ended.
struct CommandRun {
    let code: Int32?
    let output: String
    let errors: String

    /// All that it wrote.
    var text: String { output + errors }
}

/// The program `vitalstream` that the build left beside the test bundle, run as users run it.
enum Commands {
    /// Starts it.
    static func start(
        _ arguments: [String], settings: [String: String], input: ChildCommand.Input = .null
    ) throws -> ChildProcess {
        var command = ChildCommand(try path(), arguments)
        // Settings and nothing else that could steer libpq or the program.
        command.environment = settings.merging(["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"]) { $1 }
        command.input = input
        command.output = .pipe
        command.error = .pipe
        command.diesWithParent = true
        return try ChildProcess(command)
    }

    /// Waits for its end.
    static func finish(_ child: ChildProcess, within limit: Duration = .seconds(60)) throws -> CommandRun {
        let status = child.wait(within: limit)
        if status == nil { child.signal(9) }
        _ = child.output?.waitForEnd(within: .seconds(5))
        _ = child.errorOutput?.waitForEnd(within: .seconds(5))
        let text = (child.output?.text ?? "", child.errorOutput?.text ?? "")
        switch status {
        case .exited(let code): return CommandRun(code: code, output: text.0, errors: text.1)
        case .killed, nil: return CommandRun(code: nil, output: text.0, errors: text.1)
        }
    }

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
func eventually(
    _ state: String, within limit: Duration = .seconds(60), _ condition: () throws -> Bool
) throws {
    let deadline = Deadline.after(limit)
    var pauses = PollSet(capacity: 1)
    while try !condition() {
        if deadline.hasPassed() { throw TestFailure("after \(limit) still not: \(state)") }
        _ = pauses.wait(until: .after(.milliseconds(20)))
    }
}
