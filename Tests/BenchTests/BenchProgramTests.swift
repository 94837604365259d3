import FoundationEssentials  // JSON of another reader than ours, to read the program's figures
import Service
import TestSupport
import Testing

/// The program itself, as a process, with the embedded broker and a PostgreSQL of its own.
@Suite(.serialized) struct BenchProgramTests {
    private struct Figures: Decodable {
        struct Scenario: Decodable {
            let name: String
            let figures: [Figure]
        }

        struct Figure: Decodable {
            let name: String
            let value: Double
        }

        let scenarios: [Scenario]
        let handicapPercent: Int

        func value(_ scenario: String, _ figure: String) -> Double? {
            scenarios.first { $0.name == scenario }?.figures.first { $0.name == figure }?.value
        }
    }

    /// A directory with a compose file, for one test.
    private final class Place {
        let directory: String

        init() throws {
            directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-bench-test")
            try FileSystem.writeText(
                directory + "/compose.yml",
                "command:\n  - postgres\n  - -c\n  - jit=off\n  # why\n  - -c\n  - work_mem=5MB\n")
        }

        deinit {
            do { try FileSystem.removeTree(directory) } catch { Issue.record("\(directory) stays: \(error)") }
        }

        func run(_ arguments: [String]) throws -> CommandRun {
            var command = ChildCommand(
                try Programs.path("vitalstream-bench"), arguments + ["--compose", directory + "/compose.yml"])
            command.environment = Programs.environment([:])
            command.output = .pipe
            command.error = .pipe
            command.diesWithParent = false
            return Programs.finish(try ChildProcess(command), within: .seconds(150))
        }

        func figures(_ name: String) throws -> Figures {
            try JSONDecoder().decode(Figures.self, from: Data(FileSystem.readFile(directory + "/" + name)))
        }
    }

    @Test func `a lane that is stopped most of the time is reported as slower`() throws {
        let place = try Place()
        let plain = ["--quick", "--only", "backlog", "--output", place.directory + "/plain.json"]
        let first = try place.run(plain)
        try #require(first.status?.isSuccess == true, "\(first.errors)")
        let slowed = try place.run(
            [
                "--quick", "--only", "backlog", "--handicap", "85", "--baseline", place.directory + "/plain.json",
                "--output", place.directory + "/slowed.json",
            ])
        try #require(slowed.status?.isSuccess == true, "\(slowed.errors)")
        let name = "rows/s ÷ raw COPY, 1 lane"
        let fast = try #require(try place.figures("plain.json").value("backlog", name))
        let slow = try #require(try place.figures("slowed.json").value("backlog", name))
        #expect(fast > 0 && slow > 0)
        #expect(slow < fast)
        let line = slowed.output.split(separator: "\n").first { $0.contains(name) } ?? ""
        #expect(line.hasSuffix("worse"), "\(line)")
        #expect(try place.figures("slowed.json").handicapPercent == 85)
        #expect(slowed.output.contains("work_mem=5MB"))
        #expect(slowed.output.contains("embedded broker"))
    }

    @Test func `what cannot be meant is refused before anything starts`() throws {
        let place = try Place()
        for arguments in [["--only", "nothing"], ["--handicap", "100"], ["--baseline"], ["--faster"]] {
            let run = try place.run(arguments)
            #expect(run.status == .exited(1))
            #expect(run.errors.hasPrefix("vitalstream-bench: "), "\(run.errors)")
        }
        let baseline = place.directory + "/compose.yml"
        let run = try place.run(["--only", "stages", "--baseline", baseline])
        #expect(run.status == .exited(1) && run.output.isEmpty)
    }
}
