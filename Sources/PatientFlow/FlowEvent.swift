/// One event of one visit, validated: a row of `silver.patient_flow_event`.
public struct FlowEvent: Sendable, Equatable {
    /// The same id is the same event.
    public var eventID: EventID
    /// Where.
    public var facility: FlowName
    /// In which sector of it; of a transfer, the one that is left.
    public var sector: FlowName
    /// To which visit.
    public var visit: FlowName
    /// Whose visit it is, where the event says so.
    public var patient: PatientID?
    /// What happened.
    public var kind: FlowKind
    /// Where a transfer leads; nil for all other kinds.
    public var toSector: FlowName?
    /// 1 (most urgent) to 5; nil where the event does not carry it.
    public var acuity: Int?
    /// Event time, milliseconds since 1970 UTC.
    public var occurredAt: Int64
    /// Kafka partition.
    public var partition: Int32
    /// Kafka offset.
    public var offset: Int64

    /// An event. `toSector` is given for a transfer and nil for every other kind; `acuity` is 1...5.
    public init(
        eventID: EventID, facility: FlowName, sector: FlowName, visit: FlowName, patient: PatientID? = nil,
        kind: FlowKind, toSector: FlowName? = nil, acuity: Int? = nil, occurredAt: Int64, partition: Int32,
        offset: Int64
    ) {
        precondition((kind == .transfer) == (toSector != nil), "a transfer, and nothing else, has a destination")
        precondition(acuity.map { (1...5).contains($0) } ?? true, "acuity is 1 to 5")
        self.eventID = eventID
        self.facility = facility
        self.sector = sector
        self.visit = visit
        self.patient = patient
        self.kind = kind
        self.toSector = toSector
        self.acuity = acuity
        self.occurredAt = occurredAt
        self.partition = partition
        self.offset = offset
    }

    /// The visit that it belongs to.
    public var visitID: VisitID { VisitID(facility: facility, visit: visit) }

    /// Where it stands in the log.
    public var position: LogPosition { LogPosition(partition: partition, offset: offset) }

    /// When it happened, with the id as the judge between events of one instant: the order of a visit's events.
    public var moment: Moment { Moment(time: occurredAt, eventID: eventID) }

    /// The sector that the patient is in after it: a transfer's destination, any other event's own.
    public var sectorAfter: FlowName { toSector ?? sector }

    /// Whether it says something of a sector: its own, or a transfer's destination.
    public func names(_ name: FlowName) -> Bool { sector == name || toSector == name }

    /// (occurred_at, event_id), compared in that order.
    public struct Moment: Hashable, Comparable, Sendable, BitwiseCopyable {
        /// Event time, milliseconds since 1970 UTC.
        public let time: Int64
        /// Which event.
        public let eventID: EventID

        /// Whether it comes before the other.
        public static func < (left: Self, right: Self) -> Bool {
            (left.time, left.eventID) < (right.time, right.eventID)
        }
    }
}
