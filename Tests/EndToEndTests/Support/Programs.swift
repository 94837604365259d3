import Service
import TestSupport

extension Programs {
    /// Runs a command of `vitalstream` to its end.
    static func run(
        _ arguments: [String], settings: [String: String], within limit: Duration = .seconds(60)
    ) throws -> (status: ChildStatus?, output: String) {
        var command = try command(arguments, settings: settings)
        command.error = .sameAsOutput
        let child = try ChildProcess(command)
        let status = child.wait(within: limit)
        _ = child.output?.waitForEnd(within: .seconds(2))
        return (status, child.output?.text ?? "")
    }
}
