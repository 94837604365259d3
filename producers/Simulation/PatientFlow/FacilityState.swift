/// What can happen in a facility.
enum FlowMoment {
    case candidate, shiftChange, triage, move, patienceEnds, treatmentEnds, bedReady, wardEnds, cancellation
}

/// Something that will happen, unless its visit has ended by then.
struct AgendaEntry: Comparable {
    let time: Int64
    /// In which order entries were made: decides between equal times.
    let number: Int
    let moment: FlowMoment
    let slot: Int
    /// Number of the visit, 0 for what is about none.
    let visit: Int

    static func < (left: Self, right: Self) -> Bool {
        left.time != right.time ? left.time < right.time : left.number < right.number
    }
}

/// A patient in the house.
struct SimulatedVisit {
    enum State {
        case arrived, queued, inTreatment, mistake
    }

    /// Counts the facility's visits from 1; 0 once the visit has ended.
    var number: Int
    let identifier: RandomIdentifier
    let patient: RandomIdentifier
    /// As far as it is known.
    var acuity: Int
    let acuityAtTriage: Int
    var sector: FlowSector
    let arrival: Int64
    var state = State.arrived
    /// Index in `FlowSector.wards` of an admitted patient.
    var ward = 0
}

/// A place in the queue: the more urgent first, of equals who arrived first.
struct QueuePlace: Comparable {
    let acuity: Int
    let visit: Int
    let slot: Int

    init(_ visit: SimulatedVisit, slot: Int) {
        acuity = visit.acuity
        // Visits are numbered as they arrive.
        self.visit = visit.number
        self.slot = slot
    }

    static func < (left: Self, right: Self) -> Bool {
        left.acuity != right.acuity ? left.acuity < right.acuity : left.visit < right.visit
    }
}

/// Who waits in an emergency sector, and how many places are taken, those of boarding patients included.
struct EmergencySector {
    var staffed: Int
    var taken = 0
    var queue = BinaryHeap<QueuePlace>()

    func hasPlace(forAcuity acuity: Int) -> Bool {
        taken < staffed + (acuity == 1 ? FacilityPlan.resuscitationPlaces : 0)
    }
}

/// A ward's free beds, and who boards for one.
struct SimulatedWard {
    var freeBeds: Int
    /// Slots in the order in which they came.
    var boarders: [Int] = []

    mutating func takeBoarder() -> Int? {
        boarders.isEmpty ? nil : boarders.removeFirst()
    }
}
