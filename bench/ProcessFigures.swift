internal import Glibc
internal import Service

/// What /proc says of processes.
enum ProcessFigures {
    /// Seconds of processor time that a process has used so far; 0 once it is gone.
    static func processorSeconds(of pid: Int32) -> Double {
        fields(of: pid).map { (Double($0.user) + Double($0.system)) / ticks } ?? 0
    }

    /// The same for a server and all processes it has started, those that have ended included.
    static func processorSecondsOfTree(_ pid: Int32) -> Double {
        guard let own = fields(of: pid), let entries = try? FileSystem.entries(of: "/proc") else {
            // No such process: it used nothing.
            return 0
        }
        var sum = Double(own.user + own.system + own.ended)
        for entry in entries {
            guard let child = Int32(entry), let found = fields(of: child), found.parent == pid else { continue }
            sum += Double(found.user + found.system)
        }
        return sum / ticks
    }

    /// A line of /proc/PID/status in MiB, such as `VmRSS` or `VmHWM`.
    static func mebibytes(_ name: String, of pid: Int32) -> Double {
        // A process that is gone holds nothing.
        guard let status = try? FileSystem.readText("/proc/\(pid)/status") else { return 0 }
        let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return (line?.split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Double($0) } ?? 0) / 1_024
    }

    /// Seconds that all processors have worked since the machine's start.
    static func machineBusySeconds() -> Double {
        guard let text = try? FileSystem.readText("/proc/stat", mostBytes: 65_536),  // 0 where there is no such file
            let line = text.split(separator: "\n").first
        else { return 0 }
        let numbers = line.split(separator: " ").dropFirst().compactMap { Double($0) }
        guard numbers.count > 6 else { return 0 }
        return (numbers[0] + numbers[1] + numbers[2] + numbers[5] + numbers[6]) / ticks
    }

    private static var ticks: Double { Double(sysconf(Int32(_SC_CLK_TCK))) }

    private static func fields(of pid: Int32) -> (parent: Int32, user: Int, system: Int, ended: Int)? {
        // Gone between two looks: nil says so.
        guard let stat = try? FileSystem.readText("/proc/\(pid)/stat"), let name = stat.lastIndex(of: ")")
        else { return nil }
        let rest = stat[name...].split(separator: " ")
        guard rest.count > 15, let parent = Int32(rest[2]), let user = Int(rest[12]), let system = Int(rest[13]),
            let endedUser = Int(rest[14]), let endedSystem = Int(rest[15])
        else { return nil }
        return (parent, user, system, endedUser + endedSystem)
    }
}
