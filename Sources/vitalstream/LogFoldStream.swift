internal import Kafka
internal import VitalSigns

/// One partition of the log as it was read again.
final class LogFoldStream {
    /// A message that today's settings reject.
    struct Letter {
        let offset: Int64
        let reason: RejectReason
    }

    /// A dead letter that was accepted later.
    struct Retry {
        /// Its place in the order of retries.
        let order: Int
        /// Whether the offset was moved back since, so that the message was, or will be, read once more as any other.
        let isVoid: Bool
    }

    let partition: TopicPartition
    /// Place of its topic among the topics of the ledger.
    let topic: Int
    /// The offsets that the ledger has counted and that were asked of the log.
    var covered = LogFoldRanges()
    /// Offsets below this one are counted by the ledger, but the log holds them no longer.
    var keptFrom: Int64 = 0
    /// Where the log ended although the ledger goes on; nil when it did not.
    var endedAt: Int64?
    /// How many messages there were.
    var messages: Int64 = 0
    /// What became of them, one at a time in offset order.
    var classes = LedgerClasses()
    /// In ascending order.
    var letters: [Letter] = []
    /// Letters below this offset may be gone: retention has been there.
    var settledBefore: Int64 = 0
    /// Offsets of dead letters that were accepted later.
    var retried: [Int64: Retry] = [:]
    /// `MessageHash` that the ledger keeps of some offsets; those that were met are removed.
    var awaitedHashes: [Int64: Int64] = [:]
    /// Offsets whose message is not the one that was stored.
    var foreignOffsets: [Int64] = []
    /// Whether an operator has moved a group's offset back, and not all is read again yet.
    var hasJumpedBack = false

    init(_ partition: TopicPartition, topic: Int) {
        self.partition = partition
        self.topic = topic
    }

    /// Whether the log has lost messages that the ledger counted.
    var isPartial: Bool { keptFrom > covered.lowerBound && covered.count > 0 }
    /// Offsets that hold no message.
    var gaps: Int64 { covered.count - messages }
}
