/// What happened to a visit, as the topic `patient-flow` names it.
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
}

/// One event of one visit, as the predictor takes it: validated, and each event once.
public struct FlowStep: Sendable, Equatable {
    /// What happened.
    public let kind: FlowKind
    /// To which visit.
    public let visit: VisitKey
    /// The visit's own id, where it is to be told again; nil where only the key is known.
    public let visitID: String?
    /// When, in milliseconds since 1970 UTC; event time.
    public let timestamp: Int64
    /// 1 (most urgent) to 5; nil where the event does not carry it.
    public let acuity: Int?
    /// Where a transfer leads; nil for all other kinds.
    public let toSector: String?

    /// A step. An acuity outside 1...5 counts as none.
    public init(
        _ kind: FlowKind, visit: VisitKey, timestamp: Int64, acuity: Int? = nil, toSector: String? = nil
    ) {
        self.kind = kind
        self.visit = visit
        visitID = nil
        self.timestamp = timestamp
        self.acuity = acuity.flatMap { (1...5).contains($0) ? $0 : nil }
        self.toSector = toSector
    }

    /// A step of the visit of this id, which predictions then name. An acuity outside 1...5 counts as none.
    public init(
        _ kind: FlowKind, visitID: String, timestamp: Int64, acuity: Int? = nil, toSector: String? = nil
    ) {
        self.kind = kind
        visit = VisitKey(visitID)
        self.visitID = visitID
        self.timestamp = timestamp
        self.acuity = acuity.flatMap { (1...5).contains($0) ? $0 : nil }
        self.toSector = toSector
    }
}
