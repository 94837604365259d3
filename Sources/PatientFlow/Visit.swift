/// One visit: a row of `silver.patient_visit`, a pure function of the set of its events.
public struct Visit: Sendable, Equatable {
    /// How a visit stands.
    public enum Disposition: String, Sendable, CaseIterable {
        /// Nobody has said that it is over.
        case inProgress = "in_progress"
        /// The patient has gone, or was moved to a ward.
        case departed
        /// Gone before treatment.
        case leftWithoutBeingSeen = "left_without_being_seen"
        /// It never happened.
        case cancelled
    }

    /// What cannot have been so; stored, flagged and counted, never dropped.
    public struct Impossible: OptionSet, Sendable {
        /// The bits of the column `impossible`.
        public let rawValue: Int16

        /// A set of bits.
        public init(rawValue: Int16) {
            self.rawValue = rawValue
        }

        /// Departure before arrival.
        public static let departureBeforeArrival = Self(rawValue: 1)
        /// Treatment began before arrival.
        public static let treatmentBeforeArrival = Self(rawValue: 2)
        /// Triage before arrival.
        public static let triageBeforeArrival = Self(rawValue: 4)
        /// Departure before treatment began.
        public static let departureBeforeTreatment = Self(rawValue: 8)
        /// No arrival, though other events than `cancelled` exist.
        public static let noArrival = Self(rawValue: 16)
    }

    /// Which visit.
    public var id: VisitID
    /// Where the patient is, or was last.
    public var sector: FlowName
    /// Whose visit it is; of the latest event that says so.
    public var patient: PatientID?
    /// 1 (most urgent) to 5; of the latest event that says so.
    public var acuity: Int?
    /// The earliest arrival, milliseconds since 1970 UTC, as all instants here.
    public var arrivalAt: Int64?
    /// The earliest triage.
    public var triageAt: Int64?
    /// The earliest start of treatment.
    public var treatmentStartAt: Int64?
    /// The earlier of departure and of leaving without being seen, which counts only without a treatment start.
    public var departureAt: Int64?
    /// How it stands.
    public var disposition: Disposition
    /// The number of its stored events.
    public var revision: Int
    /// What cannot have been so.
    public var impossible: Impossible
    /// The time of its latest event of any kind.
    public var lastEventAt: Int64
    /// When the patient no longer counts in windows; nil when the visit counts in none.
    public var presentUntil: Int64?

    /// A visit; `VisitFold` makes it from events.
    public init(
        id: VisitID, sector: FlowName, patient: PatientID?, acuity: Int?, arrivalAt: Int64?, triageAt: Int64?,
        treatmentStartAt: Int64?, departureAt: Int64?, disposition: Disposition, revision: Int,
        impossible: Impossible, lastEventAt: Int64, presentUntil: Int64?
    ) {
        self.id = id
        self.sector = sector
        self.patient = patient
        self.acuity = acuity
        self.arrivalAt = arrivalAt
        self.triageAt = triageAt
        self.treatmentStartAt = treatmentStartAt
        self.departureAt = departureAt
        self.disposition = disposition
        self.revision = revision
        self.impossible = impossible
        self.lastEventAt = lastEventAt
        self.presentUntil = presentUntil
    }

    /// From arrival to the start of treatment in minutes, never below 0; nil unless both are known.
    public var waitMinutes: Double? {
        guard let arrivalAt, let treatmentStartAt else { return nil }
        return Double(max(0, treatmentStartAt - arrivalAt)) / 60_000.0
    }
}
