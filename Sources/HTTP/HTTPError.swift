public import Service  // SystemError is part of the cases.

/// Why a server could not start or a client got no answer.
public enum HTTPError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The host's name means nothing here.
    case unknownHost(String, reason: String)
    /// The address cannot be listened on: in use, not of this machine, or not allowed.
    case cannotListen(SystemError)
    /// The system refused what a server needs besides: a descriptor, memory, a thread.
    case cannotStart(SystemError)
    /// Nobody answers at the address.
    case cannotConnect(SystemError)
    /// The connection broke before the answer was complete.
    case connectionBroken(SystemError)
    /// The answer was not complete in time.
    case deadlineExceeded(address: String)
    /// What came is not an HTTP answer.
    case malformedAnswer(address: String)
    /// The answer is longer than the caller takes.
    case answerTooLong(address: String, limitBytes: Int)

    /// One line for the operator.
    public var description: String {
        switch self {
        case .unknownHost(let host, let reason): "cannot find the host \(host): \(reason)"
        case .cannotListen(let error), .cannotStart(let error), .cannotConnect(let error),
            .connectionBroken(let error):
            error.description
        case .deadlineExceeded(let address): "no complete answer from \(address) in time"
        case .malformedAnswer(let address): "\(address) does not answer in HTTP"
        case .answerTooLong(let address, let limitBytes): "the answer of \(address) exceeds \(limitBytes) bytes"
        }
    }
}
