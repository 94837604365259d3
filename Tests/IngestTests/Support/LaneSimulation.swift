import Ingest
import Kafka
import Service
import TestSupport
import Testing
import VitalSigns

/// Some lanes, a log and a database, with everything going wrong that DESIGN.md names: at any step a lane freezes or
/// loses its partitions, a request fails before or after its work, messages repeat or get lost, the database falls
/// back. Everything follows from the seed.
final class LaneSimulation {
    private let seed: UInt64
    private var numbers: SeededNumbers
    private let partitions: Int
    /// Whether patients speak through any partition, as after the topic has grown.
    private let wanders: Bool
    /// Whether consumers lose messages, or deliver some from before an assignment.
    private let loses: Bool
    private let lanes: [LaneLab]
    private var now = MonotonicTime(nanoseconds: 1_000_000_000)
    /// What the group has decided and a lane has not heard yet.
    private var unheard: [Int: [Int]] = [:]
    private var frozenUntil: [Int: MonotonicTime] = [:]
    /// What each lane's consumer has lost once already.
    private var lost: [Int: Set<FakeConsumer.Place>] = [:]
    private var snapshot: FakeDatabase.Snapshot?
    private var steps = 0
    private(set) var failovers = 0

    private var log: FakeLog { lanes[0].log }
    private var database: FakeDatabase { lanes[0].database }

    init(seed: UInt64, wanders: Bool) {
        self.seed = seed
        self.wanders = wanders
        var numbers = SeededNumbers(seed: seed)
        partitions = 1 + numbers.below(4)
        loses = numbers.oneIn(2)
        let rows = numbers.pick([3, 16, 64, 1_024])
        let patients = numbers.pick([2, 64])
        func change(_ configuration: inout LaneConfiguration) {
            configuration.batchMaxRows = rows
            configuration.patientCapacity = patients
            configuration.requestLimit = .seconds(8)
            configuration.stallLimit = .seconds(2)
        }
        let first = LaneLab(partitions: partitions, log: .error, change)
        var lanes = [first]
        for _ in 0..<numbers.below(3) { lanes.append(LaneLab(partner: first, log: .error, change)) }
        self.lanes = lanes
        self.numbers = numbers
        for lane in lanes { prepare(lane) }
    }

    private func prepare(_ lane: LaneLab) {
        lane.session.executesOrphans = true
        lane.session.chance = { [unowned self] in (numbers.oneIn(8) ? 1 + numbers.below(200) : 0, outcome(of: $0)) }
        lane.consumer.choose = { [unowned self] in numbers.below($0) }
    }

    private func outcome(of kind: FakeSession.Kind) -> FakeSession.Outcome {
        guard numbers.oneIn(12) else { return .succeed }
        switch numbers.below(12) {
        case 0...3: return .loseAnswer
        case 4, 5: return .fail(.away("the server ended"))
        case 6, 7: return .fail(.retry(sqlState: "40001"))
        case 8: return .fail(kind == .commit ? .conflict(sqlState: "23505") : .away("the server ended"))
        case 9: return .fail(kind == .commit ? .fenced : .away("the server ended"))
        case 10: return .fail(kind == .commit ? .data(sqlState: "22P02") : .retry(sqlState: "40P01"))
        default: return .fail(.refused("a right is missing"))
        }
    }

    /// Runs to the end: trouble first, then calm, then the judgement.
    func run() {
        rebalance()
        for _ in 0..<500 { step() }
        calm()
        judge()
    }

    private func step() {
        steps += 1
        now = now + .milliseconds(numbers.oneIn(30) ? numbers.below(4_000) : numbers.below(40))
        if numbers.oneIn(2) { write(numbers.below(6)) }
        if numbers.oneIn(70) { rebalance() }
        for lane in lanes.indices.shuffled(using: &numbers) {
            if let until = frozenUntil[lane], now < until { continue }
            frozenUntil[lane] = numbers.oneIn(150) ? now + .milliseconds(numbers.below(12_000)) : nil
            if numbers.oneIn(3) { hear(lane) }
            upset(lane)
            lanes[lane].turn(at: now)
        }
        if numbers.oneIn(20), !database.orphans.isEmpty { executeOrphan() }
        if numbers.oneIn(60) { snapshot = database.snapshot() }
        if numbers.oneIn(120), let snapshot { failOver(to: snapshot) }
        // A frozen session holds a row of the ledger; sometimes it wakes by itself.
        if numbers.oneIn(50) { database.locked.insert(numbers.below(partitions)) }
        if numbers.oneIn(100) { database.locked = [] }
        if numbers.oneIn(40) { operate() }
    }

    private func write(_ count: Int) {
        for _ in 0..<count {
            let partition = numbers.below(partitions)
            if numbers.oneIn(25) { log.append(nil, to: partition) }
            let own = Array((0..<5).map { partition * 5 + $0 })
            log.append(
                numbers.message(patients: wanders ? Array(0..<6) : own, instants: 8 + steps / 20), to: partition)
        }
    }

    /// The group decides anew who reads what; each lane hears of it when it next looks.
    private func rebalance() {
        var given: [Int: [Int]] = [:]
        for partition in 0..<partitions { given[numbers.below(lanes.count), default: []].append(partition) }
        for lane in lanes.indices { unheard[lane] = given[lane] ?? [] }
    }

    private func hear(_ lane: Int) {
        guard let given = unheard.removeValue(forKey: lane) else { return }
        let consumer = lanes[lane].consumer
        if !numbers.oneIn(5) { consumer.revoke(consumer.reading, lost: numbers.oneIn(2)) }
        consumer.assign(group: given)
    }

    /// What librdkafka was seen to do. A message lost on the way and another that comes too early could together look
    /// like the log's own gap, twice the same; no run has both.
    private func upset(_ lane: Int) {
        let consumer = lanes[lane].consumer
        consumer.slice = numbers.pick([1, 7, 512])
        if numbers.oneIn(60) { consumer.failingWatermarks = 1 }
        // A partition moves to another leader, in the middle of whatever the lane is doing.
        if numbers.oneIn(60) { consumer.events.append(.fetchRefused) }
        let partition = numbers.below(partitions)
        if numbers.oneIn(20), let position = consumer.position(partition), position > 0 {
            let offset = Int64(numbers.below(Int(position)))
            consumer.strays.append((FakeConsumer.Place(partition: partition, offset: offset), 0))
        }
        guard loses else {
            consumer.leftovers = numbers.oneIn(4) ? numbers.below(4) : 0
            return
        }
        if numbers.oneIn(40) {
            let start = log.high(partition) - 3 + Int64(numbers.below(6))
            for offset in start..<start + 1 + Int64(numbers.below(3)) {
                // Lost twice at one place it would be the log's own gap, by the lane's rule.
                let place = FakeConsumer.Place(partition: partition, offset: offset)
                if lost[lane, default: []].insert(place).inserted { consumer.hiccups.append(place) }
            }
        }
    }

    /// The server goes on with a commit whose client has gone; the fence decides.
    private func executeOrphan() {
        do {
            try database.apply(database.orphans.removeFirst())
        } catch {
            // Fenced, as a rule.
        }
    }

    /// A standby without the last commits takes over.
    private func failOver(to snapshot: FakeDatabase.Snapshot) {
        failovers += 1
        database.restore(snapshot)
        for lane in lanes { lane.session.cut() }
        // What the old server was still doing is lost with it.
        database.orphans = []
        database.locked = []
    }

    /// Retention removes what is committed; an operator looks after partitions that stand still.
    private func operate() {
        for partition in 0..<partitions {
            let oldest = min(database.progress[partition]?.next ?? 0, snapshotNext(partition))
            if numbers.oneIn(3), oldest > log.low[partition] {
                log.removeBefore(
                    log.low[partition] + Int64(numbers.below(Int(oldest - log.low[partition]) + 1)), partition)
            }
        }
        release()
    }

    private func snapshotNext(_ partition: Int) -> Int64 { snapshot?.next(partition) ?? 0 }

    /// What was stopped for a value or a hole is tried again.
    private func release() {
        for lane in lanes {
            for shown in lane.status.partitions where shown.state == .stopped {
                // No log here is ever made anew.
                #expect(!shown.reason.contains("is not the one that was stored"), "seed \(seed)")
                database.progress[Int(shown.partition.partition)]?.epoch += 1
            }
        }
    }

    private func calm() {
        for lane in lanes {
            lane.session.chance = nil
            lane.consumer.hiccups = []
            lane.consumer.leftovers = 0
            lane.consumer.failingWatermarks = 0
            lane.consumer.slice = 512
        }
        frozenUntil = [:]
        database.locked = []
        while !database.orphans.isEmpty { executeOrphan() }
        rebalance()
        for lane in lanes.indices { hear(lane) }
        // A hole at a log's end is noticed only when something follows it.
        for partition in 0..<partitions {
            log.append(numbers.message(patients: [partition * 5], instants: 4), to: partition)
        }
        for _ in 0..<3_000 where !isDone {
            now = now + .milliseconds(25)
            for lane in lanes { lane.turn(at: now) }
            release()
        }
    }

    private var isDone: Bool {
        (0..<partitions).allSatisfy { database.progress[$0]?.next == log.high($0) }
    }

    private func judge() {
        let comment: Comment = "seed \(seed)"
        #expect(isDone, comment)
        guard isDone else { return }
        for lane in lanes { #expect(lane.session.misuses.isEmpty && lane.consumer.misuses.isEmpty, comment) }
        let facts = database.facts
        let expected = LedgerFacts.fold(log, first: facts.books.mapValues(\.first))
        if !wanders {
            #expect(facts.differences(from: expected).first == nil, comment)
            return
        }
        // With a patient in several partitions the order between them is nobody's; the counts are exact all the same.
        #expect(Set(facts.rows.keys).symmetricDifference(expected.rows.keys).isEmpty, comment)
        #expect(facts.letters.symmetricDifference(expected.letters).isEmpty, comment)
        var inserted: Int64 = 0
        for (partition, books) in facts.books {
            let counts = books.verdicts
            inserted += counts.inserted
            let consumed =
                counts.inserted + counts.merged + counts.corrected + counts.duplicate + counts.stale + books.rejected
            #expect(consumed == books.next - books.first - books.gaps, comment)
            #expect(books.gaps == expected.books[partition]?.gaps, comment)
        }
        #expect(inserted == Int64(facts.rows.count), comment)
    }
}
