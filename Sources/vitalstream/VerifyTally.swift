internal import VitalSigns

/// How closely a row can be compared.
enum VerifyRigour {
    /// Bit by bit.
    case exact
    /// Earlier messages are gone from the log, or a retried letter took part: what the log has must be in the row, and
    /// the row may have more.
    case lenient
    /// Messages of several partitions: which vital signs are there, but not their values.
    case mixed
}

/// Why a row is not compared at all.
enum VerifySkip {
    /// Its messages are no longer in the log.
    case gone
    /// An operator has moved the offset back, and its message is still to be read again.
    case toBeReadAgain
    /// Retention has dropped its day.
    case dropped
}

/// The counts of one comparison: rows, history or dead letters.
struct VerifyTally {
    var expected: Int64 = 0
    var actual: Int64 = 0
    /// By the log they must be there.
    var missing: Int64 = 0
    /// The log has no message for them.
    var extra: Int64 = 0
    /// Not as the log has it.
    var differing: Int64 = 0

    var exact: Int64 = 0
    var lenient: Int64 = 0
    var mixed: Int64 = 0
    var gone: Int64 = 0
    var toBeReadAgain: Int64 = 0
    var dropped: Int64 = 0

    /// Counts one that agrees.
    mutating func note(_ rigour: VerifyRigour) {
        switch rigour {
        case .exact: exact += 1
        case .lenient: lenient += 1
        case .mixed: mixed += 1
        }
    }

    /// Counts one that is not compared.
    mutating func skip(_ reason: VerifySkip) {
        switch reason {
        case .gone: gone += 1
        case .toBeReadAgain: toBeReadAgain += 1
        case .dropped: dropped += 1
        }
    }
}

/// Which columns of a row are not as they must be; names only, values are patient data.
enum VerifyDifference {
    private static let numericNames = [
        "heart_rate", "temperature", "oxygen_saturation", "respiratory_rate", "systolic_pressure", "diastolic_pressure",
    ]

    /// The columns of `actual` that do not agree with `expected`.
    /// - Parameter partition: `source_partition` as it is stored, which may be more than a reading holds.
    static func of(
        _ actual: Reading, partition: Int32, from expected: Reading, rigour: VerifyRigour
    ) -> [String] {
        let wanted = expected.presence
        // What may be there: all that the log has, and under leniency whatever came before.
        let surplus = rigour == .lenient ? 0 : actual.presence & ~wanted
        var wrong = wanted & ~actual.presence | surplus
        if rigour != .mixed { wrong |= actual.disagreements(with: expected) }
        var names: [String] = []
        for bit in 0..<Reading.numericCount where wrong & (1 << UInt8(bit)) != 0 { names.append(numericNames[bit]) }
        if wrong & Reading.consciousnessBit != 0 { names.append("consciousness") }
        if wrong & Reading.supplementalOxygenBit != 0 { names.append("supplemental_oxygen") }
        switch rigour {
        case .exact:
            if partition != Int32(expected.partition) { names.append("source_partition") }
            if actual.offset != expected.offset { names.append("source_offset") }
            if actual.origin != expected.origin { names.append("origin_id") }
        case .lenient:
            if partition != Int32(expected.partition) { names.append("source_partition") }
            if actual.offset > expected.offset { names.append("source_offset") }
            if actual.origin == 0, expected.origin != 0 { names.append("origin_id") }
        case .mixed:
            break
        }
        return names
    }
}
