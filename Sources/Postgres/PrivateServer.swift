internal import Glibc
internal import Service

/// Why a private server could not be started or stopped.
public enum PrivateServerError: Error, Sendable, CustomStringConvertible {
    /// No directory has `initdb` and `postgres`.
    case notInstalled
    /// We are root, and there is neither a user `postgres` nor `nobody` to run it.
    case noAccount
    /// The operating system refused something; says what.
    case system(String)
    /// `initdb` failed; its last line.
    case initialisation(String)
    /// The server ended while starting, or was not ready in time; the last line of its log.
    case start(String)
    /// The server did not end in time.
    case stop
    /// A statement failed while setting up.
    case database(PostgresError)

    /// One line that says what to do.
    public var description: String {
        switch self {
        case .notInstalled: "PostgreSQL's server programs are missing: apt-get install postgresql"
        case .noAccount: "PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it"
        case .system(let text): text
        case .initialisation(let line): "initdb failed: \(line)"
        case .start(let line): "the private PostgreSQL did not start: \(line)"
        case .stop: "the private PostgreSQL did not stop in time"
        case .database(let error): "\(error)"
        }
    }
}

/// A PostgreSQL of our own in one directory, for `demo` and tests: made, started, stopped, killed, removed.
///
/// Runs as user `postgres` (else `nobody`) when we are root, since the server refuses root. Listens on a socket in its
/// directory, which only its user (and root) can enter, and on 127.0.0.1 only when asked; whoever gets there is
/// trusted. Dies with this process, however that ends. Any thread may use it, one at a time.
public final class PrivateServer: Sendable {
    /// How the server ends what is under way.
    public enum StopMode: Sendable {
        /// Waits for the clients to leave.
        case smart
        /// Ends their sessions, writes a checkpoint.
        case fast
        /// Ends at once, recovers at the next start.
        case immediate
    }

    /// How clients reach it.
    public enum Listening: Sendable {
        /// Only by the socket in its directory.
        case socket
        /// Also on 127.0.0.1, on this port, or on a free one (nil).
        case loopback(port: UInt16?)
    }

    /// Name of its superuser, who needs no password.
    public static let user = "postgres"

    /// Where its data, log and socket are: the directory asked for, or a temporary one when the server's user cannot
    /// reach that.
    public let directory: String
    /// Its log, as a file.
    public let logPath: String
    /// The TCP port, or the number in the socket's name.
    public let port: UInt16

    private let installation: PostgresInstallation
    private let arguments: [String]
    private let socketDirectory: String
    private let createdPaths: [String]
    private let running = Locked<ServerProcess?>(nil)

    /// Makes a database cluster unless the directory has one, and starts the server.
    ///
    /// - Parameters:
    ///   - directory: absolute or relative; made when missing, else empty or one that a private server has used
    ///     before, whose data are used again. Nil: a temporary one.
    ///   - settings: `postgresql.conf` names and values, in force for every start.
    ///   - isDurable: false turns fsync off: faster, and lost when the machine crashes (not when the server is killed).
    public init(
        directory wanted: String? = nil, listening: Listening = .socket, settings: [(String, String)] = [],
        isDurable: Bool = true
    ) throws(PrivateServerError) {
        installation = try PostgresInstallation.newest()
        let place = try PrivatePlace.make(wanted: wanted, for: installation.account)
        directory = place.directory
        socketDirectory = place.socketDirectory
        logPath = place.directory + "/server.log"
        var all = [("listen_addresses", ""), ("timezone", "UTC"), ("log_timezone", "UTC")]
        switch listening {
        case .socket: port = 5432
        case .loopback(let chosen):
            if let chosen { port = chosen } else { port = try LoopbackPort.free() }
            all[0].1 = "127.0.0.1"
        }
        // A killed server leaves its socket and that one's lock file.
        let socket = "\(place.socketDirectory)/.s.PGSQL.\(port)"
        createdPaths = place.createdPaths + [socket, socket + ".lock"]
        if !isDurable { all += [("fsync", "off"), ("full_page_writes", "off")] }
        all += settings
        arguments =
            ["-D", place.directory + "/data", "-k", socketDirectory, "-p", "\(port)"]
            + all.flatMap { name, value in ["-c", "\(name)=\(value)"] }
        do throws(PrivateServerError) {
            try installation.initialise(place.directory + "/data", isDurable: isDurable)
            try start()
        } catch {
            kill()
            if !place.hadServer { PrivatePlace.remove(createdPaths) }
            throw error
        }
    }

    deinit {
        kill()
    }

    /// Process id of the server, nil when it does not run.
    public var pid: Int32? {
        running.withLock { process in process.flatMap { $0.hasEnded ? nil : $0.pid } }
    }

    /// URI of a database, for `DATABASE_URL` and `Connection`.
    public func connectionURL(database: String = "postgres") -> String {
        let host = Self.percentEncoded(socketDirectory)
        return "postgresql://\(Self.user)@/\(Self.percentEncoded(database))?host=\(host)&port=\(port)"
    }

    /// URI of a database over TCP; only when listening on the loopback address.
    public func loopbackURL(database: String = "postgres") -> String {
        "postgresql://\(Self.user)@127.0.0.1:\(port)/\(Self.percentEncoded(database))"
    }

    /// The command that opens a database in psql.
    public func psqlCommand(database: String = "postgres") -> String {
        let quoted = socketDirectory.replacing("'", with: "'\\''")
        let isPlain = socketDirectory.utf8.allSatisfy { byte in
            byte.isAlphanumeric || "/-_.".utf8.contains(byte)
        }
        return "psql -h \(isPlain ? quoted : "'\(quoted)'") -p \(port) -U \(Self.user) \(database)"
    }

    /// Makes a database unless it is there.
    public func createDatabase(_ name: String) throws(PrivateServerError) {
        do throws(PostgresError) {
            var connection = try Connection.open(connectionURL(), applicationName: "private-server")
            let found = try connection.query("SELECT FROM pg_database WHERE datname = $1", [name])
            if found.rowCount == 0 {
                try connection.execute("CREATE DATABASE \"\(name.replacing("\"", with: "\"\""))\"")
            }
        } catch { throw .database(error) }
    }

    /// Starts it and waits until it takes connections, at most 60 s (recovery included). Nothing when it runs.
    public func start() throws(PrivateServerError) {
        if pid != nil { return }
        let deadline = Deadline.after(.seconds(60))
        while true {
            let logStart = FileSystem.size(of: logPath) ?? 0
            let process: ServerProcess
            do throws(SystemError) {
                process = try ServerProcess(
                    executable: installation.binaries + "/postgres", arguments: arguments,
                    environment: PostgresInstallation.environment, account: installation.account,
                    directory: directory, logPath: logPath)
            } catch { throw .system(error.description) }
            running.withLock { $0 = process }
            while !process.wait(within: .milliseconds(20)) {
                if isReady() { return }
                if deadline.hasPassed() { throw .start("not ready within 60 s; see \(logPath)") }
            }
            let said = Self.lastLines(of: logPath, from: logStart)
            // Sessions of a killed server need a moment to notice; until then they hold its shared memory.
            let isTransient = said.contains("pre-existing shared memory block") || said.contains("lock file")
            if !isTransient || deadline.hasPassed() { throw .start(said.isEmpty ? "see \(logPath)" : said) }
        }
    }

    /// Stops it and waits for its end. Nothing when it does not run.
    public func stop(_ mode: StopMode = .fast, within limit: Duration = .seconds(30)) throws(PrivateServerError) {
        guard let process = running.withLock({ $0 }) else { return }
        switch mode {
        case .smart: process.signal(SIGTERM)
        case .fast: process.signal(SIGINT)
        case .immediate: process.signal(SIGQUIT)
        }
        guard process.wait(within: limit) else { throw .stop }
        running.withLock { $0 = nil }
    }

    /// Stops and starts it.
    public func restart(_ mode: StopMode = .fast) throws(PrivateServerError) {
        try stop(mode)
        try start()
    }

    /// SIGKILL to the server and all its sessions, as a power cut would end them. Nothing when it does not run.
    public func kill() {
        guard let process = running.withLock({ $0 }) else { return }
        process.killTree()
        running.withLock { $0 = nil }
    }

    /// Kills the server and removes what it has made; a directory that the caller had made stays, emptied.
    public func remove() {
        kill()
        PrivatePlace.remove(createdPaths)
    }

    private func isReady() -> Bool {
        do throws(PostgresError) {
            let connection = try Connection.open(connectionURL(), applicationName: "private-server")
            connection.close()
            return true
        } catch {
            return false
        }
    }

    private static func lastLines(of path: String, from start: Int64) -> String {
        do throws(SystemError) {
            let bytes = try FileSystem.readFile(path).dropFirst(Int(start))
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            let fatal = lines.filter { $0.contains("FATAL") || $0.contains("could not") }
            return (fatal.isEmpty ? lines.suffix(1) : fatal[...]).joined(separator: "; ")
        } catch {
            return "\(error)"
        }
    }

    private static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            if byte.isAlphanumeric || "-_.~".utf8.contains(byte) {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}

extension UInt8 {
    /// Whether it is an ASCII letter or digit.
    fileprivate var isAlphanumeric: Bool {
        (self >= 48 && self <= 57) || (self | 32 >= 97 && self | 32 <= 122)
    }
}
