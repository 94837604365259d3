internal import CLibPQ
internal import Glibc

/// Blocking calls for commands and tests; lanes use the stepping calls. Each wait ends after
/// `blockingTimeoutMilliseconds` with `.timedOut`.
extension Connection {
    /// Connects and sends `commandDefaults`. libpq's connect_timeout (5 s per host unless set) is the deadline.
    public static func open(
        _ databaseURL: String, applicationName: String, extra: [(String, String)] = []
    ) throws(PostgresError) -> Connection {
        let options = try options(databaseURL: databaseURL, applicationName: applicationName, extra: extra)
        let opened = unsafe withCStrings(options) { keywords, values in
            unsafe PQconnectdbParams(keywords, values, 1)
        }
        var connection = try unsafe Connection(adopting: opened)
        guard unsafe PQsetnonblocking(connection.handle, 1) == 0 else { throw connection.connectionError() }
        try connection.execute(commandDefaults)
        return connection
    }

    /// Runs one or more statements and forgets their rows; throws the first error after draining the rest.
    public mutating func execute(_ sql: String) throws(PostgresError) {
        try send(sql)
        try finish()
    }

    /// Runs one statement and gives its result as text. `$n` are given in text form, nil is NULL.
    public mutating func query(_ sql: String, _ textParameters: [String?] = []) throws(PostgresError) -> ResultSet {
        let parameters = textParameters.map { text in text.map { Parameter.text($0) } ?? .null }
        try send(sql, parameters: parameters, binaryResult: false)
        return try onlyResult()
    }

    /// Runs one statement with typed parameters and gives its result in binary form.
    public mutating func query(_ sql: String, parameters: [Parameter]) throws(PostgresError) -> ResultSet {
        try send(sql, parameters: parameters)
        return try onlyResult()
    }

    /// Runs a `COPY ... FROM STDIN` with these bytes.
    public mutating func copyIn(_ sql: String, _ bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        try send(sql)
        while true {
            switch try step() {
            case .needs(let read, let write): try wait(read: read, write: write)
            case .copyIn:
                var position = 0
                while try unsafe !putCopy(bytes, from: &position) { try wait(read: true, write: true) }
                try endCopy()
                return try finish()
            case .result: continue
            case .idle: throw PostgresError(.protocolMisuse, "not a COPY FROM STDIN")
            }
        }
    }

    /// Runs a `COPY ... TO STDOUT` and lends each piece of its stream; pieces end with the closure.
    ///
    /// A piece is one row (with `FORMAT binary` the header comes with the first, the trailer as the last).
    public mutating func copyOut(_ sql: String, each: (UnsafeRawBufferPointer) -> Void) throws(PostgresError) {
        try send(sql)
        while unsafe PQisBusy(handle) == 1 {
            try wait(read: true, write: hasUnsentOutput)
            if hasUnsentOutput { _ = try flush() }
            guard unsafe PQconsumeInput(handle) == 1 else { throw connectionError() }
        }
        let opened = unsafe PQgetResult(handle)
        let status = unsafe PQresultStatus(opened)
        guard status == PGRES_COPY_OUT else {
            let failure =
                if status == PGRES_FATAL_ERROR, let opened = unsafe opened { unsafe serverError(opened) } else {
                    PostgresError(.protocolMisuse, "not a COPY TO STDOUT")
                }
            unsafe PQclear(opened)
            if unsafe opened == nil { phase = .idle }
            drain()
            throw failure
        }
        unsafe PQclear(opened)
        try unsafe takeCopy(each)
        try finish()
    }

    /// Waits for the socket, at most `blockingTimeoutMilliseconds`.
    public func wait(read: Bool, write: Bool) throws(PostgresError) {
        var entry = pollfd(fd: socket, events: Int16((read ? POLLIN : 0) | (write ? POLLOUT : 0)), revents: 0)
        while true {
            let ready = unsafe poll(&entry, 1, blockingTimeoutMilliseconds)
            if ready > 0 { return }
            if ready == 0 {
                throw PostgresError(.timedOut, "no answer of PostgreSQL within \(blockingTimeoutMilliseconds) ms")
            }
            if errno != EINTR { throw PostgresError(.connection, "poll failed with errno \(errno)") }
        }
    }

    /// Steps to the end of the send; throws its first error then.
    public mutating func finish() throws(PostgresError) {
        var first: PostgresError?
        while true {
            do throws(PostgresError) {
                switch try step() {
                case .needs(let read, let write): try wait(read: read, write: write)
                case .copyIn: try abortCopy(reason: "no data was offered")
                case .result: continue
                case .idle:
                    if let first { throw first }
                    return
                }
            } catch {
                if phase != .busy || error.kind == .connection || error.kind == .timedOut { throw first ?? error }
                first = first ?? error
            }
        }
    }

    private mutating func onlyResult() throws(PostgresError) -> ResultSet {
        while true {
            do throws(PostgresError) {
                switch try step() {
                case .needs(let read, let write): try wait(read: read, write: write)
                case .copyIn: try abortCopy(reason: "no data was offered")
                case .result(let result):
                    try finish()
                    return result
                case .idle: throw PostgresError(.protocolMisuse, "the statement gave no result")
                }
            } catch {
                drain()
                throw error
            }
        }
    }

    /// Leaves the connection idle after an error that is already known; a broken one stays broken.
    private mutating func drain() {
        while phase == .busy {
            do throws(PostgresError) { return try finish() } catch {
                if error.kind == .connection || error.kind == .timedOut { return }
            }
        }
    }

    private mutating func takeCopy(_ each: (UnsafeRawBufferPointer) -> Void) throws(PostgresError) {
        while true {
            var piece: UnsafeMutablePointer<CChar>?
            // libpq-fe.h: a positive length comes with memory that PQfreemem must free.
            let length = unsafe PQgetCopyData(handle, &piece, 1)
            if length > 0 {
                unsafe each(UnsafeRawBufferPointer(start: piece, count: Int(length)))
                unsafe PQfreemem(piece)
            } else if length == 0 {
                try wait(read: true, write: false)
                guard unsafe PQconsumeInput(handle) == 1 else { throw connectionError() }
            } else {
                // -1: done; -2: failed. Either way the result that follows says so.
                phase = .busy
                return
            }
        }
    }
}
