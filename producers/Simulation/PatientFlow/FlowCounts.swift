/// A message of the simulated patient flow.
public struct FlowMessage: Sendable, Equatable {
    /// How it comes, against the messages of its facility that went before it.
    public enum Order: Sendable {
        /// Nothing newer went before it.
        case inOrder
        /// Something newer went before it, by at most `FlowCounts.latenessMilliseconds`.
        case reordered
        /// Something newer by more than that went before it.
        case late
    }

    /// What it says.
    public let event: FlowEvent
    /// Whether the same bytes went before it.
    public let isDuplicate: Bool
    /// How an event comes that was not said before; duplicates are in order.
    public let order: Order
}

/// What was sent, and what the service's ledger must therefore say.
///
/// Exact when every message was delivered and nobody else wrote of these visits.
public struct FlowCounts: Sendable, Equatable {
    private var kinds: [FlowEventKind: Int] = [:]
    /// Messages that said again what was said.
    public private(set) var duplicates = 0
    /// Events that came just after newer ones of their facility.
    public private(set) var reordered = 0
    /// Events that came after ones of their facility that were newer by more than `latenessMilliseconds`.
    public private(set) var late = 0
    /// Bytes of all payloads.
    public private(set) var payloadBytes = 0

    /// What the service allows by default before it closes a window: 10 minutes.
    public static let latenessMilliseconds: Int64 = 600_000

    /// Nothing sent.
    public init() {}

    /// Counts a message with a payload of `bytes` bytes.
    public mutating func add(_ message: FlowMessage, bytes: Int) {
        payloadBytes += bytes
        if message.isDuplicate {
            duplicates += 1
            return
        }
        kinds[message.event.kind, default: 0] += 1
        switch message.order {
        case .inOrder: break
        case .reordered: reordered += 1
        case .late: late += 1
        }
    }

    /// Events of a kind, each once.
    public func events(_ kind: FlowEventKind) -> Int { kinds[kind, default: 0] }

    /// All events, each once: the ledger's `inserted`.
    public var events: Int { kinds.values.reduce(0, +) }

    /// All messages: the ledger's `consumed`.
    public var messages: Int { events + duplicates }
}
