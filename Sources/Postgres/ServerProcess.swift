internal import Glibc
internal import Service

/// A running `postgres`, started by a thread that lives as long as it does.
///
/// The kernel ties the server's life to the thread that started it, and threads of a pool come and go; this one stays,
/// so the server dies with the process and with nothing less.
final class ServerProcess: Sendable {
    private enum Start: Sendable {
        case waiting
        case done(ChildProcess)
        case failed(SystemError)
    }

    private let child: ChildProcess

    init(
        executable: String, arguments: [String], environment: [String: String], account: UserAccount?,
        directory: String, logPath: String
    ) throws(SystemError) {
        var command = ChildCommand(executable, arguments)
        command.environment = environment
        command.account = account
        command.workingDirectory = directory
        command.output = .file(logPath, appending: true)
        command.error = .sameAsOutput
        // Ctrl-C in a terminal is for us; the server stops when we stop it.
        command.ownProcessGroup = true
        command.diesWithParent = true
        let start = Locked(Start.waiting)
        let order = command
        _ = try ServiceThread(name: "private-server") {
            do throws(SystemError) {
                let child = try ChildProcess(order)
                start.withLock { $0 = .done(child) }
                start.signal()
                while child.wait(within: .seconds(3600)) == nil {}
            } catch {
                start.withLock { $0 = .failed(error) }
                start.signal()
            }
        }
        _ = start.wait(until: nil) { state in if case .waiting = state { true } else { false } }
        switch start.withLock({ $0 }) {
        case .waiting: throw SystemError(code: ETIMEDOUT, operation: "start", subject: executable)
        case .done(let child): self.child = child
        case .failed(let error): throw error
        }
    }

    var pid: Int32 { child.pid }

    var hasEnded: Bool { child.exitStatus != nil }

    func signal(_ number: Int32) {
        child.signal(number)
    }

    /// True when it has ended within the time.
    func wait(within limit: Duration) -> Bool {
        child.wait(within: limit) != nil
    }

    /// SIGKILL to the server and its sessions, each of which leads a session of its own (setsid).
    func killTree() {
        // While the server is stopped it neither starts nor reaps children: their numbers stay theirs.
        child.signal(SIGSTOP)
        for pid in Self.children(of: child.pid) { _ = Glibc.kill(pid, SIGKILL) }
        child.signal(SIGKILL)
        _ = child.wait(within: .seconds(10))
    }

    private static func children(of parent: Int32) -> [Int32] {
        do throws(SystemError) {
            return try FileSystem.entries(of: "/proc").compactMap { name in
                guard let pid = Int32(name), parentOf(pid) == parent else { return nil }
                return pid
            }
        } catch {
            return []
        }
    }

    private static func parentOf(_ pid: Int32) -> Int32? {
        do throws(SystemError) {
            // proc(5): pid (name) state ppid; the name may contain anything, so count from its last parenthesis.
            let status = try FileSystem.readText("/proc/\(pid)/stat")
            guard let end = status.lastIndex(of: ")") else { return nil }
            let fields = status[end...].split(separator: " ")
            return fields.count > 2 ? Int32(fields[2]) : nil
        } catch {
            // It ended while we looked.
            return nil
        }
    }
}
