import Service
import TestSupport

/// Commands of `vitalstream`, run as users run them.
enum Commands {
    /// Starts one.
    static func start(
        _ arguments: [String], settings: [String: String], input: ChildCommand.Input = .null
    ) throws -> ChildProcess {
        var command = try Programs.command(arguments, settings: settings)
        command.input = input
        return try ChildProcess(command)
    }
}
