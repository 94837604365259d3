internal import CLibPQ

/// One connection to PostgreSQL, driven step by step without ever blocking; owns libpq's `PGconn`.
///
/// Wait for `socket` as the calls say (`poll(2)` beside whatever else the thread waits for), then call again. One
/// thread at a time. The life of a statement: `send`, then `step` until `.idle`; at `.copyIn` feed the COPY with
/// `putCopy` and finish it with `endCopy`, then `step` on. An error is thrown once; the steps after it drain the rest
/// of that send, up to `.idle`. Dropping the value closes the connection, and the server rolls back what was open.
@safe public struct Connection: ~Copyable {
    /// What to wait for before the next call.
    public enum Readiness: Sendable, Equatable {
        case wantsRead, wantsWrite, ready
    }

    /// Where the exchange stands.
    public enum Step: ~Copyable {
        /// Nothing to take yet: wait for the socket, then step again.
        case needs(read: Bool, write: Bool)
        /// The server waits for COPY data.
        case copyIn
        /// One statement is done.
        case result(ResultSet)
        /// All statements of the last `send` are done.
        case idle
    }

    enum Phase {
        case connecting, idle, busy, copyIn, copyOut
    }

    // Only calls of this struct use it, on one thread at a time; libpq has no thread of its own.
    let handle: OpaquePointer
    var phase: Phase
    /// Output that libpq still holds because the socket would not take it.
    var hasUnsentOutput = false
    /// Limit of each wait of the blocking calls, in milliseconds. The stepping calls do not use it.
    public var blockingTimeoutMilliseconds: Int32 = 600_000

    /// A piece of COPY data that keeps libpq's buffer small; `putCopy(_:from:)` cuts its input to this.
    public static let copyPieceBytes = 65_536

    /// Starts connecting; `advanceConnecting` goes on. Looking up a host name blocks here.
    ///
    /// - Parameters:
    ///   - databaseURL: libpq URI or keywords; empty: libpq's own `PG*` variables and service file alone.
    ///   - applicationName: shown in `pg_stat_activity` unless the URL or PGAPPNAME names another.
    ///   - extra: keywords that beat the URL.
    /// - Throws: `.connection` when there is no memory; `.protocolMisuse` when the URL is malformed.
    public init(
        connecting databaseURL: String, applicationName: String, extra: [(String, String)] = []
    ) throws(PostgresError) {
        let options = try Self.options(databaseURL: databaseURL, applicationName: applicationName, extra: extra)
        // libpq-fe.h: even a failed start returns an object, which has the message and must be finished.
        let started = unsafe Self.withCStrings(options) { keywords, values in
            unsafe PQconnectStartParams(keywords, values, 1)
        }
        unsafe handle = try Self.usable(started)
        phase = .connecting
        configure()
    }

    /// Adopts a connection that libpq has opened by its blocking call.
    init(adopting opened: OpaquePointer?) throws(PostgresError) {
        unsafe handle = try Self.usable(opened)
        phase = .idle
        configure()
    }

    deinit {
        unsafe PQfinish(handle)
    }

    /// The socket to wait for, -1 without one. While connecting it may change with every call.
    public var socket: Int32 { unsafe PQsocket(handle) }

    /// Goes on connecting. The caller keeps the deadline: libpq's connect_timeout only works in blocking calls.
    ///
    /// Directly after `init` wait for write. Once `.ready`, send `sessionDefaults` first.
    public mutating func advanceConnecting() throws(PostgresError) -> Readiness {
        if phase != .connecting { return .ready }
        switch unsafe PQconnectPoll(handle) {
        case PGRES_POLLING_READING: return .wantsRead
        case PGRES_POLLING_WRITING: return .wantsWrite
        case PGRES_POLLING_OK:
            guard unsafe PQsetnonblocking(handle, 1) == 0 else { throw connectionError() }
            phase = .idle
            return .ready
        default: throw connectionError()
        }
    }

    /// Sends one or more statements as a simple query; results come as text. Needs `.idle` before.
    public mutating func send(_ sql: String) throws(PostgresError) {
        precondition(phase == .idle, "the last statement is not finished")
        try began(unsafe sql.withCString { text in unsafe PQsendQuery(handle, text) })
    }

    /// Sends one or more statements as a simple query from UTF-8 bytes that end with a NUL; without a copy of ours.
    public mutating func send(bytes sql: [UInt8]) throws(PostgresError) {
        precondition(phase == .idle, "the last statement is not finished")
        precondition(sql.last == 0, "SQL bytes end with a NUL")
        try began(
            unsafe sql.withUnsafeBufferPointer { bytes in
                unsafe bytes.withMemoryRebound(to: CChar.self) { text in unsafe PQsendQuery(handle, text.baseAddress) }
            })
    }

    /// Sends one statement with parameters; its result comes in binary form. Needs `.idle` before.
    public mutating func send(_ sql: String, parameters: [Parameter]) throws(PostgresError) {
        try send(sql, parameters: parameters, binaryResult: true)
    }

    mutating func send(_ sql: String, parameters: [Parameter], binaryResult: Bool) throws(PostgresError) {
        precondition(phase == .idle, "the last statement is not finished")
        let encoded = EncodedParameters(parameters)
        try began(unsafe encoded.send(sql, on: handle, binaryResult: binaryResult))
    }

    /// Takes the next thing that the server said; never blocks.
    ///
    /// - Throws: the error of the statement that failed, once; step on until `.idle` to drain what follows. After a
    ///   `.connection` error the connection is of no more use.
    public mutating func step() throws(PostgresError) -> Step {
        precondition(phase != .connecting && phase != .copyIn && phase != .copyOut, "not the time to step")
        if phase == .idle { return .idle }
        if hasUnsentOutput { _ = try flush() }
        // Look before reading: a last message that came with the end of the connection must not be lost.
        if unsafe PQisBusy(handle) == 1 {
            guard unsafe PQconsumeInput(handle) == 1 else { throw connectionError() }
            if unsafe PQisBusy(handle) == 1 { return .needs(read: true, write: hasUnsentOutput) }
        }
        guard let result = unsafe PQgetResult(handle) else {
            phase = .idle
            return .idle
        }
        switch unsafe PQresultStatus(result) {
        case PGRES_COPY_IN:
            unsafe PQclear(result)
            phase = .copyIn
            return .copyIn
        case PGRES_COPY_OUT:
            unsafe PQclear(result)
            phase = .copyOut
            throw PostgresError(.protocolMisuse, "COPY TO STDOUT outside copyOut")
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            return .result(unsafe ResultSet(owning: result))
        default:
            let error = unsafe serverError(result)
            unsafe PQclear(result)
            throw error
        }
    }

    /// Gives COPY data to the server. False: wait until the socket takes data (or has some to read), then `flush`.
    ///
    /// Keep pieces at or below `copyPieceBytes`, and give the next one only after the last was flushed: libpq takes
    /// whatever it is given and grows its buffer. An error of the server shows after `endCopy`.
    public mutating func putCopy(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> Bool {
        precondition(phase == .copyIn, "no COPY is open")
        if unsafe bytes.isEmpty { return try flush() }
        let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        guard unsafe PQputCopyData(handle, start, Int32(bytes.count)) == 1 else { throw connectionError() }
        return try flush()
    }

    /// Gives COPY data from `position` on, piece by piece, as far as the socket takes it, and moves `position`.
    ///
    /// - Returns: true when all is sent; false: wait until the socket takes data (or has some to read), then call again
    ///   with the same bytes.
    public mutating func putCopy(
        _ bytes: UnsafeRawBufferPointer, from position: inout Int
    ) throws(PostgresError) -> Bool {
        if hasUnsentOutput, try !flush() { return false }
        while position < bytes.count {
            let end = min(position + Self.copyPieceBytes, bytes.count)
            let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[position..<end])
            position = end
            if try unsafe !putCopy(piece) { return false }
        }
        return true
    }

    /// Sends what libpq holds, and reads so that the server can go on. True when nothing is left.
    public mutating func flush() throws(PostgresError) -> Bool {
        var rest = unsafe PQflush(handle)
        if rest == 1 {
            // The server may itself wait for us to read; PQconsumeInput reads and flushes.
            guard unsafe PQconsumeInput(handle) == 1 else { throw connectionError() }
            rest = unsafe PQflush(handle)
        }
        if rest < 0 { throw connectionError() }
        hasUnsentOutput = rest == 1
        return rest == 0
    }

    /// Ends the COPY; `step` then gives its result or its error.
    public mutating func endCopy() throws(PostgresError) {
        precondition(phase == .copyIn, "no COPY is open")
        try ended(unsafe PQputCopyEnd(handle, nil))
    }

    /// Makes the server fail the COPY (SQLSTATE 57014) and so its transaction; `step` then throws that error.
    public mutating func abortCopy(reason: String) throws(PostgresError) {
        precondition(phase == .copyIn, "no COPY is open")
        try ended(unsafe reason.withCString { text in unsafe PQputCopyEnd(handle, text) })
    }

    /// Closes the connection; the server rolls back what is open. The same as dropping the value, but visible.
    public consuming func close() {}

    private mutating func began(_ accepted: Int32) throws(PostgresError) {
        guard accepted == 1 else { throw connectionError() }
        phase = .busy
        _ = try flush()
    }

    private mutating func ended(_ accepted: Int32) throws(PostgresError) {
        guard accepted == 1 else { throw connectionError() }
        phase = .busy
        _ = try flush()
    }
}
