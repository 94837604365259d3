import Service
import TestSupport
import Testing

/// `vitalstream evaluate`, run as a program over small files.
struct EvaluateTests {
    private static let start: Int64 = 1_700_000_000_000
    private static let columns =
        "visit_id,arrival_at,acuity,predicted_minutes,lower50,upper50,lower80,upper80,lower90,upper90"

    /// Forty visits, ten minutes apart; visit n waits n mod 7 minutes; the last but one leaves unseen.
    private static func events() -> [String] {
        func line(_ event: String, _ visit: Int, _ minutes: Int64) -> String {
            "{\"eventId\":\"\(event)-\(visit)\",\"facilityId\":\"f\",\"sectorId\":\"s\",\"visitId\":\"v,\(visit)\","
                + "\"acuity\":\(2 + visit % 2),\"event\":\"\(event)\",\"timestamp\":\(start + minutes * 60_000)}"
        }
        var lines: [String] = []
        for visit in 0..<40 {
            let arrival = Int64(10 * visit)
            lines.append(line("arrival", visit, arrival))
            if visit == 38 {
                lines.append(line("left_without_being_seen", visit, arrival + 3))
            } else {
                lines.append(line("treatment_start", visit, arrival + Int64(visit % 7)))
                lines.append(line("departure", visit, arrival + 9))
            }
        }
        return lines
    }

    private static func evaluate(_ lines: [String], _ arguments: [String]) throws -> (run: CommandRun, file: String) {
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "evaluate")
        // What is left in the temporary directory harms nobody.
        defer { try? FileSystem.removeTree(directory) }
        try FileSystem.writeText(directory + "/flow.ndjson", lines.joined(separator: "\n") + "\n")
        let written = directory + "/predictions.csv"
        let all = ["evaluate", "--events", directory + "/flow.ndjson", "--predictions", written] + arguments
        let run = Programs.finish(try Commands.start(all, settings: [:]))
        return (run, FileSystem.fileExists(written) ? try FileSystem.readText(written) : "")
    }

    @Test func `predictions have their columns and a line for each arrival`() throws {
        let (run, file) = try Self.evaluate(Self.events(), [])
        #expect(run.code == 0, "\(run.text)")
        let lines = file.split(separator: "\n").map(String.init)
        #expect(lines.count == 41)
        #expect(lines.first == Self.columns)
        // A visit's id with a comma is quoted; times are UTC.
        #expect(lines[1].hasPrefix("\"v,0\",2023-11-14T22:13:20.000Z,2,"))
        for line in lines.dropFirst() {
            let numbers = line.split(separator: ",").dropFirst(4).compactMap { Double($0) }
            #expect(numbers.count == 7)
            guard numbers.count == 7 else { continue }
            // Each interval around the median and within the next, to the last decimal written.
            let ascending = [5, 3, 1, 0, 2, 4, 6].map { numbers[$0] }
            #expect(zip(ascending, ascending.dropFirst()).allSatisfy { $0 <= $1 + 1e-3 })
        }
    }

    @Test func `scored are served visits after the warm-up`() throws {
        let (run, _) = try Self.evaluate(Self.events(), ["--csv", "--warm-up", "0.5"])
        let lines = run.output.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(lines.count == 1 + 1 + 12)
        #expect(lines[0].prefix(6).joined(separator: ",") == "predictor,n,mae,median_ae,rmse,pinball")
        // The period ends 9 minutes after the last arrival, at 399; 20 arrivals come from 199.5 on, and one left.
        #expect(lines.dropFirst().allSatisfy { $0[1] == "19" })
        let names = lines.dropFirst().map { String($0[0]) }
        #expect(
            names == [
                "service", "constant_median", "median_acuity_hour", "ra5", "ra10", "ra20", "ra50", "posted_4h",
                "ra10_acuity", "les", "hol", "ql", "erlang_c",
            ])
        // Waits run 0 to 6 in turn, so the last wait misses by 1 six times of seven and by 6 once; of the visits 20 to
        // 37 those numbered 21, 28 and 35 are after a 6, and visit 39 is after the 2 of visit 37: (15 + 18 + 2) / 19.
        let last = lines.first { $0[0] == "les" }
        #expect(last.flatMap { Double($0[2]) }.map { abs($0 - 35.0 / 19) < 1e-6 } == true)
    }

    @Test func `a repeated event changes nothing`() throws {
        let lines = Self.events()
        let once = try Self.evaluate(lines, ["--json"])
        let twice = try Self.evaluate(lines + lines, ["--json"])
        #expect(once.run.code == 0)
        #expect(once.file == twice.file)
    }

    @Test func `the order of the file matters only within one instant`() throws {
        let lines = Self.events()
        let sorted = try Self.evaluate(lines, [])
        let shuffled = try Self.evaluate(Array(lines[60...] + lines[..<60]), [])
        #expect(sorted.file == shuffled.file)
    }

    @Test(
        arguments: [
            ("{\"eventId\":\"x\"}", "line 41: event is missing or no text"),
            ("[1]", "line 41: not a JSON object"),
            ("{", "line 41: not JSON at byte 1"),
        ])
    func `a bad line is named`(line: String, words: String) throws {
        let (run, _) = try Self.evaluate(Array(Self.events().prefix(40)) + [line], [])
        #expect(run.code == 1)
        #expect(run.errors.contains(words), "\(run.errors)")
        #expect(run.errors.split(separator: "\n").count == 1)
    }
}
