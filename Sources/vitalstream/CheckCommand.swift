internal import API
internal import Service

/// `vitalstream check`: settings, broker and database, each judged, each with a remedy.
enum CheckCommand {
    /// For all probes together; they run side by side, broker and database. What has not answered by then has failed.
    private static let patience: Duration = .seconds(16)

    /// A finding and which side it is about.
    private typealias Found = (side: String, finding: CheckFinding)

    /// Prints the table of settings and a line for each finding, or all of it as JSON.
    /// - Returns: 1 when something fails.
    static func run(_ settings: ResolvedSettings) -> Int32 {
        CommandRun.run("check", settings) { try check(settings) }
    }

    private static func check(_ settings: ResolvedSettings) throws(SystemError) -> Int32 {
        let asJSON = settings.flag("json")
        if !asJSON {
            Console.writeLine("Settings: name, value, where it comes from")
            Console.writeLine(settings.tableText())
        }
        let found = try probe(settings)
        let failures = found.count { $0.finding.verdict == .failure }
        let warnings = found.count { $0.finding.verdict == .warning }
        if asJSON {
            Console.writeLine(json(settings, found, failures: failures, warnings: warnings))
        } else {
            for (_, finding) in found { Console.writeLine(finding.line) }
            Console.writeLine("\n\(failures) failed, \(warnings) with a warning, of \(found.count)")
        }
        return failures > 0 ? 1 : 0
    }

    /// Asks both sides at once, and takes what is known when the patience ends.
    private static func probe(_ settings: ResolvedSettings) throws(SystemError) -> [Found] {
        let broker = CheckBroker(settings)
        let database = CheckDatabase(settings)
        let groups: [(side: String, report: CheckReport, probe: @Sendable (CheckReport) -> Void)] = [
            ("broker", CheckReport(), { broker.run($0) }),
            ("database", CheckReport(), { database.run($0) }),
        ]
        let deadline = Deadline.after(patience)
        for group in groups {
            _ = try ServiceThread(name: "check-\(group.side)") {
                group.probe(group.report)
                group.report.finish()
            }
        }
        var found: [Found] = []
        for group in groups {
            let (findings, isComplete) = group.report.wait(until: deadline)
            found += findings.map { (group.side, $0) }
            if !isComplete {
                let late = CheckFinding(
                    verdict: .failure, subject: group.side,
                    text: "no answer within \(patience.wholeMilliseconds / 1_000) s",
                    remedy: "see whether it is overloaded, or a firewall drops the packets")
                found.append((group.side, late))
            }
        }
        return found
    }

    private static func json(
        _ settings: ResolvedSettings, _ found: [Found], failures: Int, warnings: Int
    ) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("failed", Int64(failures))
            writer.member("warnings", Int64(warnings))
            writer.array("findings", found) { writer, entry in entry.finding.write(&writer, side: entry.side) }
            writer.array("settings", settings.table()) { writer, row in
                writer.member("name", row.name)
                writer.member("value", row.value)
                writer.member("source", row.source)
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
