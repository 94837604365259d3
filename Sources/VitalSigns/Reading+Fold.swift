/// What applying one message to what is stored under its key amounted to; every accepted message is exactly one.
public enum Verdict: UInt8, BitwiseCopyable, Sendable {
    /// Nothing was stored under the key.
    case inserted
    /// Absent vital signs were added, none was changed.
    case merged
    /// A stored vital sign was replaced by a later message's; others may have been added at once.
    case corrected
    /// The message says nothing new.
    case duplicate
    /// The message disagrees with what is stored but stands earlier; it filled absences at most.
    case stale
}

/// The outcome of `Reading.apply`: the verdict, and which stored values were replaced.
public struct FoldOutcome: BitwiseCopyable, Sendable {
    /// Which of the ledger's classes the message belongs to.
    public var verdict: Verdict
    /// Presence bits of the stored vital signs that were replaced; only a correction has any.
    public var replaced: UInt8
    /// Whether anything of the row, its origin included, differs from before.
    public var changedRow: Bool

    @inlinable
    init(verdict: Verdict) {
        self.verdict = verdict
        replaced = 0
        changedRow = false
    }
}

extension Reading {
    /// Whether `other` names the same patient at the same instant.
    @inlinable
    public func hasSameKey(as other: Reading) -> Bool {
        patientLow == other.patientLow && patientHigh == other.patientHigh && time == other.time
    }

    /// Whether this reading stands later in the log than `other`: a greater (partition, offset), in that order.
    @inlinable
    public func standsLater(than other: Reading) -> Bool {
        partition != other.partition ? partition > other.partition : offset > other.offset
    }

    /// Presence bits of the vital signs that both carry with different values.
    @inlinable
    public func disagreements(with other: Reading) -> UInt8 {
        let both = presence & other.presence
        var bits: UInt8 = 0
        for index in 0..<Reading.numericCount where both & (1 << UInt8(index)) != 0 {
            if values[index] != other.values[index] { bits |= 1 << UInt8(index) }
        }
        let categories = categorical ^ other.categorical
        if both & Reading.consciousnessBit != 0, categories & Reading.consciousnessMask != 0 {
            bits |= Reading.consciousnessBit
        }
        if both & Reading.supplementalOxygenBit != 0, categories & Reading.supplementalOxygenValue != 0 {
            bits |= Reading.supplementalOxygenBit
        }
        return bits
    }

    /// Applies one message to this stored row, by the rule "one reading per patient and instant".
    ///
    /// A value is replaced only by a message that stands later; an absent one never erases. The source becomes the
    /// greatest of the messages that changed a vital sign; the origin is filled once and never counts as a change.
    /// - Parameter message: a reading with the same key.
    /// - Parameter neverCorrects: judge any disagreement as stale (a dead letter applied again).
    /// - Complexity: constant, no allocation.
    @inlinable
    public mutating func apply(_ message: Reading, neverCorrects: Bool = false) -> FoldOutcome {
        let adds = message.presence & ~presence
        let changes = disagreements(with: message)
        let isLater = message.standsLater(than: self)
        var outcome = FoldOutcome(verdict: .duplicate)
        var taken = adds
        if changes != 0 {
            if isLater && !neverCorrects {
                outcome.verdict = .corrected
                outcome.replaced = changes
                taken |= changes
            } else {
                outcome.verdict = .stale
            }
        } else if adds != 0 {
            outcome.verdict = .merged
        }
        if taken != 0 {
            take(taken, from: message)
            if isLater {
                partition = message.partition
                offset = message.offset
            }
            outcome.changedRow = true
        }
        if origin == 0, message.origin != 0 {
            origin = message.origin
            outcome.changedRow = true
        }
        return outcome
    }

    /// Copies the vital signs named by presence `bits` from `message`.
    @inlinable
    mutating func take(_ bits: UInt8, from message: Reading) {
        for index in 0..<Reading.numericCount where bits & (1 << UInt8(index)) != 0 {
            values[index] = message.values[index]
        }
        if bits & Reading.consciousnessBit != 0 {
            categorical =
                categorical & ~Reading.consciousnessMask | message.categorical & Reading.consciousnessMask
        }
        if bits & Reading.supplementalOxygenBit != 0 {
            categorical =
                categorical & ~Reading.supplementalOxygenValue
                | message.categorical & Reading.supplementalOxygenValue
        }
        presence |= bits
    }
}
