internal import CPosix
internal import Glibc

/// What to start, and how.
public struct ChildCommand: Sendable {
    /// Where standard input comes from.
    public enum Input: Sendable {
        case null
        case inherit
        case file(String)
        /// `ChildProcess.write` and `closeInput` feed it.
        case pipe
    }

    /// Where an output goes.
    public enum Output: Sendable, Equatable {
        case null
        case inherit
        /// Into a file, emptied before unless `appending`.
        case file(String, appending: Bool)
        /// Into this process: `ChildProcess.output`.
        case pipe
        /// Standard error only: wherever standard output goes.
        case sameAsOutput
    }

    /// A path, or a name to be looked up in `PATH`.
    public var executable: String
    /// Without the program's own name.
    public var arguments: [String]
    /// The whole environment; nil: that of this process.
    public var environment: [String: String]?
    /// Nil: that of this process.
    public var workingDirectory: String?
    /// Standard input.
    public var input = Input.null
    /// Standard output.
    public var output = Output.inherit
    /// Standard error.
    public var error = Output.inherit
    /// Who runs it; only root may choose. Nil: who we are.
    public var account: UserAccount?
    /// Puts it into a process group of its own, out of Ctrl-C's reach.
    public var ownProcessGroup = false
    /// Kills it when the thread that started it ends, however that comes.
    public var diesWithParent = false

    /// A command that inherits all but its standard input, which is empty.
    public init(_ executable: String, _ arguments: [String] = []) {
        self.executable = executable
        self.arguments = arguments
    }

    func resolvedExecutable() throws(SystemError) -> String {
        if executable.contains("/") { return executable }
        guard let path = FileSystem.findExecutable(executable) else {
            throw SystemError(code: ENOENT, operation: "run", subject: executable)
        }
        return path
    }
}

/// The descriptors of a child about to start: its ends, and ours.
struct ChildDescriptors {
    /// Standard input, output, error for the child; -1 inherits.
    var child: [Int32] = [-1, -1, -1]
    var inputWriter: Int32 = -1
    var outputReader: Int32 = -1
    var errorReader: Int32 = -1

    /// Opens what the command names. After a throw nothing of ours is left open.
    mutating func open(_ command: ChildCommand) throws(SystemError) {
        do throws(SystemError) {
            try openInput(command.input)
            outputReader = try openOutput(command.output, at: 1)
            errorReader = try openOutput(command.error, at: 2)
        } catch {
            closeParentEnds()
            throw error
        }
    }

    /// Closes the child's ends in this process.
    mutating func closeChildEnds() {
        // With sameAsOutput two places hold one descriptor.
        for descriptor in Set(child) where descriptor >= 0 { _ = close(descriptor) }
        child = [-1, -1, -1]
    }

    mutating func closeReaders() {
        for descriptor in [outputReader, errorReader] where descriptor >= 0 { _ = close(descriptor) }
        outputReader = -1
        errorReader = -1
    }

    mutating func closeParentEnds() {
        closeReaders()
        if inputWriter >= 0 { _ = close(inputWriter) }
        inputWriter = -1
    }

    private mutating func openInput(_ input: ChildCommand.Input) throws(SystemError) {
        switch input {
        case .inherit: break
        case .null: child[0] = try FileSystem.open("/dev/null", CPOSIX_OPEN_READ)
        case .file(let path): child[0] = try FileSystem.open(path, CPOSIX_OPEN_READ)
        case .pipe: (child[0], inputWriter) = try ChildDescriptors.pipe()
        }
    }

    /// Our end of a pipe, -1 when it is none.
    private mutating func openOutput(_ output: ChildCommand.Output, at index: Int) throws(SystemError) -> Int32 {
        switch output {
        case .inherit: return -1
        case .null: child[index] = try FileSystem.open("/dev/null", CPOSIX_OPEN_APPEND)
        case .file(let path, let appending):
            child[index] = try FileSystem.open(path, appending ? CPOSIX_OPEN_APPEND : CPOSIX_OPEN_TRUNCATE)
        case .sameAsOutput where child[1] >= 0: child[index] = child[1]
        case .sameAsOutput:
            // A copy, since what stands here is closed afterwards.
            child[index] = dup(1)
            guard child[index] >= 0 else { throw SystemError.current("copy standard output") }
        case .pipe:
            let ends = try ChildDescriptors.pipe()
            child[index] = ends.write
            return ends.read
        }
        return -1
    }

    private static func pipe() throws(SystemError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe cposix_pipe(&ends) == 0 else { throw SystemError.current("make a pipe") }
        return (ends[0], ends[1])
    }
}
