internal import Glibc
internal import Service
internal import TestSupport

/// One `vitalstream serve` of the fleet, behind a proxy of its own; it is started again after its end.
final class ChaosInstance {
    let number: Int
    let proxy: WireProxy
    let logPath: String
    private(set) var process: ChildProcess
    private let settings: [String: String]
    private(set) var starts = 1

    init(number: Int, server: UInt16, database: String, broker: ChaosBroker, directory: String) throws {
        self.number = number
        proxy = try WireProxy(target: server)
        logPath = "\(directory)/serve-\(number).log"
        settings = [
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrapServers, "KAFKA_GROUP_ID": ChaosWorld.group,
            "VITALS_TOPIC": ChaosBroker.topic, "LANES": number == 1 ? "2" : "1",
            "DATABASE_URL": "postgresql://postgres@127.0.0.1:\(proxy.port)/\(database)?sslmode=disable"
                + "&gssencmode=disable&options=-c%20laboratory.tag%3DTAG",
            "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0", "MIGRATE": "off", "LOG_LEVEL": "info",
            "PATIENT_CACHE_ENTRIES": "1024", "KAFKA_CONFIG_SESSION_TIMEOUT_MS": "\(ChaosBroker.sessionMilliseconds)",
            "KAFKA_CONFIG_HEARTBEAT_INTERVAL_MS": "500",
        ]
        process = try Self.start(settings, logPath: logPath, tag: "serve\(number)")
    }

    var isRunning: Bool { process.exitStatus == nil }

    /// Another process in the place of one that has ended.
    ///
    /// It writes under a name of its own: the journal would take two lives under one name for one.
    func start() throws {
        starts += 1
        process = try Self.start(settings, logPath: logPath, tag: "serve\(number)life\(starts)")
    }

    func kill() {
        process.signal(SIGKILL)
        _ = process.wait(within: .seconds(10))
    }

    /// The most memory that it has used, in KiB.
    var peakKibibytes: Int? {
        guard isRunning, let status = ChaosWorld.text("/proc/\(process.pid)/status") else { return nil }
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    private static func start(_ settings: [String: String], logPath: String, tag: String) throws -> ChildProcess {
        var command = ChildCommand(try Programs.path("vitalstream"), ["serve"])
        command.environment = Programs.environment(settings.mapValues { $0.replacing("TAG", with: tag) })
        command.output = .null
        command.error = .file(logPath, appending: true)
        command.diesWithParent = true
        return try ChildProcess(command)
    }
}
