internal import Service

/// The server programs on this machine, and who may run them.
struct PostgresInstallation: Sendable {
    /// Directory of `initdb` and `postgres`.
    let binaries: String
    /// Who runs them when we are root; nil: who we are.
    let account: UserAccount?

    /// Nothing of the caller's: PG* variables and locales would change what a private server is.
    static let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"]

    /// The newest version under `/usr/lib/postgresql` (Debian's place), else what `PATH` has.
    static func newest() throws(PrivateServerError) -> PostgresInstallation {
        let account: UserAccount? = HostProcess.isRoot ? .named("postgres") ?? .named("nobody") : nil
        if HostProcess.isRoot, account == nil { throw .noAccount }
        let root = "/usr/lib/postgresql"
        var versions: [Int] = []
        if FileSystem.isDirectory(root) {
            do throws(SystemError) { versions = try FileSystem.entries(of: root).compactMap(Int.init) } catch {
                throw .system(error.description)
            }
        }
        for version in versions.sorted(by: >) {
            let binaries = "\(root)/\(version)/bin"
            if isComplete(binaries) { return PostgresInstallation(binaries: binaries, account: account) }
        }
        if let found = FileSystem.findExecutable("initdb"), let slash = found.lastIndex(of: "/") {
            let binaries = String(found[..<slash])
            if isComplete(binaries) { return PostgresInstallation(binaries: binaries, account: account) }
        }
        throw .notInstalled
    }

    /// Makes a database cluster unless there is one.
    func initialise(_ data: String, isDurable: Bool) throws(PrivateServerError) {
        if FileSystem.fileExists(data + "/PG_VERSION") { return }
        var arguments = ["-D", data, "-U", PrivateServer.user, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        if !isDurable { arguments.append("--no-sync") }
        var command = ChildCommand(binaries + "/initdb", arguments)
        command.environment = Self.environment
        command.account = account
        command.workingDirectory = "/"
        command.output = .pipe
        command.error = .sameAsOutput
        let child: ChildProcess
        do throws(SystemError) { child = try ChildProcess(command) } catch { throw .system(error.description) }
        if child.wait(within: .seconds(120))?.isSuccess == true { return }
        _ = child.output?.waitForEnd(within: .seconds(1))
        throw .initialisation(child.output?.lines.last { !$0.isEmpty } ?? "no output")
    }

    private static func isComplete(_ binaries: String) -> Bool {
        FileSystem.isExecutable(binaries + "/initdb") && FileSystem.isExecutable(binaries + "/postgres")
    }
}
