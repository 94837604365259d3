internal import Ingest
internal import Kafka
internal import Service

/// One process of a simulated fleet: a lane with its consumer and its session, and what the group has in store for it.
final class SimulatedLane {
    let consumer: FakeConsumer
    let session: FakeSession
    private var lane: Lane<FakeSource, FakeStore>

    init(log: FakeLog, database: FakeDatabase, configuration: LaneConfiguration, now: MonotonicTime) {
        consumer = FakeConsumer(log: log)
        session = FakeSession(database: database)
        session.executesOrphans = true
        session.keepsJournal = false
        // No such descriptor: lines are made, and lost.
        lane = Lane(
            configuration: configuration, source: FakeSource(consumer: consumer), store: FakeStore(session: session),
            log: Log(level: .error, descriptor: -1), now: now)
    }

    var status: LaneStatus { lane.status() }

    func turn(at now: MonotonicTime) {
        session.now = now
        _ = lane.turn(now: now)
    }
}

/// A place in the fleet: its process may die, and another takes its place.
final class SimulatedPlace {
    let number: Int
    var process: SimulatedLane
    /// What the group has decided and the process has not heard yet.
    var unheard: [Int]?
    var frozenUntil: MonotonicTime?
    /// What its consumers have lost once already.
    var lost: Set<FakeConsumer.Place> = []

    init(number: Int, process: SimulatedLane) {
        self.number = number
        self.process = process
    }
}
