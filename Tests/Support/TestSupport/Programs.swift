package import Service  // A program's run is told in its values.

/// What a program wrote and how it ended.
package struct CommandRun {
    /// Nil when it had to be ended.
    package let status: ChildStatus?
    /// Its standard output.
    package let output: String
    /// Its standard error.
    package let errors: String

    /// From its parts.
    package init(status: ChildStatus?, output: String, errors: String) {
        self.status = status
        self.output = output
        self.errors = errors
    }

    /// The exit code; nil when a signal ended it.
    package var code: Int32? { if case .exited(let code) = status { code } else { nil } }

    /// All that it wrote.
    package var text: String { output + errors }
}

/// The programs that the build left beside the test bundle, run as users run them.
package enum Programs {
    /// The path of one of them.
    package static func path(_ name: String) throws -> String {
        var candidates: [String] = []
        if let own = HostProcess.executablePath { candidates.append(directory(of: own) + "/" + name) }
        // In a bundle the tests run from the toolchain's helper; an argument then names the bundle.
        for argument in CommandLine.arguments where argument.hasSuffix(".xctest") {
            candidates.append(directory(of: argument) + "/" + name)
        }
        guard let found = candidates.first(where: { FileSystem.isExecutable($0) }) else {
            throw TestFailure(
                "the program \(name) is not at \(candidates.joined(separator: " or ")): build all products first "
                    + "(swift build --build-tests does)")
        }
        return found
    }

    /// Settings and nothing else that could steer libpq or the program.
    package static func environment(_ settings: [String: String]) -> [String: String] {
        settings.merging(["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"]) { given, _ in given }
    }

    /// A run of `vitalstream`, to be started: by settings alone, ended with the thread that starts it.
    package static func command(_ arguments: [String], settings: [String: String]) throws -> ChildCommand {
        var command = ChildCommand(try path("vitalstream"), arguments)
        command.environment = environment(settings)
        command.output = .pipe
        command.error = .pipe
        command.diesWithParent = true
        return command
    }

    /// Waits for a program's end, and ends it when that does not come in time.
    package static func finish(_ child: ChildProcess, within limit: Duration = .seconds(60)) -> CommandRun {
        let status = child.wait(within: limit)
        if status == nil { child.signal(9) }
        _ = child.output?.waitForEnd(within: .seconds(5))
        _ = child.errorOutput?.waitForEnd(within: .seconds(5))
        return CommandRun(
            status: status, output: child.output?.text ?? "", errors: child.errorOutput?.text ?? "")
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return String(path[..<slash])
    }
}
