internal import CPosix
internal import Glibc

/// How a process ended.
public enum ChildStatus: Hashable, Sendable, CustomStringConvertible {
    /// It left by itself with this code.
    case exited(Int32)
    /// This signal ended it.
    case killed(signal: Int32)

    /// Whether it left with code 0.
    public var isSuccess: Bool { self == .exited(0) }

    /// `exit code 1`, `signal 9`
    public var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .killed(let signal): "signal \(signal)"
        }
    }
}

/// A program that this process started, reaped by itself when it ends.
///
/// Any thread may use it. A helper thread waits for the end, so `signal` never meets a number that the system has
/// given to another process. Dropping the last reference kills what still runs (SIGKILL).
public final class ChildProcess: Sendable {
    /// The process's number; it may belong to another process once `wait` has returned a status.
    public let pid: Int32
    /// What the child writes to standard output, when that is a pipe.
    public let output: ChildOutput?
    /// What the child writes to standard error, when that is a pipe of its own.
    public let errorOutput: ChildOutput?

    private let ownsGroup: Bool
    private let input: Locked<Int32>
    private let end: Locked<ChildStatus?>

    /// Starts the program. The error names the step that was refused: the program, the directory, the account.
    ///
    /// With `diesWithParent` the calling thread must live as long as the child should: the kernel kills the child
    /// when the *thread* that started it ends.
    public init(_ command: ChildCommand) throws(SystemError) {
        var ends = ChildDescriptors()
        defer { ends.closeChildEnds() }
        try ends.open(command)
        let pid: Int32
        do throws(SystemError) {
            pid = try ChildProcess.spawn(command, ends.child)
        } catch {
            ends.closeParentEnds()
            throw error
        }
        self.pid = pid
        self.ownsGroup = command.ownProcessGroup
        self.input = Locked(ends.inputWriter)
        self.output = ends.outputReader >= 0 ? ChildOutput() : nil
        self.errorOutput = ends.errorReader >= 0 ? ChildOutput() : nil
        let end = Locked<ChildStatus?>(nil)
        self.end = end
        do throws(SystemError) {
            try output?.collect(from: ends.outputReader)
            ends.outputReader = -1
            try errorOutput?.collect(from: ends.errorReader)
            ends.errorReader = -1
            _ = try ServiceThread(name: "wait-\(pid)") { ChildProcess.awaitEnd(of: pid, into: end) }
        } catch {
            ends.closeReaders()
            _ = cposix_kill(pid, SIGKILL)
            ChildProcess.awaitEnd(of: pid, into: end)
            throw error
        }
    }

    deinit {
        signal(SIGKILL, wholeGroup: ownsGroup)
        closeInput()
    }

    /// Starts a program, waits for its end and hands back what it wrote, errors included (the last 256 KiB).
    /// A status of nil: it ran longer than `limit` and was killed.
    public static func run(
        _ executable: String, _ arguments: [String] = [], account: UserAccount? = nil,
        workingDirectory: String? = nil, within limit: Duration
    ) throws(SystemError) -> (status: ChildStatus?, output: String) {
        var command = ChildCommand(executable, arguments)
        command.account = account
        command.workingDirectory = workingDirectory
        command.output = .pipe
        command.error = .sameAsOutput
        let child = try ChildProcess(command)
        let status = child.wait(within: limit)
        if status == nil { child.signal(SIGKILL) }
        // What the program leaves running may keep the pipe open: do not wait for its end long.
        _ = child.output?.waitForEnd(within: .seconds(1))
        return (status, child.output?.text ?? "")
    }

    /// How it ended, nil while it runs.
    public var exitStatus: ChildStatus? { end.withLock { $0 } }

    /// Sends a signal, to its whole process group when asked. False when the process has ended.
    @discardableResult
    public func signal(_ number: Int32, wholeGroup: Bool = false) -> Bool {
        end.withLock { status in
            // A process that has ended but is not reaped yet keeps its number: the lock makes that certain.
            guard status == nil else { return false }
            return cposix_kill(wholeGroup && ownsGroup ? -pid : pid, number) == 0
        }
    }

    /// Waits for its end. Nil when it still runs after `limit`.
    public func wait(within limit: Duration) -> ChildStatus? {
        _ = end.wait(until: .after(limit), while: { $0 == nil })
        return exitStatus
    }

    /// Asks it to end (SIGTERM), and kills it (SIGKILL) when it has not after `limit`.
    @discardableResult
    public func stop(within limit: Duration) -> ChildStatus? {
        signal(SIGTERM)
        if let status = wait(within: limit) { return status }
        signal(SIGKILL, wholeGroup: ownsGroup)
        return wait(within: .seconds(5))
    }

    /// Waits for a line on standard output (a pipe) that contains `text`, beginning after the last line found so.
    /// Nil when the time is over or the output has ended without it.
    public func waitForLine(containing text: String, within limit: Duration) -> String? {
        output?.waitForLine(containing: text, within: limit)
    }

    /// Writes to the child's standard input (a pipe). Blocks while the pipe is full.
    public func write(_ text: String) throws(SystemError) {
        let descriptor = input.withLock { $0 }
        guard descriptor >= 0 else { throw SystemError(code: EBADF, operation: "write to process", subject: "\(pid)") }
        try FileSystem.write(Array(text.utf8), to: descriptor, name: "process \(pid)")
    }

    /// Ends the child's standard input.
    public func closeInput() {
        let descriptor = input.withLock { open in
            defer { open = -1 }
            return open
        }
        if descriptor >= 0 { _ = close(descriptor) }
    }

    private static func awaitEnd(of pid: Int32, into end: Locked<ChildStatus?>) {
        guard cposix_child_wait(pid) == 0 else { return }
        end.withLock { status in
            var code: Int32 = 0
            var signal: Int32 = 0
            let failed = unsafe cposix_child_reap(pid, &code, &signal)
            status = failed == 0 && signal != 0 ? .killed(signal: signal) : .exited(failed == 0 ? code : -1)
        }
        end.signal()
    }

    private static func spawn(_ command: ChildCommand, _ descriptors: [Int32]) throws(SystemError) -> Int32 {
        let executable = try command.resolvedExecutable()
        let texts = [executable, command.workingDirectory ?? ""] + command.arguments
        guard !texts.contains(where: { $0.utf8.contains(0) }) else {
            throw SystemError(code: EINVAL, operation: "run", subject: "\(executable): an argument holds a zero byte")
        }
        let environment = command.environment ?? HostProcess.environment
        let variables = environment.map { "\($0.key)=\($0.value)" }.sorted()
        // Copies for C, freed below: cposix_spawn reads them before it returns.
        var arguments = unsafe ([executable] + command.arguments).map { unsafe strdup($0) } + [nil]
        var pairs = unsafe variables.map { unsafe strdup($0) } + [nil]
        let directory = unsafe command.workingDirectory.flatMap { unsafe strdup($0) }
        let path = unsafe strdup(executable)
        let accountName = unsafe command.account.flatMap { unsafe strdup($0.name) }
        defer {
            let copies = unsafe arguments + pairs + [directory, path, accountName]
            for index in 0..<(unsafe copies.count) { unsafe free(copies[index]) }
        }
        var stage: Int32 = 0
        let pid = unsafe arguments.withUnsafeMutableBufferPointer { arguments in
            unsafe pairs.withUnsafeMutableBufferPointer { pairs -> Int32 in
                guard let first = arguments.baseAddress, let variables = pairs.baseAddress, let path = unsafe path
                else { return -1 }
                var request = unsafe cposix_spawn_request(
                    executable: path, arguments: first, environment: variables, working_directory: directory,
                    descriptors: (descriptors[0], descriptors[1], descriptors[2]),
                    switch_account: command.account != nil,
                    account: cposix_account(user: command.account?.user ?? 0, group: command.account?.group ?? 0),
                    account_name: accountName, own_process_group: command.ownProcessGroup,
                    dies_with_parent: command.diesWithParent)
                return unsafe cposix_spawn(&request, &stage)
            }
        }
        guard pid > 0 else { throw failure(at: stage, command, executable) }
        return pid
    }

    private static func failure(at stage: Int32, _ command: ChildCommand, _ executable: String) -> SystemError {
        switch Int(stage) {
        case CPOSIX_STAGE_ACCOUNT:
            .current("become the user", "\(command.account?.name ?? "") to run \(executable)")
        case CPOSIX_STAGE_DIRECTORY:
            .current("enter", "\(command.workingDirectory ?? "") to run \(executable)")
        default:
            .current("run", executable)
        }
    }
}
