internal import CLibPQ

extension Connection {
    /// Where the server's transaction stands, as of the last thing it said.
    public enum TransactionStatus: Sendable, Equatable {
        case idle, active, inTransaction, failed, unknown
    }

    /// What a session of a lane needs, to be sent once after connecting.
    ///
    /// `jit` off: code compiled anew for each execution costs three quarters of the throughput. The time-outs end a
    /// transaction whose owner froze, and a wait for such a one's lock. A `statement_timeout` of the role is lifted: a
    /// batch that it ends would only come again. Literals are written for standard_conforming_strings.
    public static let sessionDefaults = """
        SET jit = off; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '5s'; \
        SET statement_timeout = 0; SET standard_conforming_strings = on; \
        SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET client_min_messages = warning
        """

    /// What a session of a command needs: as a lane's, but a command may think longer inside its transaction.
    public static let commandDefaults = """
        SET jit = off; SET lock_timeout = '30s'; SET statement_timeout = 0; SET standard_conforming_strings = on; \
        SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET client_min_messages = warning
        """

    /// Version of the libpq that is loaded, for example 150020.
    public static var libraryVersion: Int { Int(PQlibVersion()) }

    /// Version of the server, for example 150020; 0 without a connection.
    public var serverVersion: Int { unsafe Int(PQserverVersion(handle)) }

    /// Process id of the server's side.
    public var backendProcessID: Int32 { unsafe PQbackendPID(handle) }

    /// Whether the connection is known to be broken. False proves nothing: only a statement that succeeds does.
    public var isBroken: Bool { unsafe PQstatus(handle) == CONNECTION_BAD }

    /// Whether nothing is under way and a statement can be sent.
    public var isIdle: Bool { phase == .idle }

    /// Whether the server waits for COPY data.
    public var isCopyingIn: Bool { phase == .copyIn }

    /// Where the server's transaction stands.
    public var transactionStatus: TransactionStatus {
        switch unsafe PQtransactionStatus(handle) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_ACTIVE: .active
        case PQTRANS_INTRANS: .inTransaction
        case PQTRANS_INERROR: .failed
        default: .unknown
        }
    }

    /// Host, port, database and user of this connection in one line for logs; never the password.
    public var summary: String {
        let text = { (value: UnsafeMutablePointer<CChar>?) -> String in
            if let value = unsafe value { unsafe String(cString: value) } else { "" }
        }
        return unsafe "\(text(PQuser(handle)))@\(text(PQhost(handle))):\(text(PQport(handle)))/\(text(PQdb(handle)))"
    }

    /// Notices stay unseen (libpq would print them), and libpq's own texts carry no DETAIL.
    func configure() {
        unsafe PQsetNoticeReceiver(handle, ignoreNotice, nil)
        _ = unsafe PQsetErrorVerbosity(handle, PQERRORS_TERSE)
        _ = unsafe PQsetErrorContextVisibility(handle, PQSHOW_CONTEXT_NEVER)
    }

    /// A connection that libpq just made, or the error that kept it from it, with its memory given back.
    static func usable(_ made: OpaquePointer?) throws(PostgresError) -> OpaquePointer {
        guard let made = unsafe made else { throw PostgresError(.connection, "no memory for a connection") }
        if unsafe PQstatus(made) != CONNECTION_BAD { return unsafe made }
        let error = unsafe connectionError(of: made)
        unsafe PQfinish(made)
        throw error
    }

    /// The error that libpq holds for this connection.
    func connectionError() -> PostgresError {
        unsafe Self.connectionError(of: handle)
    }

    private static func connectionError(of handle: OpaquePointer) -> PostgresError {
        let text = unsafe String(cString: PQerrorMessage(handle))
        let line = tellingLine(text) ?? firstLine(text, otherwise: "the connection to PostgreSQL broke")
        // A password with an "@" or a ":" in a URL is read as host and port, and would be quoted here. No host's name
        // holds an "@".
        let isSuspect = line.hasPrefix("invalid ") || line.contains { $0 == "@" }
        return PostgresError(.connection, isSuspect ? withoutQuotes(line) : line)
    }

    /// The error of a failed result; the result still belongs to the caller.
    func serverError(_ result: OpaquePointer) -> PostgresError {
        // libpq-fe.h: PG_DIAG_* are character codes. Without an SQLSTATE the message is libpq's own.
        guard let code = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "C"))) else {
            let text = unsafe String(cString: PQresultErrorMessage(result))
            let line = Self.firstLine(text, otherwise: "PostgreSQL gave no reason")
            return PostgresError(isBroken ? .connection : .protocolMisuse, line)
        }
        let state = unsafe SQLState(String(cString: code))
        let primary = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "M")))
        let text = if let primary = unsafe primary { unsafe String(cString: primary) } else { "" }
        return PostgresError(.server(state), Self.withoutValues(Self.firstLine(text, otherwise: "no message"), state))
    }

    /// Messages of class 22 quote the offending value ("invalid input syntax for type uuid: ..."): cut it off.
    static func withoutValues(_ message: String, _ state: SQLState) -> String {
        state.classCode == "22" ? withoutQuotes(message) : message
    }

    /// The text before its first quotation mark.
    static func withoutQuotes(_ message: String) -> String {
        guard let quote = message.firstIndex(of: "\"") else { return message }
        return message[..<quote] + "(value withheld)"
    }

    /// libpq tells of every address that it has tried, one after the other: what a server that answered has against us
    /// says more than that there is none at the other addresses.
    static func tellingLine(_ text: String) -> String? {
        let silence = ["Connection refused", "No such file or directory", "No route to host", "Network is unreachable"]
        return text.split(separator: "\n").map(String.init).first { line in
            line.hasPrefix("connection to server") && !silence.contains { line.contains($0) }
        }
    }

    static func firstLine(_ text: String, otherwise: String) -> String {
        for line in text.split(separator: "\n") where !line.allSatisfy(\.isWhitespace) { return String(line) }
        return otherwise
    }
}

/// File-scope, since libpq calls it from whichever thread uses the connection; captures nothing.
private func ignoreNotice(_ context: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {}
