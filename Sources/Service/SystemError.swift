internal import CPosix

/// A refused call of the operating system.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// errno's value, such as 2 for ENOENT.
    public let code: Int32
    /// What was tried, in a few words: `open`, `start the thread`.
    public let operation: String
    /// What it was tried on: a path, a program. Never a secret.
    public let subject: String?

    /// An error with a known code.
    public init(code: Int32, operation: String, subject: String? = nil) {
        self.code = code
        self.operation = operation
        self.subject = subject
    }

    /// The error that the calling thread's last C call left in errno.
    public static func current(_ operation: String, _ subject: String? = nil) -> SystemError {
        SystemError(code: cposix_errno(), operation: operation, subject: subject)
    }

    /// The text of an errno value: `No such file or directory`.
    public static func text(of code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        unsafe cposix_error_text(code, &buffer, buffer.count)
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// `cannot open /etc/x: Permission denied`
    public var description: String {
        let what = subject.map { "\(operation) \($0)" } ?? operation
        return "cannot \(what): \(SystemError.text(of: code))"
    }
}
