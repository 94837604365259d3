/// An open transaction: a token that owns its connection and hands it back when it ends.
///
/// Statements go through `connection`. Dropping the token closes the connection, and the server rolls back: what was
/// not committed by name is never stored, on whatever path the caller leaves. For the blocking commands; a lane sends
/// BEGIN and COMMIT with its statements in one round trip.
public struct Transaction: ~Copyable {
    /// What the transaction may see and do.
    public enum Mode: Sendable {
        /// Each statement sees what was committed before it.
        case readWrite
        /// One snapshot for all statements, nothing written.
        case snapshot
    }

    /// The connection, for statements inside this transaction. Do not send BEGIN, COMMIT or ROLLBACK through it.
    public var connection: Connection

    /// Begins a transaction on an idle connection.
    public static func begin(
        _ connection: consuming Connection, _ mode: Mode = .readWrite
    ) throws(PostgresError) -> Transaction {
        switch mode {
        case .readWrite: try connection.execute("BEGIN")
        case .snapshot: try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        }
        return Transaction(connection: connection)
    }

    /// Commits and gives the connection back.
    ///
    /// - Throws: the server's error, or `.connection` with an unknown outcome; the connection is closed in both cases.
    ///   A transaction in which a statement failed cannot be committed: `.protocolMisuse`.
    public consuming func commit() throws(PostgresError) -> Connection {
        guard connection.transactionStatus == .inTransaction else {
            throw PostgresError(.protocolMisuse, "a transaction in which a statement failed cannot be committed")
        }
        try connection.execute("COMMIT")
        return connection
    }

    /// Rolls back and gives the connection back.
    public consuming func rollback() throws(PostgresError) -> Connection {
        try connection.execute("ROLLBACK")
        return connection
    }
}
