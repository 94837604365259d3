internal import CPosix
internal import Glibc

/// Facts and levers of the process we are in.
public enum HostProcess {
    /// Keeps malloc to `count` arenas. Call it first thing in `main`: librdkafka's threads would each fill one.
    public static func limitArenas(_ count: Int32 = 2) { cposix_limit_arenas(count) }

    /// Sets an environment variable that is not set. Before the first thread starts: libraries read it unlocked.
    public static func setVariable(_ name: String, ifUnset value: String) {
        unsafe _ = setenv(name, value, 0)
    }

    /// The commit that the program was built from, `unknown` where nobody told.
    public static var buildCommit: String { unsafe String(cString: cposix_build_commit()) }

    /// Cores this process may run on, at least 1.
    public static var processorCount: Int { Int(cposix_processor_count()) }

    /// Number of this process.
    public static var identifier: Int32 { getpid() }

    /// Whether the process runs as root.
    public static var isRoot: Bool { geteuid() == 0 }

    /// The environment as it is now. Of a name that is given twice the first counts, as in getenv.
    public static var environment: [String: String] {
        var result: [String: String] = [:]
        var next = unsafe cposix_environment()
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            // On bytes: a combining mark may follow the sign.
            if let separator = text.utf8.firstIndex(of: UInt8(ascii: "=")) {
                let name = String(text[..<separator])
                if result[name] == nil { result[name] = String(text[text.utf8.index(after: separator)...]) }
            }
            unsafe next += 1
        }
        return result
    }

    /// The path of the running program, nil when /proc does not say.
    public static var executablePath: String? {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0, count < buffer.count else { return nil }
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Ends the process at once, without destructors of C libraries: how a program leaves after its orderly stop.
    /// What `print` holds back is written before.
    public static func exit(_ code: Int32) -> Never {
        cposix_flush_output()
        _exit(code)
    }
}

/// A user of the system.
public struct UserAccount: Hashable, Sendable {
    /// Its name in the user data base.
    public let name: String
    /// Its user number.
    public let user: UInt32
    /// Its main group's number.
    public let group: UInt32

    /// The user of that name, nil when there is none.
    public static func named(_ name: String) -> UserAccount? {
        var account = cposix_account()
        guard unsafe cposix_account_named(name, &account) == 0 else { return nil }
        return UserAccount(name: name, user: account.user, group: account.group)
    }
}
