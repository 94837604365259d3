/// What a generated message is, as its producer means it.
public enum MessageKind: Int, CaseIterable, Sendable {
    /// A new reading, newer than all before it of the same patient.
    case reading
    /// A new reading that was held back: newer ones of the same patient went before it.
    case late
    /// Says again what was said, wholly or in part.
    case duplicate
    /// Adds vital signs that an earlier message of the same instant lacked.
    case merge
    /// Changes a vital sign that an earlier message of the same instant gave.
    case correction
    /// Dated at least a day ahead of the clock.
    case future
    /// Cannot be used, for one reason of CONTRACT's list.
    case malformed
    /// Valid, but longer than the service accepts.
    case oversize

    /// Plural, as the final table shows it.
    public var label: String {
        switch self {
        case .reading: "readings"
        case .late: "late"
        case .duplicate: "duplicates"
        case .merge: "merges"
        case .correction: "corrections"
        case .future: "future"
        case .malformed: "malformed"
        case .oversize: "oversize"
        }
    }
}

/// The column of the service's ledger in which a message is counted.
public enum LedgerClass: Int, CaseIterable, Sendable {
    case inserted, merged, corrected, duplicate, stale, rejected

    /// The column's name in `ops.partition_progress`.
    public var label: String {
        switch self {
        case .inserted: "inserted"
        case .merged: "merged"
        case .corrected: "corrected"
        case .duplicate: "duplicate"
        case .stale: "stale"
        case .rejected: "rejected"
        }
    }
}

/// Why a message is refused; the raw value is the reason code in `bronze.dead_letter`.
public enum RejectionReason: String, CaseIterable, Sendable {
    case emptyPayload = "empty_payload"
    case oversize
    case malformedJSON = "malformed_json"
    case notAnObject = "not_an_object"
    case missingField = "missing_field"
    case wrongType = "wrong_type"
    case invalidPatientID = "invalid_patient_id"
    case invalidTimestamp = "invalid_timestamp"
    case timestampInFuture = "timestamp_in_future"
    case fahrenheitSuspected = "temperature_fahrenheit_suspected"
    case outOfRange = "out_of_range"
    case pressureInverted = "pressure_inverted"
    case noVitalSign = "no_vital_sign"
}

/// What was generated and what the service's books must say about it.
public struct GeneratedMessage: Sendable, Equatable {
    /// What the producer meant.
    public let kind: MessageKind
    /// Where the ledger counts it.
    public let ledgerClass: LedgerClass
    /// The dead letter's reason, nil for an accepted message.
    public let reason: RejectionReason?
    /// Event time, milliseconds since 1970-01-01Z; of a refused message the time at which it was made up.
    public let eventTime: Int64

    init(_ kind: MessageKind, _ ledgerClass: LedgerClass, at eventTime: Int64) {
        self.kind = kind
        self.ledgerClass = ledgerClass
        self.reason = nil
        self.eventTime = eventTime
    }

    init(_ kind: MessageKind, rejectedAs reason: RejectionReason, at eventTime: Int64) {
        self.kind = kind
        self.ledgerClass = .rejected
        self.reason = reason
        self.eventTime = eventTime
    }
}
