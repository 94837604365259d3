internal import Ingest
internal import Kafka
internal import Service
internal import TestSupport
internal import VitalSigns

/// Some lanes, a log and a database, with everything going wrong that docs/exactly-once.md names: at any step a process
/// dies, freezes or loses its partitions, a request fails before or after its work, messages repeat or get lost, the
/// database falls back. Everything follows from the seed. One thread only.
package final class LaneSimulation {
    /// How a seed went.
    package struct Outcome: Sendable {
        /// Turns of all lanes together.
        package var steps = 0
        package var messages = 0
        package var commits = 0
        package var faults: [SimulatedFault: Int] = [:]
        package var violations: [Violation] = []
        /// The longest that a partition stood still after the last fault, in simulated time.
        package var recovery: Duration = .zero
        package var trace: [String] = []
    }

    /// Steps in which faults strike.
    private static let troubledSteps = 400
    /// Lines of a trace that are kept, from the end.
    private static let traceLines = 400

    let seed: UInt64
    var numbers: SeededNumbers
    let partitions: Int
    /// Whether patients speak through any partition, as after the topic has grown.
    let wanders: Bool
    /// Whether consumers lose messages, or deliver some from before an assignment.
    let loses: Bool
    /// Whether retention may remove what was never read.
    let overtakes: Bool
    let log: FakeLog
    let database = FakeDatabase()
    private let configuration: LaneConfiguration
    private(set) var places: [SimulatedPlace] = []
    var now = MonotonicTime(nanoseconds: 1_000_000_000)
    var snapshot: FakeDatabase.Snapshot?
    private var readOnlyUntil: MonotonicTime?
    private var steps = 0
    private let traces: Bool
    private var isCalm = false
    var outcome = Outcome()

    /// - Parameter traces: keeps what happens in words; a run of many seeds does without.
    package init(seed: UInt64, mutation: Mutation? = nil, traces: Bool = false) {
        self.seed = seed
        self.traces = traces
        var numbers = SeededNumbers(seed: seed)
        wanders = numbers.oneIn(4)
        partitions = 1 + numbers.below(4)
        loses = numbers.oneIn(2)
        overtakes = !wanders && numbers.oneIn(6)
        log = FakeLog(partitions: partitions)
        var configuration = LaneConfiguration(lane: 0, topics: [FakeLog.topic])
        configuration.batchMaxRows = numbers.pick([3, 16, 64, 1_024])
        configuration.patientCapacity = numbers.pick([2, 64])
        configuration.requestLimit = .seconds(8)
        configuration.stallLimit = .seconds(2)
        configuration.reconnectPause.longest = numbers.pick([.seconds(1), configuration.reconnectPause.longest])
        self.configuration = configuration
        let lanes = 1 + numbers.below(3)
        self.numbers = numbers
        database.mutation = mutation
        for number in 0..<lanes { places.append(SimulatedPlace(number: number, process: start())) }
    }

    /// Runs to the end: trouble first, then calm, then the judgement.
    package func run() -> Outcome {
        rebalance()
        for _ in 0..<Self.troubledSteps { step() }
        calm()
        judge()
        outcome.commits = database.commits
        outcome.violations = database.watch.violations
        return outcome
    }

    // MARK: - Telling

    func count(_ fault: SimulatedFault) { outcome.faults[fault, default: 0] += 1 }

    func note(_ text: @autoclosure () -> String) {
        guard traces else { return }
        let milliseconds = now.nanoseconds / 1_000_000 - 1_000
        outcome.trace.append("\(milliseconds) ms  \(text())")
        if outcome.trace.count > 2 * Self.traceLines { outcome.trace.removeFirst(Self.traceLines) }
    }

    func violate(_ invariant: Invariant, _ text: String) {
        database.watch.noteFault(invariant, text)
        note("VIOLATION \(invariant.rawValue) \(text)")
    }

    // MARK: - Processes

    private func start() -> SimulatedLane {
        let process = SimulatedLane(log: log, database: database, configuration: configuration, now: now)
        process.session.chance = { [unowned self] in isCalm ? (0, .succeed) : chance($0) }
        process.session.peers = { [unowned self] in places.map(\.process.session) }
        process.consumer.choose = { [unowned self] in numbers.below($0) }
        process.consumer.onReport = { [unowned self] report in
            for position in report { database.kafkaOffsets[Int(position.partition.partition)] = position.offset }
        }
        return process
    }

    private func turn(_ place: SimulatedPlace) {
        let process = place.process
        if traces {
            process.session.note = { [unowned self] kind, end in note("lane \(place.number): \(kind.rawValue) \(end)") }
        }
        process.turn(at: now)
        outcome.steps += 1
        if process.session.isDead { restart(place) }
    }

    /// The process is gone; the group finds out, and gives its partitions to somebody.
    private func restart(_ place: SimulatedPlace) {
        note("lane \(place.number): a new process")
        place.process = start()
        place.frozenUntil = nil
        rebalance()
        if isCalm { for place in places { hear(place) } }
    }

    // MARK: - Trouble

    private func step() {
        steps += 1
        now = now + .milliseconds(numbers.oneIn(100) ? numbers.below(6_000) : numbers.below(40))
        if numbers.oneIn(2) { write(numbers.below(6)) }
        if numbers.oneIn(70) { rebalance() }
        for place in places.shuffled(using: &numbers) {
            if let until = place.frozenUntil, now < until { continue }
            place.frozenUntil = nil
            if numbers.oneIn(250) {
                count(.frozen)
                place.frozenUntil = now + .milliseconds(numbers.below(12_000))
                note("lane \(place.number): freezes")
            }
            if numbers.oneIn(400) {
                count(.killedBetween)
                place.process.session.die()
                restart(place)
            }
            if numbers.oneIn(3) { hear(place) }
            upset(place)
            for _ in 0..<1 + numbers.below(6) { turn(place) }
        }
        upsetServer()
        if numbers.oneIn(40) { operate() }
    }

    private func upsetServer() {
        if numbers.oneIn(20), !database.orphans.isEmpty { executeOrphan() }
        if numbers.oneIn(60) { snapshot = database.snapshot() }
        if numbers.oneIn(120), let snapshot { failOver(to: snapshot) }
        // A frozen session holds a row of the ledger; sometimes it wakes by itself.
        if numbers.oneIn(80) {
            count(.ledgerLocked)
            database.locked.insert(numbers.below(partitions))
        }
        if numbers.oneIn(25) { database.locked = [] }
        if numbers.oneIn(250) {
            count(.readOnly)
            note("the server is read-only")
            readOnlyUntil = now + .milliseconds(numbers.below(1_000))
        }
        database.isReadOnly = readOnlyUntil.map { now < $0 } ?? false
        if numbers.oneIn(200) {
            count(.sessionCut)
            numbers.pick(places).process.session.cut()
        }
    }

    private func write(_ amount: Int) {
        for _ in 0..<amount {
            let partition = numbers.below(partitions)
            if numbers.oneIn(25) {
                count(.hole)
                log.append(nil, to: partition)
            }
            let own = Array((0..<5).map { partition * 5 + $0 })
            let message = numbers.message(patients: wanders ? Array(0..<6) : own, instants: 8 + steps / 12)
            if case .letter = message.meaning { count(.badMessage) }
            log.append(message, to: partition)
            outcome.messages += 1
        }
    }

    /// The group decides anew who reads what; each process hears of it when it next looks.
    func rebalance() {
        var given: [Int: [Int]] = [:]
        for partition in 0..<partitions { given[numbers.below(places.count), default: []].append(partition) }
        for place in places { place.unheard = given[place.number] ?? [] }
        note("the group gives \(places.map { $0.unheard ?? [] })")
    }

    func hear(_ place: SimulatedPlace) {
        guard let given = place.unheard else { return }
        place.unheard = nil
        let consumer = place.process.consumer
        if numbers.oneIn(5) {
            count(.bothOwners)
        } else {
            let isLost = numbers.oneIn(2)
            count(isLost ? .partitionsLost : .rebalance)
            consumer.revoke(consumer.reading, lost: isLost)
        }
        consumer.assign(group: given)
        note("lane \(place.number): assigned \(given)")
    }

    // MARK: - Calm

    private func calm() {
        note("calm")
        isCalm = true
        for place in places {
            place.frozenUntil = nil
            let consumer = place.process.consumer
            consumer.hiccups = []
            consumer.leftovers = 0
            consumer.failingWatermarks = 0
            consumer.slice = 512
        }
        database.locked = []
        database.isReadOnly = false
        while !database.orphans.isEmpty { executeOrphan() }
        rebalance()
        for place in places { hear(place) }
        // A hole at a log's end is noticed only when something follows it.
        for partition in 0..<partitions {
            log.append(numbers.message(patients: [partition * 5], instants: 4), to: partition)
        }
        outcome.recovery = settle(within: .seconds(60))
    }

    /// Turns until all is stored. A lane's thread turns as long as there is something to do, here at most so often at
    /// one time.
    /// - Returns: the longest that a partition with something to store stood still.
    func settle(within limit: Duration) -> Duration {
        let start = now
        var longest: Duration = .zero
        var standing = positions.map { (next: $0, since: now) }
        while !isDone, now - start < limit {
            now = now + .milliseconds(25)
            for _ in 0..<8 { for place in places { turn(place) } }
            release()
            for (partition, next) in positions.enumerated() {
                if next != standing[partition].next { standing[partition] = (next, now) }
                guard next != log.high(partition) else { continue }
                let stood = now - standing[partition].since
                if stood > Self.recoveryLimit, longest <= Self.recoveryLimit {
                    violate(.progress, "partition \(partition) stands at \(next) for \(stood) after the last fault")
                }
                longest = max(longest, stood)
            }
        }
        return longest
    }

    private var positions: [Int64] { (0..<partitions).map { database.progress[$0]?.next ?? -1 } }

    var isDone: Bool { (0..<partitions).allSatisfy { database.progress[$0]?.next == log.high($0) } }
}
