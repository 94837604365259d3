internal import Glibc
internal import Postgres
internal import Service
internal import TestSupport

/// A supervisor that lets faults strike real processes while producers run, drawn from a seed, and then judges.
package final class ChaosRun {
    /// A fault under way.
    private struct Active {
        var fault: ChaosFault
        /// Not before this it is over.
        var until: MonotonicTime
        /// Whether what it waits for has happened; at `until` it is over all the same.
        var isDone: () -> Bool = { false }
        /// Undoes it. False: it did not come to anything.
        var end: () throws -> Bool
    }

    /// A round's recovery must not take longer, the group's session counted in (I6).
    private let recoveryLimit: Duration
    private let world: ChaosWorld
    private let tell: (String) -> Void
    private let started = MonotonicTime.now()
    private var numbers: SeededNumbers
    private var report = ChaosReport()
    private var positions = [Int64](repeating: 0, count: ChaosBroker.partitions)
    private var toldAt = MonotonicTime.now()
    private var toldSum: Int64 = 0
    private var lastFault = "none"
    private var active: [Active] = []
    private var pauses = PollSet(capacity: 1)

    private init(seed: UInt64, recoveryLimit: Duration, tell: @escaping (String) -> Void) throws {
        self.tell = tell
        self.recoveryLimit = recoveryLimit + .milliseconds(ChaosBroker.sessionMilliseconds)
        numbers = SeededNumbers(seed: seed)
        world = try ChaosWorld(seed: seed)
        report.brokerName = world.broker.isReal ? "Apache Kafka" : "embedded, in a process of its own"
    }

    /// Runs for so long, and judges.
    /// - Parameters:
    ///   - rate: messages a second, bursts not counted.
    ///   - recoveryLimit: every partition must move so soon; longer where others need the machine.
    ///   - tell: gets a line each second, and the report.
    package static func run(
        seconds: Int, seed: UInt64, rate: Int, recoveryLimit: Duration = .seconds(10),
        tell: @escaping (String) -> Void
    ) throws -> ChaosReport {
        let run = try ChaosRun(seed: seed, recoveryLimit: recoveryLimit, tell: tell)
        do {
            try run.struggle(.seconds(seconds), rate: rate)
            try run.judge()
        } catch {
            run.violate("I6 the laboratory cannot go on: \(error)")
        }
        let report = run.report
        for line in report.lines { tell(line) }
        if report.violations.isEmpty {
            try run.world.close()
        } else {
            tell("logs are kept in \(run.world.directory)")
            run.world.stopLoad()
        }
        return report
    }

    private func violate(_ text: String) { report.violations.append(text) }

    // MARK: - Rounds

    private func struggle(_ duration: Duration, rate: Int) throws {
        try world.startLoad(rate: rate)
        let deadline = MonotonicTime.now() + duration
        try reach(.seconds(60), "the first commit of every partition") { positions.allSatisfy { $0 > 0 } }
        while MonotonicTime.now() < deadline {
            let drawn = try numbers.oneIn(3) ? storm() : beginRound()
            try endActive()
            try restartFallen()
            try awaitRecovery(drawn)
            let pause = MonotonicTime.now() + .milliseconds(numbers.below(400))
            while MonotonicTime.now() < pause { try tick() }
        }
    }

    private func beginRound() throws -> [ChaosFault] {
        var drawn: [ChaosFault] = []
        var free = Array(world.instances.indices)
        var isSharedTaken = false
        for _ in 0..<numbers.pick([1, 1, 2, 3]) {
            let fault = draw()
            if fault.isShared {
                if isSharedTaken { continue }
                isSharedTaken = true
            }
            // Who is taken out of the fleet must not be struck at the same time.
            if fault == .oneMoreOrLess, !drawn.isEmpty { continue }
            if drawn.contains(.oneMoreOrLess) || free.isEmpty { continue }
            let instance = world.instances[free.remove(at: numbers.below(free.count))]
            drawn.append(fault)
            lastFault = fault.rawValue + (fault.isShared ? "" : " (process \(instance.number))")
            active.append(try begin(fault, instance))
        }
        return drawn
    }

    /// Many short faults one after the other, none of which waits until the last is overcome.
    private func storm() throws -> [ChaosFault] {
        let short: [ChaosFault] = [.sessionsEnded, .answerDropped, .answerDropped, .connectionCut, .connectionCut]
        var drawn: [ChaosFault] = []
        for _ in 0..<5 + numbers.below(16) {
            let fault = numbers.pick(short)
            drawn.append(fault)
            lastFault = "\(fault.rawValue) (storm)"
            var next = try begin(fault, numbers.pick(world.instances))
            // A process without partitions commits nothing that could be struck.
            next.until = min(next.until, MonotonicTime.now() + .milliseconds(400))
            active.append(next)
            try endActive()
        }
        return drawn
    }

    private func endActive() throws {
        while !active.isEmpty {
            try tick()
            let now = MonotonicTime.now()
            for index in active.indices.reversed() where now >= active[index].until || active[index].isDone() {
                let over = active.remove(at: index)
                if try over.end() { report.faults[over.fault, default: 0] += 1 }
            }
        }
    }

    private func draw() -> ChaosFault {
        let possible = ChaosFault.allCases.filter { world.broker.isReal || !$0.needsRealBroker }
        var place = numbers.below(possible.reduce(0) { $0 + $1.weight })
        for fault in possible {
            place -= fault.weight
            if place < 0 { return fault }
        }
        return .killed
    }

    /// A process that has ended without being told to has broken a promise; another takes its place.
    private func restartFallen() throws {
        for instance in world.instances where !instance.isRunning {
            violate("I6 serve-\(instance.number) has ended: \(instance.process.exitStatus.map { "\($0)" } ?? "-")")
            try instance.start()
        }
    }

    private func awaitRecovery(_ drawn: [ChaosFault]) throws {
        if drawn.isEmpty { return }
        let start = MonotonicTime.now()
        while world.positions() == nil { try tick() }
        try tick()
        let before = positions
        while !zip(positions, before).allSatisfy({ $0 > $1 }) {
            if MonotonicTime.now() - start > .seconds(60) {
                return violate("I6 a minute after \(drawn.map(\.rawValue)) partitions stand still: \(positions)")
            }
            try tick()
        }
        let time = MonotonicTime.now() - start
        report.recoveries.append((drawn.count == 1 ? drawn[0] : nil, time))
        if time > recoveryLimit {
            violate("I6 only \(time) after \(drawn.map(\.rawValue)) every partition had moved")
        }
    }

    /// Looks at the ledger, and tells each second how it stands.
    private func tick() throws {
        pauses.wait(until: .after(.milliseconds(20)))
        if let end = world.endedProducer { throw TestFailure("a producer has ended: \(end)") }
        if let found = world.positions() { positions = found }
        let now = MonotonicTime.now()
        guard now - toldAt >= .seconds(1) else { return }
        let sum = positions.reduce(0, +)
        let rate = (sum - toldSum) * 1_000 / max(1, (now - toldAt).wholeMilliseconds)
        (toldAt, toldSum) = (now, sum)
        world.noteMemory()
        tell(
            "\((now - started).wholeMilliseconds / 1_000) s  \(sum) stored  \(rate)/s  faults \(report.faultCount)  "
                + "violations \(report.violations.count)  last: \(lastFault)")
    }

    private func reach(_ limit: Duration, _ state: String, _ condition: () -> Bool) throws {
        let start = MonotonicTime.now()
        while !condition() {
            if MonotonicTime.now() - start > limit { throw TestFailure("after \(limit) still not: \(state)") }
            try tick()
        }
    }

    // MARK: - Faults

    private func begin(_ fault: ChaosFault, _ instance: ChaosInstance) throws -> Active {
        if fault.isShared { return try beginShared(fault) }
        let now = MonotonicTime.now()
        func later(_ range: ClosedRange<Int>) -> MonotonicTime {
            now + .milliseconds(range.lowerBound + numbers.below(range.count))
        }
        if let moment = fault.killMoment { return kill(instance, at: moment, fault) }
        switch fault {
        case .killed:
            let at = later(0...800)
            return Active(fault: fault, until: at) {
                instance.kill()
                try instance.start()
                return true
            }
        case .frozen:
            instance.process.signal(SIGSTOP)
            return Active(fault: fault, until: later(4_500...7_000)) { instance.process.signal(SIGCONT) }
        case .stopped:
            return Active(fault: fault, until: later(0...300)) { [world] in
                if try !world.end(instance) { self.violate("I6 serve-\(instance.number) does not end in order") }
                if instance.isRunning { instance.kill() }
                try instance.start()
                return true
            }
        case .answerDropped, .connectionCut:
            let inside: [WireProxy.Moment] = [.beforeFence, .afterFence, .insideCopy, .beforeCommit]
            instance.proxy.arm(fault == .answerDropped ? .commitAnswer : numbers.pick(inside), .cut)
            return Active(
                fault: fault, until: now + .seconds(3), isDone: { !instance.proxy.isArmed },
                end: { !instance.proxy.disarm() })
        case .blackHole:
            instance.proxy.arm(numbers.pick([.beforeFence, .afterFence, .insideCopy, .commitAnswer]), .hold {})
            return Active(fault: fault, until: later(1_000...7_000)) {
                let hasSprung = !instance.proxy.disarm()
                instance.proxy.release()
                return hasSprung
            }
        default:
            try world.burst()
            return Active(fault: .burst, until: now) { true }
        }
    }

    private func kill(_ instance: ChaosInstance, at moment: WireProxy.Moment, _ fault: ChaosFault) -> Active {
        let process = instance.process
        instance.proxy.arm(moment, .hold { process.signal(SIGKILL) })
        // Take-overs are rare: one is asked for.
        if moment == .takeOverAnswer { instance.proxy.cutAll() }
        return Active(
            fault: fault, until: MonotonicTime.now() + .seconds(3), isDone: { process.exitStatus != nil },
            end: {
                let hasSprung = !instance.proxy.disarm()
                instance.proxy.release()
                if hasSprung {
                    instance.kill()
                    try instance.start()
                }
                return hasSprung
            })
    }

    private func beginShared(_ fault: ChaosFault) throws -> Active {
        let world = self.world
        let now = MonotonicTime.now()
        func later(_ range: ClosedRange<Int>) -> MonotonicTime {
            now + .milliseconds(range.lowerBound + numbers.below(range.count))
        }
        switch fault {
        case .sessionsEnded: try world.endSessions()
        case .oneMoreOrLess: try world.toggleInstance()
        case .databaseFast, .databaseImmediate, .databaseKilled:
            switch fault {
            case .databaseFast: try world.server.stop(.fast)
            case .databaseImmediate: try world.server.stop(.immediate)
            default: world.server.kill()
            }
            return Active(fault: fault, until: later(0...3_000)) {
                try world.server.start()
                return true
            }
        case .ledgerLocked:
            var connection = try world.connect()
            try connection.execute("BEGIN; SELECT FROM ops.partition_progress FOR UPDATE")
            let held = ChaosWorld.StoredConnection(connection)
            return Active(fault: fault, until: later(500...7_000)) { withExtendedLifetime(held) { true } }
        case .readOnly:
            try world.setReadOnly(true)
            return Active(fault: fault, until: later(500...3_000)) {
                try world.setReadOnly(false)
                return true
            }
        case .connectionsExhausted:
            let taken = try exhaust()
            return Active(fault: fault, until: later(500...3_000)) { withExtendedLifetime(taken) { true } }
        case .brokerPaused:
            try world.broker.pause(true)
            return Active(fault: fault, until: later(500...6_000)) {
                try world.broker.pause(false)
                return true
            }
        default:
            try world.broker.end(killed: fault == .brokerKilled)
            return Active(fault: fault, until: later(0...2_000)) {
                try world.broker.startAgain()
                return true
            }
        }
        return Active(fault: fault, until: now) { true }
    }

    /// Takes every connection, the service's own too.
    private func exhaust() throws -> [ChaosWorld.StoredConnection] {
        var taken: [ChaosWorld.StoredConnection] = []
        for attempt in 0..<2 * ChaosWorld.mostConnections {
            if attempt == ChaosWorld.mostConnections / 2 { try world.endSessions() }
            do throws(PostgresError) {
                taken.append(ChaosWorld.StoredConnection(try world.connect()))
            } catch {
                if attempt > ChaosWorld.mostConnections { break }
            }
        }
        return taken
    }

    // MARK: - Judgement

    private func judge() throws {
        lastFault = "none any more"
        world.stopLoad()
        let ends = try world.broker.ends()
        try reach(.seconds(90), "everything stored, up to \(ends)") { positions == ends }
        report.messages = ends.reduce(0, +)
        world.noteMemory()
        report.peakKibibytes = world.peakKibibytes
        for instance in world.instances where try !world.end(instance) {
            violate("I6 serve-\(instance.number) does not end in order")
        }
        tell("I1 to I4: verify --against-log")
        let verdict = try world.verify()
        if verdict.status?.isSuccess != true { violate("I1 to I4 verify: \(verdict.text)") }
        for fault in try world.journalFaults() { violate("I3, I5 \(fault)") }
        let patients = try world.patientsInLogs()
        if patients > 0 { violate("I9 \(patients) words of the logs name a patient") }
        try readAgain(ends)
    }

    /// I8: another group reads everything again, and nothing changes.
    private func readAgain(_ ends: [Int64]) throws {
        tell("I8: everything is read again by another group")
        let before = try world.checksum()
        let reader = try world.readAgain()
        let start = MonotonicTime.now()
        while world.positions(of: "again") != ends {
            if MonotonicTime.now() - start > .seconds(600) { return violate("I8 reading again does not end") }
            pauses.wait(until: .after(.milliseconds(50)))
        }
        reader.signal(SIGTERM)
        _ = reader.wait(within: .seconds(10))
        if try world.checksum() != before { violate("I8 reading again has changed rows or history") }
    }
}
