import Service
import TestSupport

/// PostgreSQL's own client programs, of the newest version that is installed.
enum PostgresTools {
    /// Runs one of them to its end; anything but success is a failure with its output.
    static func run(_ name: String, _ arguments: [String]) throws {
        var command = ChildCommand(try path(name), arguments)
        command.environment = Programs.environment([:])
        command.output = .pipe
        command.error = .sameAsOutput
        command.diesWithParent = true
        let child = try ChildProcess(command)
        let status = child.wait(within: .seconds(60))
        _ = child.output?.waitForEnd(within: .seconds(2))
        guard status?.isSuccess == true else {
            throw TestFailure("\(name) \(arguments): \(child.output?.text ?? "")")
        }
    }

    /// Debian keeps each version's own; what `PATH` has may be a wrapper that wants a cluster.
    private static func path(_ name: String) throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = FileSystem.isDirectory(root) ? try FileSystem.entries(of: root).compactMap(Int.init) : []
        for version in versions.sorted(by: >) where FileSystem.isExecutable("\(root)/\(version)/bin/\(name)") {
            return "\(root)/\(version)/bin/\(name)"
        }
        guard let found = FileSystem.findExecutable(name) else { throw TestFailure("\(name) is not installed") }
        return found
    }
}
