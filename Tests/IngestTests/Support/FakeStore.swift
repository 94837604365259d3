import Ingest
import Kafka
import Service
import VitalSigns

/// A lane's session with a `FakeDatabase`: it can be held up, fail before or after the server did the work, and keeps
/// a journal of what was asked.
final class FakeSession {
    enum Kind: String, CaseIterable, Sendable {
        case connect, takeOver, endBlockers, ownership, newest, stored, origins, commit
    }

    enum Outcome: Equatable {
        case succeed
        /// Nothing was done.
        case fail(StoreFailure)
        /// It was done, but the answer is lost with the connection.
        case loseAnswer
    }

    let database: FakeDatabase
    /// Kinds of request that stay unanswered until they are taken out.
    var held: Set<Kind> = []
    /// How the next requests of a kind end; then they succeed.
    var outcomes: [Kind: [Outcome]] = [:]
    /// Commits that stay unanswered for ever.
    var holdsCommit: ((CommitRequest) -> Bool)?
    /// Decides instead of `outcomes` when set: how many steps it takes, and how it ends.
    var chance: ((Kind) -> (steps: Int, outcome: Outcome))?
    /// Whether the server goes on with a commit whose client has gone.
    var executesOrphans = false
    /// Every request, with the lane's time.
    private(set) var journal: [(kind: Kind, at: MonotonicTime)] = []
    private(set) var takeOvers: [[TakeOverRequest]] = []
    private(set) var originRequests: [[OriginNames]] = []
    private(set) var commits: [CommitRequest] = []
    private(set) var misuses: [String] = []
    private(set) var isConnected = false
    /// What the journal's times are.
    var now = MonotonicTime(nanoseconds: 0)

    private(set) var pending: Kind?
    private var steps = 0
    private var outcome = Outcome.succeed
    fileprivate var work: (() throws(StoreFailure) -> Void)?
    private var isCut = false
    private var commitUnderWay: (request: CommitRequest, batch: Batch, plan: BatchPlan)?

    fileprivate(set) var taken: [TakenPartition] = []
    fileprivate(set) var ownerships: [PartitionOwnership] = []
    fileprivate(set) var newest: [Reading?] = []
    fileprivate(set) var stored: [Reading] = []
    fileprivate(set) var originIDs: [Int32] = []

    init(database: FakeDatabase) {
        self.database = database
    }

    /// How many requests of a kind there were.
    func count(_ kind: Kind) -> Int { journal.count { $0.kind == kind } }

    /// The server ends the session; the next answer says so.
    func cut() {
        isConnected = false
        isCut = true
    }

    fileprivate func begin(_ kind: Kind, _ work: @escaping () throws(StoreFailure) -> Void) {
        if let pending { misuses.append("\(kind) while \(pending) is under way") }
        if kind != .connect, !isConnected, !isCut { misuses.append("\(kind) without a session") }
        journal.append((kind, now))
        pending = kind
        self.work = work
        if let chance {
            (steps, outcome) = chance(kind)
        } else {
            steps = 0
            outcome = outcomes[kind]?.isEmpty == false ? outcomes[kind]?.removeFirst() ?? .succeed : .succeed
        }
    }

    fileprivate func beginCommit(_ batch: Batch, _ plan: BatchPlan) {
        let request = CommitRequest(batch, plan)
        commits.append(request)
        begin(.commit) { [database] () throws(StoreFailure) in try database.apply(request) }
        commitUnderWay = (request, batch, plan)
    }

    fileprivate func note(_ requests: [TakeOverRequest]) { takeOvers.append(requests) }

    fileprivate func note(_ names: [OriginNames]) { originRequests.append(names) }

    fileprivate func disconnect() {
        if executesOrphans, !isCut, let commitUnderWay { database.orphans.append(commitUnderWay.request) }
        isConnected = false
        isCut = false
        (pending, work, commitUnderWay) = (nil, nil, nil)
    }

    fileprivate func advance() -> StoreProgress {
        guard let pending else { return .idle }
        if held.contains(pending) { return .working }
        if let commitUnderWay, holdsCommit?(commitUnderWay.request) == true { return .working }
        if steps > 0 {
            steps -= 1
            return .working
        }
        if let (request, batch, plan) = commitUnderWay,
            CommitRequest(batch, plan).fingerprint != request.fingerprint
        {
            misuses.append("a batch was changed while it was being committed")
        }
        let work = work
        (self.pending, self.work, commitUnderWay) = (nil, nil, nil)
        if isCut { return .failed(.away("the server has gone")) }
        do throws(StoreFailure) {
            switch outcome {
            case .succeed:
                try work?()
                if pending == .connect { isConnected = true }
                return .finished
            case .loseAnswer:
                isConnected = false
                try work?()
                return .failed(.away("the answer was lost"))
            case .fail(let failure):
                if case .away = failure { isConnected = false }
                return .failed(failure)
            }
        } catch {
            return .failed(outcome == .loseAnswer ? .away("the answer was lost") : error)
        }
    }
}

/// The port that the lane sees.
struct FakeStore: ReadingStore {
    let session: FakeSession

    var isConnected: Bool { session.isConnected }
    var interest: StoreInterest { StoreInterest(descriptor: -1, read: false, write: false) }
    var taken: [TakenPartition] { session.taken }
    var ownerships: [PartitionOwnership] { session.ownerships }
    var newest: [Reading?] { session.newest }
    var stored: [Reading] { session.stored }
    var originIDs: [Int32] { session.originIDs }

    mutating func connect() {
        session.disconnect()
        session.begin(.connect) { () throws(StoreFailure) in }
    }

    mutating func disconnect() { session.disconnect() }

    mutating func advance() -> StoreProgress { session.advance() }

    mutating func takeOver(_ requests: [TakeOverRequest], owner: UUIDBytes) {
        session.note(requests)
        session.begin(.takeOver) { [session] () throws(StoreFailure) in
            session.taken = try session.database.takeOver(requests, owner: owner)
        }
    }

    mutating func endBlockers(of partitions: [TopicPartition]) {
        session.begin(.endBlockers) { [session] () throws(StoreFailure) in
            session.database.locked.subtract(partitions.map { Int($0.partition) })
        }
    }

    mutating func readOwnership(of partitions: [TopicPartition]) {
        session.begin(.ownership) { [session] () throws(StoreFailure) in
            session.ownerships = session.database.ownership(of: partitions)
        }
    }

    mutating func fetchNewest(of patients: [ReadingKey]) {
        session.begin(.newest) { [session] () throws(StoreFailure) in
            session.newest = patients.map { session.database.newest(of: $0) }
        }
    }

    mutating func fetchStored(_ keys: [ReadingKey]) {
        session.begin(.stored) { [session] () throws(StoreFailure) in
            session.stored = keys.map { session.database.rows[LedgerFacts.Key($0)] ?? Reading() }
        }
    }

    mutating func resolveOrigins(_ names: [OriginNames]) {
        session.note(names)
        session.begin(.origins) { [session] () throws(StoreFailure) in
            session.originIDs = session.database.identifiers(of: names)
        }
    }

    mutating func commit(_ batch: Batch, _ plan: BatchPlan) { session.beginCommit(batch, plan) }
}
