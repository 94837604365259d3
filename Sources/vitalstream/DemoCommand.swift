internal import API
internal import Glibc
internal import Kafka
internal import Postgres
internal import Service

/// `vitalstream demo`: everything at once in one directory, and the proof that it adds up.
enum DemoCommand {
    /// Runs until a stop signal, or for DEMO_SECONDS of readings.
    /// - Returns: 0 only if every message that was sent is accounted for, and verify agrees.
    static func run(_ settings: ResolvedSettings) -> Int32 {
        DemoWait.prepare()
        // libpq would read them, also for a private server: PGOPTIONS, PGSERVICE and the rest mean another one.
        for name in HostProcess.environment.keys where name.hasPrefix("PG") { unsetenv(name) }
        do throws(DemoEnd) {
            let place = try DemoPlace(settings.string("directory"))
            let stack = try DemoStack(place: place, lanes: settings.integer("LANES"))
            return DemoRun(settings, place: place, stack: stack).run()
        } catch {
            Console.writeError("vitalstream demo: \(error)")
            return 1
        }
    }
}

/// One demo from its start to its end, step by step.
private struct DemoRun {
    private let place: DemoPlace
    private let stack: DemoStack
    private let rate: Int
    private let seconds: Int
    private let keepsDatabase: Bool

    init(_ settings: ResolvedSettings, place: DemoPlace, stack: DemoStack) {
        self.place = place
        self.stack = stack
        rate = settings.integer("rate")
        seconds = settings.integer("DEMO_SECONDS")
        keepsDatabase = settings.flag("keep")
    }

    func run() -> Int32 {
        var isRight = false
        do throws(DemoEnd) {
            let port = try start()
            let board = DemoBoard(limitSeconds: seconds, databaseURL: stack.databaseURL)
            try watch(board, port: port)
            isRight = try conclude(board, port: port)
        } catch {
            Console.writeError("vitalstream demo: \(error)")
        }
        let again = stack.end(keepsDatabase: keepsDatabase)
        if let again {
            Console.writeLine("The database is kept in \(stack.databaseDirectory) until the next demo. To start it:")
            Console.writeLine("  \(again)")
        } else {
            Console.writeLine("All processes have ended, the database is removed; the logs are in \(place.directory)")
        }
        return isRight ? 0 : 1
    }

    // MARK: Start

    private func start() throws(DemoEnd) -> UInt16 {
        Console.writeLine("VitalStream demo, in \(place.directory)")
        try step("database") { () throws(DemoEnd) in
            try stack.startDatabase()
            return "a private PostgreSQL in \(stack.databaseDirectory)"
        }
        try step("broker") { () throws(DemoEnd) in
            try stack.startBroker()
            return "embedded, at \(stack.brokerAddress), two topics of \(DemoStack.partitions) partitions"
        }
        var port: UInt16 = 0
        try step("service") { () throws(DemoEnd) in
            port = try stack.startService()
            try waitUntilReady(port: port)
            return "http://127.0.0.1:\(port)/readyz"
        }
        try step("producers") { () throws(DemoEnd) in
            try stack.startProducers(rate: rate)
            return "\(stack.producers.count), together \(rate.grouped) readings/s, 10 % duplicates, "
                + "1 % bad input"
        }
        try step("patient flow") { () throws(DemoEnd) in
            try stack.startFlow()
            return "two emergency departments, an hour a second"
        }
        Console.writeLine("\nThe data, while it runs:\n  \(stack.psqlCommand)")
        Console.writeLine(seconds > 0 ? "\nIt ends after \(seconds) s, or on Ctrl-C.\n" : "\nCtrl-C ends it.\n")
        return port
    }

    private func step(_ name: String, _ work: () throws(DemoEnd) -> String) throws(DemoEnd) {
        let start = MonotonicTime.now()
        let said = try work()
        let seconds = DemoText.oneDecimal((MonotonicTime.now() - start).inSeconds)
        Console.writeLine(DemoText.row([name, "\(seconds) s"], widths: [12, 7]) + "  \(said)")
        if DemoWait.isStopped(within: .zero) { throw .interrupted(during: "the demo was starting") }
    }

    private func waitUntilReady(port: UInt16) throws(DemoEnd) {
        var last: DemoSample?
        let isReady = try DemoWait.until(.seconds(60), "the service was starting") { () throws(DemoEnd) in
            try stack.expectRunning()
            last = DemoSample.take(port: port) ?? last
            // A lane that has no partition yet is ready too; wait for all of them.
            return last.map { $0.report.isReady && $0.partitions == 2 * DemoStack.partitions } ?? false
        }
        if !isReady {
            let owned = "it owns \(last?.partitions ?? 0) of \(2 * DemoStack.partitions) partitions"
            let cause = last?.report.reasons.first ?? owned
            throw .failed("the service was not ready within 60 s: \(cause)", log: stack.serviceLog)
        }
    }

    // MARK: While it runs

    /// Shows the table once a second until the time is over or a stop signal comes.
    private func watch(_ board: DemoBoard, port: UInt16) throws(DemoEnd) {
        let start = MonotonicTime.now()
        var next = start
        let end = seconds > 0 ? start + .seconds(seconds) : nil
        board.show(DemoSample.take(port: port), phase: "running")
        while true {
            // Seconds that were missed, as while the machine slept, are not made up for.
            next = max(next + .seconds(1), .now())
            let wait = Deadline(at: min(next, end ?? next)).remaining()
            if DemoWait.isStopped(within: wait) { return }
            try stack.expectRunning()
            let sample = DemoSample.take(port: port)
            try expectGoing(sample)
            board.show(sample, phase: "running")
            if let end, MonotonicTime.now() >= end { return }
        }
    }

    private func expectGoing(_ sample: DemoSample?) throws(DemoEnd) {
        if let reason = sample?.stopReason { throw .failed("the service stopped \(reason)", log: stack.serviceLog) }
    }

    // MARK: End

    /// Stops the producers, waits until all they sent is stored, stops the service, compares.
    private func conclude(_ board: DemoBoard, port: UInt16) throws(DemoEnd) -> Bool {
        var sent = (vitals: DemoCounts(), flow: DemoCounts())
        let lines = try stack.stopProducers()
        for (index, line) in lines.enumerated() {
            do throws(JSONError) {
                let counts = try DemoCounts(producerLine: line)
                if index == lines.count - 1 { sent.flow += counts } else { sent.vitals += counts }
            } catch {
                throw .failed("a producer's counts cannot be read: \(error)")
            }
        }
        let total = (sent.vitals.ledger["consumed"] ?? 0) + (sent.flow.ledger["consumed"] ?? 0)
        let isDrained = try DemoWait.until(.seconds(60), "the rest was being stored") { () throws(DemoEnd) in
            try stack.expectRunning()
            let sample = DemoSample.take(port: port)
            try expectGoing(sample)
            let health = sample?.report.health
            let isStored = health.map { $0.totals.consumed >= total && $0.totalLag == 0 } ?? false
            board.show(sample, phase: isStored ? "all is stored" : "the producers have ended; storing the rest")
            return isStored
        }
        let peak = stack.servicePeakMebibytes
        try stack.stopService()
        let summary = try compare(sent)
        let verdict = try stack.verify()
        tell(summary, verdict, total: total, latency: board.lastSample?.latencyText, peak: peak)
        if !isDrained { Console.writeLine("Not all that was sent was stored within 60 s.") }
        let isRight = summary.isRight && verdict.isRight && isDrained
        Console.writeLine(
            isRight
                ? "It adds up: each of \(total.grouped) messages is stored or accounted for exactly once."
                : "It does NOT add up.")
        return isRight
    }

    private func tell(
        _ summary: DemoSummary, _ verdict: DemoStack.Verdict, total: Int64, latency: String?, peak: Int?
    ) {
        Console.writeLine("\nSent by the producers, stored by the service")
        Console.write(summary.text)
        Console.writeLine("\ncommit latency    \(latency ?? "-")")
        if let peak { Console.writeLine("service's memory  \(peak) MiB at most") }
        if verdict.isRight, let last = verdict.lines.last {
            Console.writeLine(last + "\n")
        } else {
            Console.writeLine("verify FAILED; its words, also in \(verdict.log):")
            for line in verdict.lines { Console.writeLine("  \(line)") }
        }
    }

    private func compare(_ sent: (vitals: DemoCounts, flow: DemoCounts)) throws(DemoEnd) -> DemoSummary {
        do throws(PostgresError) {
            var connection = try Connection.open(stack.databaseURL, applicationName: "vitalstream demo")
            let rows = try connection.query(
                """
                SELECT (SELECT count(*) FROM silver.vital_reading), (SELECT count(*) FROM silver.vital_reading_history),
                    (SELECT count(*) FROM silver.patient_flow_event)
                """)
            return DemoSummary(
                sent: sent, stored: try DemoCounts(&connection), readings: rows.int64(0, 0), history: rows.int64(0, 1),
                events: rows.int64(0, 2))
        } catch {
            throw .failed("the database cannot be asked: \(error)")
        }
    }
}
