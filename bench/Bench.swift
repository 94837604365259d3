internal import API
internal import HTTP
internal import Kafka
internal import Service

/// What all scenarios of a run share: the broker, the database, the programs, the clock of the progress line.
final class Bench {
    let options: BenchOptions
    let broker: BenchBroker
    let database: BenchDatabase
    let directory: String
    /// Path of `vitalstream`, beside this program.
    let program: String
    private var services = 0
    private var httpPort = 0
    private var current = ""
    private var said = MonotonicTime.now()

    init(_ options: BenchOptions) throws {
        self.options = options
        guard let own = HostProcess.executablePath, let slash = own.lastIndex(of: "/") else {
            throw BenchError("/proc does not say where this program is")
        }
        program = own[..<slash] + "/vitalstream"
        guard FileSystem.isExecutable(program) else { throw BenchError("\(program) is missing: make build") }
        directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-bench")
        database = try BenchDatabase(composeFile: options.composeFile)
        do {
            broker = try BenchBroker(program: program)
        } catch {
            database.remove()
            throw error
        }
    }

    /// Ends all and leaves nothing behind but logs, when they are to be kept.
    func remove() {
        broker.remove()
        database.remove()
        do { try FileSystem.removeTree(directory) } catch {
            Console.writeError("vitalstream-bench: \(directory) stays: \(error)")
        }
    }

    /// A new database with the service's schema.
    func migratedDatabase() throws {
        _ = try database.create()
        var command = ChildCommand(program, ["migrate"])
        command.environment = ["PATH": "/usr/bin:/bin", "DATABASE_URL": database.url]
        command.output = .pipe
        command.error = .sameAsOutput
        let child = try ChildProcess(command)
        guard child.wait(within: .seconds(60))?.isSuccess == true else {
            throw BenchError("vitalstream migrate: \(child.output?.text ?? "")")
        }
    }

    /// Starts a service.
    func serve(
        topic: String, group: String, lanes: Int, settings: [String: String] = [:]
    ) throws -> BenchService {
        services += 1
        httpPort = 33_001 + Int.random(in: 0..<900)
        let all = [
            "KAFKA_BOOTSTRAP_SERVERS": try broker.address(of: topic), "KAFKA_GROUP_ID": group, "VITALS_TOPIC": topic,
            "DATABASE_URL": database.url, "LANES": "\(lanes)", "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "\(httpPort)",
            "MIGRATE": "off",
        ].merging(Self.passedOn) { _, given in given }.merging(settings) { _, given in given }
        return try BenchService(
            program: program, settings: all, logPath: "\(directory)/serve-\(services).log",
            handicapPercent: options.handicapPercent)
    }

    /// Settings of the service that the environment gives, to try them out; the report names them.
    static var passedOn: [String: String] {
        HostProcess.environment.filter { $0.key.hasPrefix("KAFKA_CONFIG_") || $0.key.hasPrefix("BATCH_MAX_") }
    }

    /// What the last service started says of itself.
    func health() throws -> ServiceHealth {
        let answer = try HTTPClient.get(host: "127.0.0.1", port: UInt16(httpPort), path: "/readyz")
        return try ReadinessReport(parsing: answer.body).health
    }

    // MARK: - Progress

    /// Names what is done from now on.
    func begin(_ work: String) {
        current = work
        said = MonotonicTime(nanoseconds: 0)
        progress("")
    }

    /// Says how far it is, at most every five seconds.
    func progress(_ state: String) {
        let now = MonotonicTime.now()
        guard now - said > .seconds(5) else { return }
        said = now
        Console.writeError("  \(current)\(state.isEmpty ? "" : ": ")\(state)")
    }

    /// Lets time pass between two looks at another process; throws when Ctrl-C or SIGTERM comes. Main thread.
    static func pause(_ duration: Duration) throws(BenchError) {
        if StopSignal.wait(within: duration) != nil { throw BenchError("interrupted: nothing was written") }
    }
}
