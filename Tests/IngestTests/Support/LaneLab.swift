import Ingest
import Kafka
import LaneLaboratory
import Service
import Testing
import VitalSigns

/// A lane between a log and a database in memory, with a clock that moves when it is told to.
final class LaneLab {
    let log: FakeLog
    let database: FakeDatabase
    let consumer: FakeConsumer
    let session: FakeSession
    private(set) var now: MonotonicTime
    private var lane: Lane<FakeSource, FakeStore>

    /// - Parameter partner: another lane whose log and database this one shares.
    init(
        partitions: Int = 2, partner: LaneLab? = nil, log level: LogLevel = .debug,
        _ change: (inout LaneConfiguration) -> Void = { _ in }
    ) {
        log = partner?.log ?? FakeLog(partitions: partitions)
        database = partner?.database ?? FakeDatabase()
        consumer = FakeConsumer(log: log)
        session = FakeSession(database: database)
        now = partner?.now ?? MonotonicTime(nanoseconds: 1_000_000_000)
        var configuration = LaneConfiguration(lane: 0, topics: [FakeLog.topic])
        configuration.batchMaxRows = 1_024
        configuration.patientCapacity = 64
        change(&configuration)
        // No such descriptor: lines are made, and lost.
        lane = Lane(
            configuration: configuration, source: FakeSource(consumer: consumer), store: FakeStore(session: session),
            log: Log(level: level, descriptor: -1), now: now)
    }

    var status: LaneStatus { lane.status() }
    var counters: LaneCounters { lane.status().counters }

    /// The state of a partition as the lane shows it, "-" when it has none.
    func state(_ partition: Int) -> String { shown(partition)?.state.rawValue ?? "-" }

    func shown(_ partition: Int) -> LaneStatus.Partition? {
        lane.status().partitions.first { $0.partition == FakeLog.partition(partition) }
    }

    /// One turn of the lane's loop, a tenth of a millisecond long.
    @discardableResult
    func turn() -> Bool {
        session.now = now
        let hasMore = lane.turn(now: now)
        now = now + .microseconds(100)
        return hasMore
    }

    /// One turn at a time of the caller's.
    func turn(at time: MonotonicTime) {
        now = max(now, time)
        session.now = now
        _ = lane.turn(now: now)
    }

    /// Turns until nothing moves any more without time passing.
    func settle() {
        for _ in 0..<2_000 {
            let hasMore = turn()
            let isWaiting = session.pending.map { session.held.contains($0) } ?? true
            if !hasMore && isWaiting {
                // A last turn sees what the end of a request has made possible.
                let before = session.journal.count
                if !turn(), session.journal.count == before, session.pending == nil || isWaiting { return }
            }
        }
        Issue.record("the lane does not settle")
    }

    /// Lets time pass, turning as the lane's thread would.
    func pass(_ duration: Duration, step: Duration = .milliseconds(50)) {
        let end = now + duration
        while now < end {
            now = now + step
            session.now = now
            _ = lane.turn(now: now)
        }
        settle()
    }

    /// The process stands still: time passes without a turn.
    func freeze(_ duration: Duration) { now = now + duration }

    func finish() -> Bool {
        session.now = now
        return lane.finish(now: now)
    }

    func close() -> Bool { lane.close(within: .seconds(1)) }

    /// The group gives the lane these partitions.
    func join(_ partitions: [Int]) {
        consumer.assign(group: partitions)
        settle()
    }

    /// Appends readings of one patient, a second apart.
    func append(_ count: Int, to partition: Int, patient: Int = 1, from second: Int = 0) {
        for index in 0..<count {
            log.append(
                .reading(
                    TestReading(patient: patient, second: second + index, vitals: ["heartRate": "\(60 + index % 9)"])),
                to: partition)
        }
    }

    /// Offset up to which the database is, -1 without a row.
    func committed(_ partition: Int) -> Int64 { database.progress[partition]?.next ?? -1 }

    /// Holds the tables against the log folded one message at a time, up to where the database is.
    func expectLogFolded(sourceLocation: SourceLocation = #_sourceLocation) {
        let facts = database.facts
        // A partition that nobody has taken over has no row of the ledger, and no message that counts.
        var next = facts.books.mapValues(\.next)
        for partition in 0..<log.partitionCount where next[partition] == nil { next[partition] = log.low[partition] }
        var expected = LedgerFacts.fold(log, first: facts.books.mapValues(\.first), next: next)
        expected.books = expected.books.filter { facts.books[$0.key] != nil }
        let differences = facts.differences(from: expected)
        #expect(differences.first == nil, sourceLocation: sourceLocation)
        #expect(session.misuses.isEmpty && consumer.misuses.isEmpty, sourceLocation: sourceLocation)
    }

    /// The same, and that everything in the log was read.
    func expectAllFolded(sourceLocation: SourceLocation = #_sourceLocation) {
        for partition in 0..<log.partitionCount where database.progress[partition] != nil {
            #expect(committed(partition) == log.high(partition), sourceLocation: sourceLocation)
        }
        expectLogFolded(sourceLocation: sourceLocation)
    }
}
