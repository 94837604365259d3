import Service
import TestSupport

extension CommandRun {
    /// The lines of `check` that failed, without their verdict.
    var failures: [Substring] {
        output.split(separator: "\n").filter { $0.hasPrefix("FAIL  ") }.map { $0.dropFirst(6) }
    }
}

/// The program `vitalstream` that the build left beside the test bundle, run as users run it: by settings alone.
enum Program {
    /// Starts it.
    static func start(_ arguments: [String], _ settings: [String: String]) throws -> ChildProcess {
        try ChildProcess(try Programs.command(arguments, settings: settings))
    }

    /// Runs it to its end.
    static func run(
        _ arguments: [String], _ settings: [String: String], within limit: Duration = .seconds(20)
    ) throws -> CommandRun {
        Programs.finish(try start(arguments, settings), within: limit)
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
        return CommandRun(
            status: status, output: child.output?.text ?? "", errors: unescaped(child.errorOutput?.text ?? ""))
    }

    private static func unescaped(_ log: String) -> String { log.replacing("\\\"", with: "\"") }
}
