/// What happened to a visit, as the topic `patient-flow` names it.
///
/// Raw values are those of `CSimdJSON`'s decoder and of stored predictor states: never change one.
public enum FlowKind: UInt8, Sendable, CaseIterable {
    /// The patient has come.
    case arrival = 1
    /// The acuity is known.
    case triage
    /// The wait is over.
    case treatmentStart
    /// On to another sector.
    case transfer
    /// The patient has gone, or was moved to a ward.
    case departure
    /// Gone before treatment.
    case leftWithoutBeingSeen
    /// The visit never happened.
    case cancelled

    /// The name in messages and in `silver.patient_flow_event.event`.
    public var code: String {
        switch self {
        case .arrival: "arrival"
        case .triage: "triage"
        case .treatmentStart: "treatment_start"
        case .transfer: "transfer"
        case .departure: "departure"
        case .leftWithoutBeingSeen: "left_without_being_seen"
        case .cancelled: "cancelled"
        }
    }

    /// The kind of a name as `code` gives it; nil for any other text.
    public init?(code: String) {
        guard let kind = Self.allCases.first(where: { $0.code.utf8.elementsEqual(code.utf8) }) else { return nil }
        self = kind
    }
}
