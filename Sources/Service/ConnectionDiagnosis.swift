/// Why a server cannot be used, in words for operators: one line for the cause, one for what to do.
///
/// Neither holds a secret or a patient's data: they are made of the names of hosts, users, files and settings.
public struct ConnectionDiagnosis: Hashable, Sendable, CustomStringConvertible {
    /// What went wrong, coarsely.
    public enum Kind: Sendable {
        /// No such host, nobody listens, no way there, no answer.
        case network
        /// The two sides speak differently: TLS to a port without it, another program.
        case encryption
        /// A certificate, the server's or ours, is not accepted.
        case certificate
        /// The user, the password, or the way to log in.
        case authentication
        /// The settings contradict themselves, or name what is not there.
        case settings
        /// The server answers, but not for this.
        case server
    }

    /// What went wrong, coarsely.
    public let kind: Kind
    /// What went wrong, such as `certificate of db:5432 expired on 2026-01-31`; without a full stop.
    public let cause: String
    /// What to do about it; without a full stop.
    public let remedy: String
    /// Whether the cause is one of several that look alike from where it was seen.
    public let isVague: Bool

    /// A diagnosis from its parts.
    public init(_ kind: Kind, _ cause: String, remedy: String, isVague: Bool = false) {
        self.kind = kind
        self.cause = cause
        self.remedy = remedy
        self.isVague = isVague
    }

    /// Both in one line.
    public var description: String { "\(cause) -> \(remedy)" }
}
