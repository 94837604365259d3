/// A promise that the laboratory judges, as docs/exactly-once.md numbers them.
package enum Invariant: String, CaseIterable, Sendable, Comparable {
    /// The rows are those of the log, each once.
    case rows = "I1"
    /// Their values are the policy's winners, and the history is complete.
    case values = "I2"
    /// Offsets are the last message written plus one, and never go back within an epoch.
    case offsets = "I3"
    /// The ledger adds up, and each term is what the tables hold.
    case ledger = "I4"
    /// Nothing is written by an epoch once a newer one has begun.
    case fence = "I5"
    /// Work goes on soon after the end of the last fault, and nothing the service does alone stands in its way.
    case progress = "I6"
    /// Reading everything again changes no bit.
    case replay = "I8"

    package static func < (left: Invariant, right: Invariant) -> Bool { left.rawValue < right.rawValue }
}

/// A promise broken, and how.
package struct Violation: Sendable, CustomStringConvertible {
    package var invariant: Invariant
    package var text: String

    package var description: String { "\(invariant.rawValue) \(text)" }
}

/// Follows every move of the ledger's rows, whatever the rules that let it happen, and notes what must not be.
package struct LedgerWatch {
    private struct Partition {
        /// The newest epoch; only it may write.
        var newest: Int64 = 0
        /// Where the last move ended.
        var next: Int64?
    }

    private var partitions: [Int: Partition] = [:]
    package private(set) var violations: [Violation] = []

    package init() {}

    package mutating func noteFault(_ invariant: Invariant, _ text: String) {
        if violations.count < 20 { violations.append(Violation(invariant: invariant, text: text)) }
    }

    package mutating func noteTakeOver(_ number: Int, epoch: Int64, next: Int64) {
        if let last = partitions[number]?.next, last != next {
            noteFault(
                .offsets, "partition \(number): epoch \(epoch) begins at \(next), the last write ended at \(last)")
        }
        let newest = max(epoch, partitions[number]?.newest ?? 0)
        partitions[number] = Partition(newest: newest, next: next)
    }

    package mutating func noteWrite(_ number: Int, epoch: Int64, from: Int64, expected: Int64, to: Int64) {
        var partition = partitions[number, default: Partition()]
        if epoch < partition.newest {
            noteFault(.fence, "partition \(number): epoch \(epoch) writes after epoch \(partition.newest) has begun")
        }
        if expected != from || to <= from {
            noteFault(
                .offsets,
                "partition \(number): epoch \(epoch) moves the offset from \(from) to \(to), "
                    + "having read from \(expected)")
        }
        partition.next = to
        partitions[number] = partition
    }

    /// An operator has moved the offset.
    package mutating func noteJump(_ number: Int, to offset: Int64) {
        partitions[number, default: Partition()].next = offset
    }

    /// The tables are older again; what was seen of them stays seen.
    mutating func restore(_ older: LedgerWatch) {
        partitions = older.partitions
    }
}
