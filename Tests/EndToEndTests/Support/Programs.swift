import Service

/// The programs that the build left beside the test bundle.
enum Programs {
    /// The path of one of them.
    static func path(_ name: String) throws -> String {
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

    /// Runs a command of `vitalstream` to its end.
    static func run(
        _ arguments: [String], settings: [String: String], within limit: Duration = .seconds(60)
    ) throws -> (status: ChildStatus?, output: String) {
        var command = ChildCommand(try path("vitalstream"), arguments)
        command.environment = environment(settings)
        command.output = .pipe
        command.error = .sameAsOutput
        command.diesWithParent = true
        let child = try ChildProcess(command)
        let status = child.wait(within: limit)
        _ = child.output?.waitForEnd(within: .seconds(2))
        return (status, child.output?.text ?? "")
    }

    /// Settings and nothing else that could steer libpq or the program.
    static func environment(_ settings: [String: String]) -> [String: String] {
        settings.merging(["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"]) { given, _ in given }
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return String(path[..<slash])
    }
}
