internal import Glibc
internal import Postgres
internal import Service

/// All that a demo starts, in this order: database, broker, service, producers; stopped in the reverse.
///
/// To be used on the main thread alone: the kernel kills the children when the thread that started them ends, so none
/// outlives the demo, however that ends.
final class DemoStack {
    /// Partitions of each topic.
    static let partitions = 4
    private static let databaseName = "health_db"

    private let place: DemoPlace
    private let lanes: Int
    private let executable: String
    private let producerProgram: String
    private let flowProgram: String
    private var server: PrivateServer?
    private var broker: ChildProcess?
    private var service: ChildProcess?
    private(set) var producers: [ChildProcess] = []
    /// `host:port` of the embedded broker.
    private(set) var brokerAddress = ""

    /// Looks the programs up; starts nothing.
    init(place: DemoPlace, lanes: Int) throws(DemoEnd) {
        guard let executable = HostProcess.executablePath, let slash = executable.lastIndex(of: "/") else {
            throw .failed("/proc does not say where this program is")
        }
        self.executable = executable
        producerProgram = executable[..<slash] + "/duplicate-vitals-producer"
        flowProgram = executable[..<slash] + "/patient-flow-producer"
        for program in [producerProgram, flowProgram] where !FileSystem.isExecutable(program) {
            throw .failed("\(program) is missing: make build puts it there")
        }
        self.place = place
        self.lanes = lanes
    }

    // MARK: Start

    /// Makes and starts the private PostgreSQL and its database.
    func startDatabase() throws(DemoEnd) {
        do {
            let server = try PrivateServer(
                directory: place.database,
                settings: [
                    // Else a killed server leaves a file in /dev/shm.
                    ("dynamic_shared_memory_type", "mmap"), ("log_checkpoints", "off"),
                ])
            self.server = server
            try place.noteDatabase(at: server.directory)
            try server.createDatabase(Self.databaseName)
        } catch {
            // Ctrl-C reaches initdb too, and looks like its failure.
            if DemoWait.isStopped(within: .zero) { throw .interrupted(during: "the database was being made") }
            throw .failed("\(error)", log: server == nil ? nil : databaseLog)
        }
    }

    /// Starts the embedded broker and waits for its address.
    func startBroker() throws(DemoEnd) {
        var command = command(executable, ["broker", "--partitions", "\(Self.partitions)"], log: brokerLog)
        command.output = .pipe
        let broker = try start(command)
        self.broker = broker
        guard let address = broker.waitForLine(containing: ":", within: .seconds(10)) else {
            throw .failed("the embedded broker told no address within 10 s", log: brokerLog)
        }
        brokerAddress = address
    }

    /// Starts the service on a free port and waits until it says which.
    func startService() throws(DemoEnd) -> UInt16 {
        var command = command(executable, ["serve"], log: serviceLog)
        command.environment?.merge(connections) { _, new in new }
        command.environment?.merge(["LANES": "\(lanes)", "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0"]) { _, new in new }
        command.output = .null
        service = try start(command)
        var port: UInt16?
        _ = try DemoWait.until(.seconds(20), "the service was starting") { () throws(DemoEnd) in
            try expectRunning()
            port = Self.port(inLog: serviceLog)
            return port != nil
        }
        guard let port else { throw .failed("the service told no HTTP port within 20 s", log: serviceLog) }
        return port
    }

    /// Starts the patient flow of emergency departments, an hour a second. The last of the producers.
    func startFlow() throws(DemoEnd) {
        var command = command(
            flowProgram, ["--speed", "3600", "--days", "3650", "--facilities", "2", "--json"],
            log: producerLog(producers.count))
        command.environment?["KAFKA_BOOTSTRAP_SERVERS"] = brokerAddress
        command.output = .pipe
        producers.append(try start(command))
    }

    /// Starts producers that together send `rate` readings a second.
    func startProducers(rate: Int) throws(DemoEnd) {
        // Two hospitals, as soon as there is a reading a second for each.
        let rates = rate >= 2 ? [rate / 2, rate - rate / 2] : [rate]
        for (index, share) in rates.enumerated() {
            var command = command(
                producerProgram,
                [
                    "--rate", "\(share)", "--duplicates", "0.1", "--malformed", "0.008", "--future", "0.002", "--json",
                ], log: producerLog(index))
            command.environment?["KAFKA_BOOTSTRAP_SERVERS"] = brokerAddress
            command.output = .pipe
            producers.append(try start(command))
        }
    }

    // MARK: While it runs

    /// Throws when something that should run has ended.
    func expectRunning() throws(DemoEnd) {
        if let server, server.pid == nil { throw .failed("the private PostgreSQL has ended", log: databaseLog) }
        if let status = broker?.exitStatus {
            throw .failed("the embedded broker has ended (\(status))", log: brokerLog)
        }
        if let status = service?.exitStatus { throw .failed("the service has ended (\(status))", log: serviceLog) }
        for (index, producer) in producers.enumerated() {
            if let status = producer.exitStatus {
                throw .failed("a producer has ended (\(status))", log: producerLog(index))
            }
        }
    }

    /// Where the database really is.
    var databaseDirectory: String { server?.directory ?? place.database }

    /// Opens the data in psql.
    var psqlCommand: String { server?.psqlCommand(database: Self.databaseName) ?? "" }

    /// For `Connection`.
    var databaseURL: String { server?.connectionURL(database: Self.databaseName) ?? "" }

    /// The service's log.
    var serviceLog: String { place.path("serve.log") }

    /// The most memory that the service has used so far, in MiB; nil when /proc does not say.
    var servicePeakMebibytes: Int? {
        guard let service else { return nil }
        do throws(SystemError) {
            let status = try FileSystem.readText("/proc/\(service.pid)/status")
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 / 1_024 }
        } catch {
            return nil
        }
    }

    // MARK: End

    /// Ends the producers and hands back the lines with their counts.
    func stopProducers() throws(DemoEnd) -> [String] {
        for producer in producers { producer.signal(SIGTERM) }
        let ended = producers
        producers = []
        // They wait up to 8 s for what is not delivered yet.
        _ = try DemoWait.until(.seconds(15), "the producers were ending") { () throws(DemoEnd) in
            ended.allSatisfy { $0.exitStatus != nil }
        }
        var lines: [String] = []
        for (index, producer) in ended.enumerated() {
            guard producer.exitStatus?.isSuccess == true, producer.output?.waitForEnd(within: .seconds(2)) == true,
                let line = producer.output?.lines.last
            else {
                let status = producer.exitStatus.map { "\($0)" } ?? "still running after 15 s"
                throw .failed("a producer could not deliver all it had sent (\(status))", log: producerLog(index))
            }
            lines.append(line)
        }
        return lines
    }

    /// Ends the service in order, as SIGTERM does.
    func stopService() throws(DemoEnd) {
        guard let service else { return }
        self.service = nil
        guard let status = service.stop(within: .seconds(12)), status.isSuccess else {
            throw .failed("the service did not end in order within 12 s", log: serviceLog)
        }
    }

    /// What `vitalstream verify` said.
    struct Verdict {
        let isRight: Bool
        let lines: [String]
        let log: String
    }

    /// Runs `vitalstream verify` on the database.
    func verify() throws(DemoEnd) -> Verdict {
        let log = place.path("verify.log")
        var command = command(executable, ["verify"], log: log)
        command.environment?.merge(connections) { _, new in new }
        command.output = .file(log, appending: false)
        command.error = .sameAsOutput
        let child = try start(command)
        let hasEnded = try DemoWait.until(.seconds(120), "verify was running") { () throws(DemoEnd) in
            child.exitStatus != nil
        }
        guard hasEnded else { throw .failed("verify did not end within 120 s", log: log) }
        do throws(SystemError) {
            let lines = try FileSystem.readText(log).split(separator: "\n").map(String.init)
            return Verdict(isRight: child.exitStatus?.isSuccess == true, lines: lines, log: log)
        } catch {
            throw .failed("\(error)")
        }
    }

    /// Ends whatever still runs, and removes the database unless it is to be kept.
    ///
    /// - Returns: the command that starts a kept database again.
    func end(keepsDatabase: Bool) -> String? {
        for producer in producers { producer.signal(SIGKILL) }
        service?.stop(within: .seconds(12))
        broker?.stop(within: .seconds(5))
        guard let server else { return nil }
        let again = Self.commandLine(of: server)
        do throws(PrivateServerError) { try server.stop(.fast) } catch { server.kill() }
        if keepsDatabase { return again }
        do throws(SystemError) {
            // What went wrong may stand here and nowhere else.
            try FileSystem.writeFile(databaseLog, FileSystem.readFile(server.logPath))
            server.remove()
            try place.forgetDatabase()
        } catch {
            server.remove()
            Console.writeError("vitalstream demo: \(error)")
        }
        return nil
    }

    private var brokerLog: String { place.path("broker.log") }
    private var databaseLog: String { place.path("postgres.log") }

    private func producerLog(_ index: Int) -> String { place.path("producer-\(index + 1).log") }

    private var connections: [String: String] {
        ["KAFKA_BOOTSTRAP_SERVERS": brokerAddress, "DATABASE_URL": databaseURL]
    }

    private func start(_ command: ChildCommand) throws(DemoEnd) -> ChildProcess {
        do throws(SystemError) { return try ChildProcess(command) } catch { throw .failed("\(error)") }
    }

    /// A child in an environment of its own: nobody's KAFKA_CONFIG_* or DATABASE_URL may lead it to other servers.
    private func command(_ executable: String, _ arguments: [String], log: String) -> ChildCommand {
        let passed = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SWIFT_BACKTRACE"]
        var command = ChildCommand(executable, arguments)
        command.environment = HostProcess.environment.filter { passed.contains($0.key) }
        command.error = .file(log, appending: false)
        // Ctrl-C is for the demo, which ends the others in their order.
        command.ownProcessGroup = true
        command.diesWithParent = true
        return command
    }

    /// The port in the service's first line, nil while it is not written.
    private static func port(inLog path: String) -> UInt16? {
        do throws(SystemError) {
            let log = try FileSystem.readText(path)
            guard let end = log.firstRange(of: " http_port=")?.upperBound else { return nil }
            let digits = log[end...].prefix { $0.isNumber }
            // Digits at the very end may be half of the number.
            return digits.endIndex == log.endIndex ? nil : UInt16(digits)
        } catch {
            return nil
        }
    }

    /// The command line with which a server runs, as a shell takes it.
    private static func commandLine(of server: PrivateServer) -> String? {
        guard let pid = server.pid else { return nil }
        do throws(SystemError) {
            let words = try FileSystem.readFile("/proc/\(pid)/cmdline").split(separator: 0)
            let line = words.map { word in
                let text = String(decoding: word, as: UTF8.self)
                let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/-_.=:".contains($0)) }
                return isPlain ? text : "'" + text.replacing("'", with: "'\\''") + "'"
            }.joined(separator: " ")
            guard HostProcess.isRoot else { return line }
            return "runuser -u \(UserAccount.named("postgres") == nil ? "nobody" : "postgres") -- \(line)"
        } catch {
            return nil
        }
    }
}
