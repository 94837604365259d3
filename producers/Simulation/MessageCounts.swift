/// How many messages of each kind were sent, and what the service's ledger must therefore say.
///
/// Exact under three conditions: every message was delivered once and in order, nobody else wrote readings of these
/// patients, and the service judges by CONTRACT's default limits.
public struct MessageCounts: Sendable, Equatable {
    private var kinds: [8 of Int] = .init(repeating: 0)
    private var classes: [6 of Int] = .init(repeating: 0)
    private var reasons: [RejectionReason: Int] = [:]
    /// Bytes of all payloads.
    public private(set) var payloadBytes = 0

    /// No messages.
    public init() {}

    /// Counts one message with a payload of `bytes` bytes.
    public mutating func add(_ message: GeneratedMessage, bytes: Int) {
        kinds[message.kind.rawValue] += 1
        classes[message.ledgerClass.rawValue] += 1
        payloadBytes += bytes
        if let reason = message.reason { reasons[reason, default: 0] += 1 }
    }

    /// Messages of a kind.
    public func sent(_ kind: MessageKind) -> Int { kinds[kind.rawValue] }

    /// Messages that the ledger counts in this column.
    public func ledger(_ column: LedgerClass) -> Int { classes[column.rawValue] }

    /// Dead letters with this reason.
    public func deadLetters(_ reason: RejectionReason) -> Int { reasons[reason, default: 0] }

    /// All messages: the ledger's `consumed`.
    public var total: Int { MessageKind.allCases.reduce(0) { $0 + sent($1) } }

    /// Compares all counts.
    public static func == (left: Self, right: Self) -> Bool {
        MessageKind.allCases.allSatisfy { left.sent($0) == right.sent($0) }
            && LedgerClass.allCases.allSatisfy { left.ledger($0) == right.ledger($0) }
            && left.reasons == right.reasons && left.payloadBytes == right.payloadBytes
    }
}
