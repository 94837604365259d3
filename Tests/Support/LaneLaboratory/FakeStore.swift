// The port's values.
package import Ingest
package import Kafka
package import Service
package import VitalSigns

/// A lane's session with a `FakeDatabase`: it can be held up, fail before or after the server did the work, and keeps
/// a journal of what was asked.
package final class FakeSession {
    package enum Kind: String, CaseIterable, Sendable {
        case connect, takeOver, endBlockers, ownership, newest, stored, origins, commit
    }

    package enum Outcome: Equatable {
        case succeed
        /// Nothing was done.
        case fail(StoreFailure)
        /// It was done, but the answer is lost with the connection.
        case loseAnswer
        /// The process dies before the request reaches the server, or after the server has done it.
        case die(after: Bool)
    }

    package let database: FakeDatabase
    /// Kinds of request that stay unanswered until they are taken out.
    package var held: Set<Kind> = []
    /// How the next requests of a kind end; then they succeed.
    package var outcomes: [Kind: [Outcome]] = [:]
    /// Commits that stay unanswered for ever.
    package var holdsCommit: ((CommitRequest) -> Bool)?
    /// Decides instead of `outcomes` when set: how many steps it takes, and how it ends.
    package var chance: ((Kind) -> (steps: Int, outcome: Outcome))?
    /// Whether the server goes on with a commit whose client has gone.
    package var executesOrphans = false
    /// Told of the end of every request, in words.
    package var note: ((Kind, String) -> Void)?
    /// The sessions of all lanes, of which some may be committing at the same time.
    package var peers: () -> [FakeSession] = { [] }
    /// The journal and the lists of requests are kept.
    package var keepsJournal = true
    /// Every request, with the lane's time.
    package private(set) var journal: [(kind: Kind, at: MonotonicTime)] = []
    package private(set) var takeOvers: [[TakeOverRequest]] = []
    package private(set) var originRequests: [[OriginNames]] = []
    package private(set) var commits: [CommitRequest] = []
    package private(set) var misuses: [String] = []
    package private(set) var isConnected = false
    /// The process has died in the middle of a request.
    package private(set) var isDead = false
    /// What the journal's times are.
    package var now = MonotonicTime(nanoseconds: 0)

    package private(set) var pending: Kind?
    private var steps = 0
    private var outcome = Outcome.succeed
    private var work: (() throws(StoreFailure) -> Void)?
    private var isCut = false
    private var commitUnderWay: (request: CommitRequest, batch: Batch, plan: BatchPlan)?
    /// Under a mutation: what the lane remembers though it must not.
    private var memory = WrongMemory()

    package fileprivate(set) var taken: [TakenPartition] = []
    package fileprivate(set) var ownerships: [PartitionOwnership] = []
    package fileprivate(set) var newest: [Reading?] = []
    package fileprivate(set) var stored: [Reading] = []
    package fileprivate(set) var originIDs: [Int32] = []

    package init(database: FakeDatabase) {
        self.database = database
    }

    /// How many requests of a kind there were.
    package func count(_ kind: Kind) -> Int { journal.count { $0.kind == kind } }

    /// The server ends the session; the next answer says so.
    package func cut() {
        isConnected = false
        isCut = true
    }

    /// The process dies between two requests, or while one is under way.
    package func die() {
        isDead = true
        if executesOrphans, !isCut, let commitUnderWay { database.orphans.append(commitUnderWay.request) }
    }

    private func begin(_ kind: Kind, _ work: @escaping () throws(StoreFailure) -> Void) {
        if let pending { misuses.append("\(kind) while \(pending) is under way") }
        if kind != .connect, !isConnected, !isCut { misuses.append("\(kind) without a session") }
        if keepsJournal { journal.append((kind, now)) }
        pending = kind
        self.work = work
        if let chance {
            (steps, outcome) = chance(kind)
        } else {
            steps = 0
            outcome = outcomes[kind]?.isEmpty == false ? outcomes[kind]?.removeFirst() ?? .succeed : .succeed
        }
    }

    fileprivate func disconnect() {
        if executesOrphans, !isCut, let commitUnderWay { database.orphans.append(commitUnderWay.request) }
        isConnected = false
        isCut = false
        (pending, work, commitUnderWay) = (nil, nil, nil)
    }

    fileprivate func advance() -> StoreProgress {
        guard let pending else { return .idle }
        if held.contains(pending) || isDead { return .working }
        if let commitUnderWay, holdsCommit?(commitUnderWay.request) == true { return .working }
        if steps > 0 {
            steps -= 1
            return .working
        }
        checkUntouched()
        if !isCut, case .die(let after) = outcome {
            note?(pending, after ? "the process dies after it" : "the process dies before it")
            isDead = true
            if after { do { try execute() } catch { note?(pending, "nothing was done: \(error)") } }
            return .working
        }
        let request = commitUnderWay?.request
        defer { commitUnderWay = nil }
        let progress = isCut ? .failed(.away("the server has gone")) : end(pending)
        (self.pending, work) = (nil, nil)
        if let note { note(pending, "\(progress)" + (request.map { " \($0.summary)" } ?? "")) }
        if let request { memory.note(request, progress, database.mutation) }
        return progress
    }

    private func end(_ pending: Kind) -> StoreProgress {
        do throws(StoreFailure) {
            switch outcome {
            case .succeed:
                try execute()
                if pending == .connect { isConnected = true }
                return .finished
            case .loseAnswer, .die:
                isConnected = false
                try execute()
                return .failed(.away("the answer was lost"))
            case .fail(let failure):
                if case .away = failure { isConnected = false }
                return .failed(failure)
            }
        } catch {
            if case .away = error { isConnected = false }
            return .failed(outcome == .loseAnswer ? .away("the answer was lost") : error)
        }
    }

    private func execute() throws(StoreFailure) {
        guard let request = commitUnderWay?.request else {
            try work?()
            return
        }
        for peer in peers() where peer !== self {
            guard let other = peer.commitUnderWay?.request, other.deadlocks(with: request) else { continue }
            database.watch.noteFault(.progress, "two commits at once would wait for each other in a circle")
            throw .retry(sqlState: "40P01")
        }
        // Whatever comes in between, comes between the two transactions.
        if database.mutation == .separateOffset, outcome != .succeed {
            try database.applyRowsAlone(request)
        } else {
            try database.apply(request)
        }
    }

    private func checkUntouched() {
        guard let (request, batch, plan) = commitUnderWay else { return }
        if CommitRequest(batch, plan, mutation: database.mutation).fingerprint != request.fingerprint {
            misuses.append("a batch was changed while it was being committed")
        }
    }
}

// What the lane asks.
extension FakeSession {
    fileprivate func connect() {
        disconnect()
        begin(.connect) { () throws(StoreFailure) in }
    }

    fileprivate func takeOver(_ requests: [TakeOverRequest], owner: UUIDBytes) {
        if keepsJournal { takeOvers.append(requests) }
        begin(.takeOver) { [self] () throws(StoreFailure) in
            taken = memory.falsify(try database.takeOver(requests, owner: owner), database)
        }
    }

    fileprivate func fetchNewest(of patients: [ReadingKey]) {
        begin(.newest) { [self] () throws(StoreFailure) in
            newest = patients.map { patient in memory.newest(of: patient, database) ?? database.newest(of: patient) }
        }
    }

    fileprivate func fetchStored(_ keys: [ReadingKey]) {
        begin(.stored) { [self] () throws(StoreFailure) in
            stored = keys.map { database.rows[LedgerFacts.Key($0)] ?? Reading() }
        }
    }

    fileprivate func resolveOrigins(_ names: [OriginNames]) {
        if keepsJournal { originRequests.append(names) }
        begin(.origins) { [self] () throws(StoreFailure) in originIDs = try database.identifiers(of: names) }
    }

    fileprivate func endBlockers(of partitions: [TopicPartition]) {
        begin(.endBlockers) { [database] () throws(StoreFailure) in
            database.locked.subtract(partitions.map { Int($0.partition) })
        }
    }

    fileprivate func readOwnership(of partitions: [TopicPartition]) {
        begin(.ownership) { [self] () throws(StoreFailure) in ownerships = database.ownership(of: partitions) }
    }

    fileprivate func commit(_ batch: Batch, _ plan: BatchPlan) {
        let request = CommitRequest(batch, plan, mutation: database.mutation)
        if keepsJournal { commits.append(request) }
        begin(.commit) { () throws(StoreFailure) in }
        commitUnderWay = (request, batch, plan)
    }
}

/// The port that the lane sees.
package struct FakeStore: ReadingStore {
    package let session: FakeSession

    package init(session: FakeSession) {
        self.session = session
    }

    package var isConnected: Bool { session.isConnected }
    package var interest: StoreInterest { StoreInterest(descriptor: -1, read: false, write: false) }
    package var taken: [TakenPartition] { session.taken }
    package var ownerships: [PartitionOwnership] { session.ownerships }
    package var newest: [Reading?] { session.newest }
    package var stored: [Reading] { session.stored }
    package var originIDs: [Int32] { session.originIDs }

    package mutating func connect() { session.connect() }

    package mutating func disconnect() { session.disconnect() }

    package mutating func advance() -> StoreProgress { session.advance() }

    package mutating func takeOver(_ requests: [TakeOverRequest], owner: UUIDBytes) {
        session.takeOver(requests, owner: owner)
    }

    package mutating func endBlockers(of partitions: [TopicPartition]) { session.endBlockers(of: partitions) }

    package mutating func readOwnership(of partitions: [TopicPartition]) { session.readOwnership(of: partitions) }

    package mutating func fetchNewest(of patients: [ReadingKey]) { session.fetchNewest(of: patients) }

    package mutating func fetchStored(_ keys: [ReadingKey]) { session.fetchStored(keys) }

    package mutating func resolveOrigins(_ names: [OriginNames]) { session.resolveOrigins(names) }

    package mutating func commit(_ batch: Batch, _ plan: BatchPlan) { session.commit(batch, plan) }
}
