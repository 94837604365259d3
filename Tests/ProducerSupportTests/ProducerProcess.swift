import FoundationEssentials  // JSON of another reader than ours, to read the programs' counts
import Service
import TestSupport

extension CommandRun {
    /// The JSON line of `--json`.
    func counts<Counts: Decodable>(as type: Counts.Type) throws -> Counts {
        try JSONDecoder().decode(type, from: Data(output.utf8))
    }
}

/// The program that the build left beside this test.
func producerCommand(_ program: String, _ arguments: [String]) throws -> ChildCommand {
    var command = ChildCommand(try Programs.path(program), arguments)
    command.environment = ["PATH": "/usr/bin:/bin"]
    command.output = .pipe
    command.error = .pipe
    command.diesWithParent = false
    return command
}

/// Runs a program to its end.
func runProducer(_ program: String, _ arguments: [String]) throws -> CommandRun {
    Programs.finish(try ChildProcess(try producerCommand(program, arguments)))
}
