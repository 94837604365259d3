internal import Glibc
internal import Service

/// Why the demo ends before its summary.
enum DemoEnd: Error, CustomStringConvertible {
    /// A stop signal came while something else than the readings was under way.
    case interrupted(during: String)
    /// Something failed; where a log says more, its path.
    case failed(String, log: String? = nil)

    var description: String {
        switch self {
        case .interrupted(let work): "ended while \(work): nothing was compared"
        case .failed(let what, let log): log.map { "\(what); see \($0)" } ?? what
        }
    }
}

/// The directory in which a demo keeps everything, locked for as long as this object lives.
///
/// It must be new, empty, or one that a demo has used before: what lies in it under the demo's names is removed.
final class DemoPlace {
    /// Absolute, without links.
    let directory: String
    private let descriptor: Int32

    /// Says that a directory is the demo's, and whose: the process id of the last one.
    private static let marker = ".vitalstream-demo"
    /// Names the data directory when it had to be made elsewhere, so that the next demo can clear it away.
    private static let elsewhere = "elsewhere"
    /// The last part of such a directory's name begins so (`PrivateServer`).
    private static let temporaryPrefix = "vitalstream-postgres-"

    init(_ wanted: String) throws(DemoEnd) {
        do throws(SystemError) { try FileSystem.makeDirectory(wanted) } catch { throw .failed("\(error)") }
        guard let directory = FileSystem.resolved(wanted) else { throw .failed("cannot enter \(wanted)") }
        descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .failed("\(SystemError.current("open", directory))") }
        self.directory = directory
        // The kernel gives the lock back with the process, however that ends.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let owner = Self.text(directory + "/" + Self.marker)
            throw .failed(
                "another demo\(owner.isEmpty ? "" : " (process \(owner))") runs in \(directory): end it first, or name "
                    + "another directory with --directory")
        }
        let isOurs: Bool
        do throws(SystemError) {
            let isEmpty = try FileSystem.entries(of: directory).isEmpty
            isOurs = isEmpty || FileSystem.fileExists(path(Self.marker))
            if isOurs { try claim() }
        } catch { throw .failed("\(error)") }
        if !isOurs {
            throw .failed("\(directory) holds files that no demo made: name another directory with --directory")
        }
    }

    deinit {
        close(descriptor)
    }

    /// A path in the directory.
    func path(_ name: String) -> String { directory + "/" + name }

    /// Where the private database shall be.
    var database: String { path("postgres") }

    /// Notes that the database is in a temporary directory instead.
    func noteDatabase(at actual: String) throws(SystemError) {
        if actual != database { try FileSystem.writeText(path(Self.elsewhere), actual + "\n") }
    }

    /// Forgets that note, once the database is removed.
    func forgetDatabase() throws(SystemError) { try FileSystem.removeTree(path(Self.elsewhere)) }

    /// Marks the directory as a demo's and clears away what a killed or kept one has left.
    private func claim() throws(SystemError) {
        try FileSystem.writeText(path(Self.marker), "\(HostProcess.identifier)\n")
        let temporary = Self.text(path(Self.elsewhere))
        let name = temporary.split(separator: "/").last ?? ""
        if name.hasPrefix(Self.temporaryPrefix) { try FileSystem.removeTree(temporary) }
        try forgetDatabase()
        try FileSystem.removeTree(database)
        for name in try FileSystem.entries(of: directory) where name.hasSuffix(".log") {
            try FileSystem.removeTree(path(name))
        }
    }

    /// The first line of a small file, empty when there is none.
    private static func text(_ path: String) -> String {
        do throws(SystemError) {
            return try FileSystem.readText(path, mostBytes: 65_536).split(separator: "\n").first.map(String.init) ?? ""
        } catch {
            return ""
        }
    }
}

/// Waiting on the main thread, which a stop signal ends.
enum DemoWait {
    /// How often the state of another process is looked at; there is nothing that would wake us for it.
    private static let glance: Duration = .milliseconds(50)
    /// A terminal that goes away ends the demo in order. Without one SIGHUP keeps its meaning (nohup).
    private static let hangupToo = Console.isTerminal

    /// To be called before the first thread starts.
    static func prepare() { StopSignal.blockBeforeThreads(hangupToo: hangupToo) }

    /// Whether a stop signal came within the time.
    static func isStopped(within limit: Duration) -> Bool {
        StopSignal.wait(within: limit, hangupToo: hangupToo) != nil
    }

    /// Waits until the condition holds; false when it does not within `limit`. Throws when a stop signal comes.
    static func until(
        _ limit: Duration, _ work: String, _ condition: () throws(DemoEnd) -> Bool
    ) throws(DemoEnd) -> Bool {
        let deadline = Deadline.after(limit)
        while true {
            if try condition() { return true }
            if deadline.hasPassed() { return false }
            if isStopped(within: glance) { throw .interrupted(during: work) }
        }
    }
}
