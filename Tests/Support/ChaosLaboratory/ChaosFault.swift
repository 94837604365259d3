/// What the supervisor does to real processes.
package enum ChaosFault: String, CaseIterable, Sendable {
    case killed = "serve: SIGKILL at any moment"
    case killedBeforeBegin = "serve: SIGKILL before BEGIN"
    case killedAfterFence = "serve: SIGKILL after the fence"
    case killedInCopy = "serve: SIGKILL in the COPY"
    case killedBeforeCommit = "serve: SIGKILL before COMMIT"
    case killedBeforeAnswer = "serve: SIGKILL after COMMIT, before its answer"
    case killedAfterAnswer = "serve: SIGKILL after COMMIT's answer"
    case killedInTakeOver = "serve: SIGKILL in a take-over"
    case frozen = "serve: SIGSTOP past the session, SIGCONT"
    case stopped = "serve: SIGTERM, started again"
    case oneMoreOrLess = "group: one process more, or less"
    case sessionsEnded = "PostgreSQL: pg_terminate_backend"
    case databaseFast = "PostgreSQL: restart, fast"
    case databaseImmediate = "PostgreSQL: restart, immediate"
    case databaseKilled = "PostgreSQL: SIGKILL of all its processes"
    case ledgerLocked = "PostgreSQL: ledger rows locked by another session"
    case readOnly = "PostgreSQL: read-only"
    case connectionsExhausted = "PostgreSQL: no connection left"
    case answerDropped = "network: answer to COMMIT dropped"
    case connectionCut = "network: connection cut inside a transaction"
    case blackHole = "network: nothing passes for a while"
    case brokerPaused = "Kafka: SIGSTOP, SIGCONT"
    case brokerKilled = "Kafka: SIGKILL, started again"
    case brokerRestarted = "Kafka: stopped and started again"
    case burst = "input: a burst"

    /// Only one of these at a time, since they are done to what all share.
    var isShared: Bool {
        switch self {
        case .databaseFast, .databaseImmediate, .databaseKilled, .ledgerLocked, .readOnly, .connectionsExhausted,
            .sessionsEnded, .brokerPaused, .brokerKilled, .brokerRestarted, .oneMoreOrLess:
            true
        default: false
        }
    }

    /// A broker that keeps its log through its own end.
    var needsRealBroker: Bool { self == .brokerKilled || self == .brokerRestarted }

    /// How often it is drawn, against the others.
    var weight: Int {
        switch self {
        case .sessionsEnded, .answerDropped, .connectionCut: 6
        case .frozen, .databaseFast, .databaseImmediate, .databaseKilled, .brokerKilled, .brokerRestarted, .burst: 1
        default: 2
        }
    }

    /// Where in its transaction a process is killed.
    var killMoment: WireProxy.Moment? {
        switch self {
        case .killedBeforeBegin: .beforeFence
        case .killedAfterFence: .afterFence
        case .killedInCopy: .insideCopy
        case .killedBeforeCommit: .beforeCommit
        case .killedBeforeAnswer: .commitAnswer
        case .killedAfterAnswer: .afterAnswer
        case .killedInTakeOver: .takeOverAnswer
        default: nil
        }
    }
}
