internal import Postgres
internal import Service

/// `vitalstream verify`: proves that the ledger adds up, from the books or from the log itself.
enum VerifyCommand {
    static func run(_ settings: ResolvedSettings) -> Int32 {
        CommandRun.run("verify", settings) { try verify(settings) ? 0 : 1 }
    }

    /// Prints the checks of one snapshot, and names those that do not hold on standard error.
    /// - Returns: whether all of them hold.
    static func verify(_ settings: ResolvedSettings) throws -> Bool {
        var connection = try Connection.open(
            settings.string("DATABASE_URL"), applicationName: "vitalstream verify")
        // The snapshot may have to wait for the log.
        try connection.execute("SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0")
        let outcome: VerifyOutcome
        if settings.flag("against-log") {
            outcome = try VerifyAgainstLog(settings).run(connection)
        } else {
            var snapshot = try VerifyBooks.snapshot(connection)
            let books = try VerifyBooks.read(
                &snapshot.connection, patientFlowTopic: settings.string("PATIENT_FLOW_TOPIC"))
            let flow = try flow(&snapshot.connection, books, settings)
            outcome = VerifyOutcome(
                checks: books.checks() + flow.checks(), notes: notes(on: books) + flow.notes, findings: flow.findings)
            _ = try snapshot.rollback()
        }
        return outcome.report()
    }

    /// What is stored of patient flow, against the oracle, in the snapshot of the books.
    static func flow(
        _ connection: inout Connection, _ books: VerifyBooks, _ settings: ResolvedSettings
    ) throws(PostgresError) -> VerifyFlow {
        try VerifyFlow.read(
            &connection, ledger: books.ledger, topic: settings.string("PATIENT_FLOW_TOPIC"),
            minutes: settings.integers("WINDOW_MINUTES"))
    }

    static func notes(on books: VerifyBooks) -> [String] {
        books.ledger.isEmpty ? ["the ledger is empty: no consumer group has read anything into this database"] : []
    }
}

/// What verify has to say.
struct VerifyOutcome {
    var checks: [VerifyCheck]
    /// What a reader has to know to understand the checks.
    var notes: [String] = []
    /// The first rows and letters that differ.
    var findings: [String] = []

    /// Prints the table and the notes on standard output, and what differs on standard error.
    /// - Returns: whether every check holds.
    func report() -> Bool {
        Console.write(VerifyCheck.table(checks))
        for note in notes { Console.writeLine("note: \(note)") }
        for finding in findings { Console.writeLine("differs: \(finding)") }
        let broken = checks.filter { !$0.holds }
        guard !broken.isEmpty else {
            Console.writeLine("verify: all \(checks.count) checks hold")
            return true
        }
        let names = broken.map { "\($0.scope): \($0.name) (expected \($0.expected), is \($0.actual))" }
        Console.writeError(
            "vitalstream verify: \(broken.count) of \(checks.count) checks differ: " + names.joined(separator: "; "))
        return false
    }
}
