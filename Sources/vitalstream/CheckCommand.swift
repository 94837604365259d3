internal import Service

/// `vitalstream check`: settings, broker and database, each judged, each with a remedy.
enum CheckCommand {
    /// For all probes together; they run side by side, broker and database. What has not answered by then has failed.
    private static let patience: Duration = .seconds(16)

    /// Prints the table of settings and a line for each finding.
    /// - Returns: 1 when something fails.
    static func run(_ settings: ResolvedSettings) -> Int32 {
        CommandRun.run("check") { try check(settings) }
    }

    private static func check(_ settings: ResolvedSettings) throws(SystemError) -> Int32 {
        Console.writeLine("Settings: name, value, where it comes from")
        Console.writeLine(settings.tableText())
        let broker = CheckBroker(settings)
        let database = CheckDatabase(settings)
        let groups: [(subject: String, report: CheckReport, probe: @Sendable (CheckReport) -> Void)] = [
            ("broker", CheckReport(), { broker.run($0) }),
            ("database", CheckReport(), { database.run($0) }),
        ]
        let deadline = Deadline.after(patience)
        for group in groups {
            _ = try ServiceThread(name: "check-\(group.subject)") {
                group.probe(group.report)
                group.report.finish()
            }
        }
        var findings: [CheckFinding] = []
        for group in groups {
            let (found, isComplete) = group.report.wait(until: deadline)
            findings += found
            if !isComplete {
                findings.append(
                    CheckFinding(
                        verdict: .failure, subject: group.subject,
                        text: "no answer within \(patience.wholeMilliseconds / 1_000) s",
                        remedy: "see whether it is overloaded, or a firewall drops the packets"))
            }
        }
        for finding in findings { Console.writeLine(finding.line) }
        let failures = findings.count { $0.verdict == .failure }
        let warnings = findings.count { $0.verdict == .warning }
        Console.writeLine("\n\(failures) failed, \(warnings) with a warning, of \(findings.count)")
        return failures > 0 ? 1 : 0
    }
}
