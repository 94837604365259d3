import FoundationEssentials  // JSON of another reader than ours, to read the programs' counts
import Service
import Testing

/// A run of a producer program, from its start to its end.
struct ProducerRunEnd {
    let status: ChildStatus?
    let output: String
    let errors: String

    /// The JSON line of `--json`.
    func counts<Counts: Decodable>(as type: Counts.Type) throws -> Counts {
        try JSONDecoder().decode(type, from: Data(output.utf8))
    }
}

/// The program that the build left beside this test.
func producerCommand(_ program: String, _ arguments: [String]) throws -> ChildCommand {
    let own = try #require(HostProcess.executablePath)
    let directory = own.split(separator: "/").dropLast().joined(separator: "/")
    // In a bundle the test runs from the toolchain's helper; its first argument then names the bundle.
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? ""
    let beside = bundle.split(separator: "/").dropLast().joined(separator: "/")
    let candidates = ["/\(directory)/\(program)", "/\(beside)/\(program)"]
    var command = ChildCommand(
        try #require(candidates.first { FileSystem.isExecutable($0) }, "build \(program) first"), arguments)
    command.environment = ["PATH": "/usr/bin:/bin"]
    command.output = .pipe
    command.error = .pipe
    command.diesWithParent = false
    return command
}

/// Runs a program to its end.
func runProducer(_ program: String, _ arguments: [String]) throws -> ProducerRunEnd {
    let child = try ChildProcess(try producerCommand(program, arguments))
    let status = child.wait(within: .seconds(60))
    if status == nil { child.signal(9) }
    _ = child.output?.waitForEnd(within: .seconds(5))
    _ = child.errorOutput?.waitForEnd(within: .seconds(5))
    return ProducerRunEnd(
        status: status, output: child.output?.text ?? "", errors: child.errorOutput?.text ?? "")
}
