// The public signatures are made of their values.
internal import Kafka
internal import Postgres
internal import Service
public import VitalSigns

/// A connection in a place of its own, so that one request can go on with it over many calls.
final class StoreSession {
    var connection: Connection

    init(_ connection: consuming Connection) {
        self.connection = connection
    }
}

/// A lane's PostgreSQL session: one request at a time, driven without blocking. One thread only.
public struct PostgresStore: ReadingStore, ~Copyable {
    enum Activity {
        case none, connecting, settingUp, takingOver, endingBlockers, readingOwnership, fetchingNewest, fetchingStored
        case makingOrigins([OriginNames])
        case readingOrigins
        case askingFlow
        case committing(Batch, BatchPlan)
        case rollingBack(StoreFailure)
    }

    private let databaseURL: String
    private let applicationName: String
    let consumerGroup: String
    /// The newest migration that this program needs.
    private let requiredMigration: Int

    private var session: StoreSession?
    var activity = Activity.none
    var wantsWrite = false
    private var failure: StoreFailure?
    private var sawCommit = false
    /// Why connecting failed last, in words: finding that out may take a look at the server.
    private var explained: (error: PostgresError, at: MonotonicTime, text: String)?
    private static let explanationHolds: Duration = .seconds(60)

    let copy = CopyStream()
    var copies: [CopyStream.Kind] = []
    var isStreaming = false
    var uuids = BinaryArrayEncoder(elementType: .uuid)
    var times = BinaryArrayEncoder(elementType: .timestamp)

    var takeOverRequests: [TakeOverRequest] = []
    /// See `ReadingStore`.
    public internal(set) var taken: [TakenPartition] = []
    /// See `ReadingStore`.
    public internal(set) var ownerships: [PartitionOwnership] = []
    /// See `ReadingStore`.
    public internal(set) var newest: [Reading?] = []
    /// See `ReadingStore`.
    public internal(set) var stored: [Reading] = []
    /// See `ReadingStore`.
    public internal(set) var originIDs: [Int32] = []
    /// Whether this session has the temporary tables of patient flow. Sessions without its messages do without: at the
    /// end of each transaction that touches one temporary table the server empties them all.
    private(set) var hasFlowStages = false
    /// The questions of `askFlow` that are not answered yet.
    var flowQueries: [FlowQuery] = []
    /// See `ReadingStore`.
    public internal(set) var flowAnswer = FlowAnswer()

    /// A store that is not connected yet.
    public init(databaseURL: String, applicationName: String, consumerGroup: String, requiredMigration: Int) {
        self.databaseURL = databaseURL
        self.applicationName = applicationName
        self.consumerGroup = consumerGroup
        self.requiredMigration = requiredMigration
    }

    /// See `ReadingStore`.
    public var isConnected: Bool {
        switch activity {
        case .connecting, .settingUp: false
        case .none, .takingOver, .endingBlockers, .readingOwnership, .fetchingNewest, .fetchingStored, .makingOrigins,
            .readingOrigins, .askingFlow, .committing, .rollingBack:
            session != nil
        }
    }

    /// See `ReadingStore`.
    public var interest: StoreInterest {
        guard case .none = activity else {
            return StoreInterest(descriptor: session?.connection.socket ?? -1, read: true, write: wantsWrite)
        }
        return StoreInterest(descriptor: -1, read: false, write: false)
    }

    /// See `ReadingStore`.
    public mutating func connect() {
        disconnect()
        failure = nil
        activity = .connecting
        wantsWrite = true
        do {
            session = StoreSession(try Connection(connecting: databaseURL, applicationName: applicationName))
        } catch {
            failure = .away(explain(error))
        }
    }

    /// See `ReadingStore`.
    public mutating func disconnect() {
        session = nil
        hasFlowStages = false
        activity = .none
        isStreaming = false
        wantsWrite = false
    }

    /// See `ReadingStore`.
    public mutating func advance() -> StoreProgress {
        if case .none = activity { return .idle }
        guard let session else { return end(.failed(failure ?? .away("no connection"))) }
        do {
            return try drive(session)
        } catch {
            return meet(error)
        }
    }

    /// Notes a statement that could not even be sent; `advance` tells.
    mutating func begin(_ next: Activity, _ send: (inout Connection) throws(PostgresError) -> Void) {
        activity = next
        failure = nil
        wantsWrite = false
        sawCommit = false
        guard let session else {
            failure = .away("no connection")
            return
        }
        do {
            try send(&session.connection)
        } catch {
            failure = Self.failure(of: error)
        }
    }

    // MARK: - Stepping

    private mutating func drive(_ session: StoreSession) throws(PostgresError) -> StoreProgress {
        if case .connecting = activity, try !advanceConnecting(session) { return .working }
        while true {
            if isStreaming, case .committing(_, let plan) = activity {
                guard try copy.push(into: &session.connection, plan: plan) else {
                    wantsWrite = true
                    return .working
                }
                try session.connection.endCopy()
                isStreaming = false
            }
            switch try session.connection.step() {
            case .needs(_, let write):
                wantsWrite = write
                return .working
            case .copyIn:
                guard case .committing(let batch, let plan) = activity, !copies.isEmpty else {
                    preconditionFailure("the server wants COPY data that nobody has")
                }
                copy.start(copies.removeFirst(), batch: batch, plan: plan)
                isStreaming = true
            case .result(let result):
                take(result)
            case .idle:
                if let progress = try finish(session) { return progress }
            }
        }
    }

    private mutating func advanceConnecting(_ session: StoreSession) throws(PostgresError) -> Bool {
        switch try session.connection.advanceConnecting() {
        case .wantsRead: wantsWrite = false
        case .wantsWrite: wantsWrite = true
        case .ready:
            activity = .settingUp
            wantsWrite = false
            try session.connection.send(StoreSQL.session)
            return true
        }
        return false
    }

    /// All results of what was sent are in.
    private mutating func finish(_ session: StoreSession) throws(PostgresError) -> StoreProgress? {
        if case .rollingBack(let cause) = activity { return end(.failed(cause)) }
        if let failure {
            // An explicit transaction that failed is still open.
            let status = session.connection.transactionStatus
            if status == .failed || status == .inTransaction {
                activity = .rollingBack(failure)
                isStreaming = false
                try session.connection.send("ROLLBACK")
                return nil
            }
            return end(.failed(failure))
        }
        switch activity {
        case .makingOrigins(let names):
            activity = .readingOrigins
            try session.connection.send(StoreSQL.originIDs, parameters: Self.parameters(names))
            return nil
        case .committing where !sawCommit:
            return end(.failed(.refused("the server did not commit and gave no reason")))
        case .askingFlow where flowQueries.count > 1:
            flowQueries.removeFirst()
            try session.connection.send(flowQueries[0].sql, parameters: flowQueries[0].parameters)
            return nil
        case .none, .connecting, .settingUp, .takingOver, .endingBlockers, .readingOwnership, .fetchingNewest,
            .fetchingStored, .readingOrigins, .askingFlow, .committing, .rollingBack:
            return end(.finished)
        }
    }

    /// An error came: the rest of the results is drained first, unless the connection is gone.
    private mutating func meet(_ error: PostgresError) -> StoreProgress {
        var cause = Self.failure(of: error)
        if case .settingUp = activity, error.sqlState == .undefinedTable {
            // Nobody's mistake while serve itself is about to migrate.
            cause = .away("no schema yet: serve makes it unless MIGRATE=off, else run vitalstream migrate")
        }
        if case .connecting = activity { return end(.failed(.away(explain(error)))) }
        if case .rollingBack(let first) = activity {
            session = nil
            return end(.failed(first))
        }
        if case .away = cause {
            session = nil
            return end(.failed(cause))
        }
        if failure == nil { failure = cause }
        isStreaming = false
        return advance()
    }

    /// The cause and what to do about it, where that is known.
    ///
    /// libpq does not say what is wrong with a server's certificate; a look at it may block for a second, in which
    /// nothing is read, but the heartbeats go on. What was seen is believed for a minute.
    private mutating func explain(_ error: PostgresError) -> String {
        let now = MonotonicTime.now()
        if let explained, explained.error == error, now - explained.at < Self.explanationHolds { return explained.text }
        let diagnosis = Connection.explain(error, databaseURL: databaseURL, within: .seconds(1))
        let text = diagnosis?.description ?? error.description
        if diagnosis?.isVague != true { explained = (error, now, text) }
        return text
    }

    private mutating func end(_ progress: StoreProgress) -> StoreProgress {
        if case .failed(.refused) = progress, case .settingUp = activity { session = nil }
        activity = .none
        isStreaming = false
        wantsWrite = false
        failure = nil
        return progress
    }

    /// What the lane has to know of a server's error; never its DETAIL, which may hold a patient's values.
    static func failure(of error: PostgresError) -> StoreFailure {
        let state = error.sqlState?.code ?? ""
        switch error.disposition {
        case .retry: return .retry(sqlState: state)
        case .conflict: return .conflict(sqlState: state)
        case .fenced: return .fenced
        case .reconnect: return .away(error.description)
        case .data: return .data(sqlState: state)
        case .stop:
            let remedy =
                switch state {
                case "42P01", "3F000", "42883", "42703": ": run vitalstream migrate"
                case "42501": ": grant the right, or run vitalstream migrate as the owner"
                default: ""
                }
            return .refused(error.description + remedy)
        }
    }

    private mutating func take(_ result: consuming ResultSet) {
        switch activity {
        case .settingUp:
            guard result.columnCount == 1, result.rowCount == 1 else { return }
            let found = result.int64IfPresent(0, 0) ?? 0
            if found < Int64(requiredMigration) {
                failure = .refused(
                    "the schema stands at migration \(found), this program needs \(requiredMigration): "
                        + "run vitalstream migrate")
            }
        case .committing:
            if result.commandTag == "COMMIT" {
                sawCommit = true
                if case .committing(let batch, _) = activity, batch.flow != nil { hasFlowStages = true }
            }
        default:
            takeAnswer(result)
        }
    }
}
