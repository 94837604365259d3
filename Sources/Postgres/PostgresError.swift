/// What went wrong between us and PostgreSQL, without a trace of the data involved.
///
/// Only the primary message is kept: DETAIL, HINT and CONTEXT quote rows, and rows are patient data.
public struct PostgresError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where the error arose.
    public enum Kind: Sendable, Equatable {
        /// No connection, or it broke; whether an open COMMIT was done is unknown.
        case connection
        /// The server refused a statement.
        case server(SQLState)
        /// The exchange went out of step, for example rows arrived where COPY was expected.
        case protocolMisuse
        /// A blocking call met its time limit.
        case timedOut
    }

    /// What the caller should do about it.
    public enum Disposition: Sendable, Equatable {
        /// Run the same transaction again on the same connection, after a short wait.
        case retry
        /// The database is away or unusable for now: drop the connection and connect again, with growing waits.
        case reconnect
        /// The partition belongs to someone else: drop its state, take it over again.
        case fenced
        /// What was read before is no longer so: roll back, read again, classify again.
        case conflict
        /// The server refuses these values: find the row by halving the batch.
        case data
        /// A human is needed: missing tables or rights, a defect.
        case stop
    }

    /// Where the error arose.
    public let kind: Kind
    /// One line, without values of rows.
    public let message: String

    /// An error of this module or of a test double.
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The server's code, if the server sent one.
    public var sqlState: SQLState? {
        if case .server(let state) = kind { state } else { nil }
    }

    /// What to do about it, from the kind and the code alone.
    public var disposition: Disposition {
        switch kind {
        case .connection, .timedOut: .reconnect
        case .protocolMisuse: .stop
        case .server(let state): Self.disposition(of: state)
        }
    }

    /// `message [SQLSTATE]` in one line.
    public var description: String {
        switch kind {
        case .connection, .protocolMisuse, .timedOut: message
        case .server(let state): "\(message) [\(state)]"
        }
    }

    private static func disposition(of state: SQLState) -> Disposition {
        switch state.code {
        case "VS001": return .fenced
        case "VS002", "23505": return .conflict
        // Deadlock, serialization failure, lock or statement time-out, object in use.
        case "40001", "40P01", "55P03", "55006", "57014": return .retry
        // A row whose partition was made while the statement waited for the default one: no value is at fault.
        case "23514": return .retry
        // A standby, an idle time-out that ended the session, an outcome that the server itself does not know.
        case "25006", "25P03", "40003": return .reconnect
        default: break
        }
        switch state.classCode {
        // Connection, resources (disk, memory, slots), shutdown and start-up, I/O below the server.
        case "08", "53", "57", "58": return .reconnect
        case "22", "23", "54": return .data
        default: return .stop
        }
    }
}
