/// What happened to a visit; the raw value is CONTRACT's word for it.
public enum FlowEventKind: String, CaseIterable, Sendable {
    case arrival
    case triage
    case treatmentStart = "treatment_start"
    case transfer
    case departure
    case leftWithoutBeingSeen = "left_without_being_seen"
    case cancelled
}

/// A part of a simulated hospital.
public enum FlowSector: String, CaseIterable, Sendable {
    /// Emergency department, acuity 1 to 3.
    case majors
    /// Emergency department, acuity 4 and 5.
    case minors
    case medicine = "ward-medicine"
    case surgery = "ward-surgery"

    /// The sectors with a queue of their own.
    public static let emergency: [FlowSector] = [.majors, .minors]
    /// Where admitted patients go.
    static let wards: [FlowSector] = [.medicine, .surgery]

    /// Where a patient of this acuity is treated.
    public static func treating(acuity: Int) -> FlowSector { acuity <= 3 ? .majors : .minors }
}

/// One event as the hospital's system knows it.
public struct FlowEvent: Sendable, Hashable {
    /// Facility, counted from 0.
    public let facility: Int
    /// What happened.
    public let kind: FlowEventKind
    /// Where the patient was when it happened.
    public let sector: FlowSector
    /// Where a transfer leads, else nil.
    public let destination: FlowSector?
    /// 1, most urgent, to 5, as far as it is known then.
    public let acuity: Int
    /// Event time, milliseconds since 1970-01-01Z.
    public let time: Int64
    /// Of this event alone.
    package let identifier: RandomIdentifier
    /// Of the visit.
    package let visit: RandomIdentifier
    /// Of the patient.
    package let patient: RandomIdentifier
}
