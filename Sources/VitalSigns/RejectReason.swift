/// Why a message became a dead letter; of several reasons the first in this order is the one that is stored.
///
/// Raw values are those of `vs_reason` in `CSimdJSON`; the codes are part of the product's contract.
public enum RejectReason: UInt8, BitwiseCopyable, CaseIterable, Sendable {
    /// No payload, or one of no bytes (a tombstone too).
    case emptyPayload
    /// Longer than the setting `MAX_MESSAGE_BYTES`.
    case oversize
    /// Not one JSON text in UTF-8, or nested deeper than 1,024 levels.
    case malformedJSON
    /// JSON, but an array, a string, a number, a boolean or null.
    case notAnObject
    /// A required field is absent or null: `patientId` or `timestamp`; of `patient-flow` any of its six, and a
    /// transfer's `toSectorId`.
    case missingField
    /// A field of another type than the format says, a fraction where an integer is due, or a text that cannot be
    /// stored (U+0000, half a surrogate pair, more than 255 bytes); of `patient-flow` an empty one, and an `eventId`
    /// that is no UUID.
    case wrongType
    /// `event` of a `patient-flow` message is a text, but none of the seven that the format knows.
    case unknownEvent
    /// `patientId` is not a UUID in its 8-4-4-4-12 form.
    case invalidPatientID
    /// `timestamp` is not above 0 or lies beyond the year 9999.
    case invalidTimestamp
    /// `timestamp` is further ahead of the broker's than the setting `VALIDATION_MAX_FUTURE_SECONDS` allows.
    case timestampInFuture
    /// A temperature that makes sense only in Fahrenheit.
    case temperatureFahrenheitSuspected
    /// A vital sign outside what can be, a consciousness other than A, C, V, P, U, or an acuity outside 1...5.
    case outOfRange
    /// Diastolic pressure not below systolic.
    case pressureInverted
    /// Nothing measured.
    case noVitalSign

    /// The code stored in `bronze.dead_letter.reason`.
    public var code: String {
        switch self {
        case .emptyPayload: "empty_payload"
        case .oversize: "oversize"
        case .malformedJSON: "malformed_json"
        case .notAnObject: "not_an_object"
        case .missingField: "missing_field"
        case .wrongType: "wrong_type"
        case .unknownEvent: "unknown_event"
        case .invalidPatientID: "invalid_patient_id"
        case .invalidTimestamp: "invalid_timestamp"
        case .timestampInFuture: "timestamp_in_future"
        case .temperatureFahrenheitSuspected: "temperature_fahrenheit_suspected"
        case .outOfRange: "out_of_range"
        case .pressureInverted: "pressure_inverted"
        case .noVitalSign: "no_vital_sign"
        }
    }
}
