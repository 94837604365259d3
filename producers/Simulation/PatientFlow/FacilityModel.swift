/// The course of one facility, moment by moment (a discrete-event simulation).
///
/// Patients arrive as a Poisson process whose rate follows hour, weekday and day. They are graded at the door, and
/// again at triage, where one in twelve gets another grade. Who is triaged waits for a staffed place of the sector: the
/// more urgent first, of equals who arrived first; who runs out of patience leaves. After treatment most go home; the
/// others keep their place until a ward has a bed (boarding), are transferred and leave days later. Some registrations
/// are mistakes: they take no place, and are cancelled.
final class FacilityModel {
    let plan: FacilityPlan
    /// Events of the last step.
    private(set) var events: [FlowEvent] = []

    private let shownFrom: Int64
    private let cancelledMillionths: Int
    private let candidateGap: Double
    private var course: SeededRandom
    private var identities: SeededRandom
    private var agenda = BinaryHeap<AgendaEntry>()
    private var entryCount = 0
    private var visits: [SimulatedVisit] = []
    private var freeSlots: [Int] = []
    private var visitCount = 0
    private var sectors: [EmergencySector]
    private var wards: [SimulatedWard]

    init(_ configuration: FlowConfiguration, facility: Int) {
        let plan = FacilityPlan(configuration, facility: facility)
        self.plan = plan
        shownFrom = configuration.startMilliseconds
        cancelledMillionths = configuration.shares.cancelled
        candidateGap =
            Double(HospitalDay.milliseconds)
            / (plan.arrivalsPerDay * ArrivalProfile.highest * HospitalDay.highestFactor)
        course = SeededRandom(seed: configuration.seed, stream: UInt64(facility) << 2)
        identities = SeededRandom(seed: configuration.seed, stream: UInt64(facility) << 2 | 1)
        let begin = configuration.startMilliseconds - FlowConfiguration.warmUpMilliseconds
        sectors = FlowSector.emergency.map { EmergencySector(staffed: plan.staffedPlaces($0, at: begin)) }
        wards = plan.beds.map { SimulatedWard(freeBeds: $0) }
        schedule(.shiftChange, at: FacilityPlan.shiftStart(at: begin) + FacilityPlan.shiftMilliseconds)
        scheduleCandidate(after: begin)
        while nextTime < shownFrom { step() }
        // What the warm-up ended with is not to be told.
        events.removeAll()
    }

    /// Time of the next step, milliseconds since 1970-01-01Z.
    var nextTime: Int64 { agenda.least?.time ?? .max }

    /// Lets the next moment happen; its events replace the last ones.
    func step() {
        events.removeAll(keepingCapacity: true)
        guard let entry = agenda.takeLeast() else { return }
        let (now, slot) = (entry.time, entry.slot)
        switch entry.moment {
        case .candidate: considerCandidate(at: now)
        case .shiftChange: changeShift(at: now)
        // The visit has ended, and another one may have its slot.
        case _ where visits[slot].number != entry.visit: break
        case .triage: triage(slot, at: now)
        case .move: move(slot, at: now)
        case .patienceEnds: losePatience(slot, at: now)
        case .treatmentEnds: endTreatment(slot, at: now)
        case .bedReady: moveToWard(slot, at: now)
        case .wardEnds: leaveWard(slot, at: now)
        case .cancellation: end(slot, .cancelled, at: now)
        }
    }

    private func schedule(_ moment: FlowMoment, at time: Int64, slot: Int = 0) {
        entryCount += 1
        let visit = slot < visits.count ? visits[slot].number : 0
        agenda.insert(AgendaEntry(time: time, number: entryCount, moment: moment, slot: slot, visit: visit))
    }

    private func tell(_ kind: FlowEventKind, _ slot: Int, at time: Int64, to destination: FlowSector? = nil) {
        let visit = visits[slot]
        guard visit.arrival >= shownFrom else { return }
        events.append(
            FlowEvent(
                facility: plan.index, kind: kind, sector: visit.sector, destination: destination,
                acuity: visit.acuity, time: time, identifier: identities.identifier(), visit: visit.identifier,
                patient: visit.patient))
    }

    private func end(_ slot: Int, _ kind: FlowEventKind, at now: Int64) {
        tell(kind, slot, at: now)
        visits[slot].number = 0
        freeSlots.append(slot)
    }

    /// Milliseconds of so many minutes, at least one.
    private static func milliseconds(minutes: Double) -> Int64 { max(1, Int64(minutes * 60_000)) }
}

// MARK: - Arrival and triage

extension FacilityModel {
    /// The next moment of a process at the highest rate; which of them are arrivals is decided when they come
    /// (thinning: Lewis and Shedler, Naval Research Logistics Quarterly 26, 1979).
    private func scheduleCandidate(after now: Int64) {
        schedule(.candidate, at: now + max(1, Int64(candidateGap * course.exponential())))
    }

    private func considerCandidate(at now: Int64) {
        scheduleCandidate(after: now)
        let relative = ArrivalProfile.factor(at: now) * plan.day(at: now).arrivalFactor
        if course.unit() * ArrivalProfile.highest * HospitalDay.highestFactor < relative { arrive(at: now) }
    }

    private func arrive(at now: Int64) {
        visitCount += 1
        var draw = course.unit()
        var acuity = 1
        while acuity < 5, draw >= FacilityPlan.acuityMix[acuity - 1] {
            draw -= FacilityPlan.acuityMix[acuity - 1]
            acuity += 1
        }
        // The grade at the door is another one now and then.
        var shown = acuity
        if course.oneIn(12) { shown = acuity == 5 || (acuity > 1 && course.oneIn(2)) ? acuity - 1 : acuity + 1 }
        let visit = SimulatedVisit(
            number: visitCount, identifier: identities.identifier(), patient: identities.identifier(), acuity: shown,
            acuityAtTriage: acuity, sector: .treating(acuity: shown), arrival: now)
        let slot = freeSlots.popLast() ?? visits.count
        if slot == visits.count { visits.append(visit) } else { visits[slot] = visit }
        tell(.arrival, slot, at: now)
        let triageDelay = shown == 1 ? course.unit() : 1 + course.skewed(median: 7, spread: 0.6)
        if course.happens(millionths: cancelledMillionths) {
            mistake(slot, triageDelay, at: now)
            return
        }
        schedule(.triage, at: now + Self.milliseconds(minutes: triageDelay), slot: slot)
        let patience = course.skewed(
            median: FacilityPlan.patienceMedian[acuity - 1], spread: FacilityPlan.patienceSpread)
        if patience.isFinite { schedule(.patienceEnds, at: now + Self.milliseconds(minutes: patience), slot: slot) }
    }

    /// A registration that is noticed as a mistake before or after triage.
    private func mistake(_ slot: Int, _ triageDelay: Double, at now: Int64) {
        visits[slot].state = .mistake
        let isTriaged = course.oneIn(2)
        let noticed = (isTriaged ? triageDelay : 0) + course.skewed(median: 15, spread: 0.9)
        if isTriaged { schedule(.triage, at: now + Self.milliseconds(minutes: triageDelay), slot: slot) }
        schedule(.cancellation, at: now + Self.milliseconds(minutes: noticed), slot: slot)
    }

    private func triage(_ slot: Int, at now: Int64) {
        visits[slot].acuity = visits[slot].acuityAtTriage
        tell(.triage, slot, at: now)
        if visits[slot].state == .mistake { return }
        if visits[slot].sector == .treating(acuity: visits[slot].acuity) {
            queue(slot, at: now)
        } else {
            schedule(.move, at: now + Self.milliseconds(minutes: 0.5 + 2 * course.unit()), slot: slot)
        }
    }

    /// To the other emergency sector, where the grade at triage belongs.
    private func move(_ slot: Int, at now: Int64) {
        let destination = FlowSector.treating(acuity: visits[slot].acuity)
        tell(.transfer, slot, at: now, to: destination)
        visits[slot].sector = destination
        queue(slot, at: now)
    }

    private func losePatience(_ slot: Int, at now: Int64) {
        // Its place in the queue is passed over later: its number is no longer that of the slot.
        if visits[slot].state == .arrived || visits[slot].state == .queued {
            end(slot, .leftWithoutBeingSeen, at: now)
        }
    }
}

// MARK: - Treatment

extension FacilityModel {
    private func queue(_ slot: Int, at now: Int64) {
        visits[slot].state = .queued
        let index = visits[slot].sector == .majors ? 0 : 1
        sectors[index].queue.insert(QueuePlace(visits[slot], slot: slot))
        startTreatments(index, at: now)
    }

    private func changeShift(at now: Int64) {
        schedule(.shiftChange, at: now + FacilityPlan.shiftMilliseconds)
        for index in sectors.indices {
            sectors[index].staffed = plan.staffedPlaces(FlowSector.emergency[index], at: now)
            startTreatments(index, at: now)
        }
    }

    /// As long as there is a staffed place, the most urgent of those who wait takes it.
    private func startTreatments(_ index: Int, at now: Int64) {
        while let next = sectors[index].queue.least {
            let isStillThere = visits[next.slot].number == next.visit
            if isStillThere, !sectors[index].hasPlace(forAcuity: next.acuity) { return }
            _ = sectors[index].queue.takeLeast()
            guard isStillThere else { continue }
            sectors[index].taken += 1
            visits[next.slot].state = .inTreatment
            tell(.treatmentStart, next.slot, at: now)
            let minutes = course.skewed(
                median: FacilityPlan.treatmentMedian[visits[next.slot].acuity - 1],
                spread: FacilityPlan.treatmentSpread)
            schedule(.treatmentEnds, at: now + Self.milliseconds(minutes: minutes), slot: next.slot)
        }
    }

    private func endTreatment(_ slot: Int, at now: Int64) {
        guard course.unit() < FacilityPlan.admittedShare[visits[slot].acuity - 1] else {
            let index = visits[slot].sector == .majors ? 0 : 1
            end(slot, .departure, at: now)
            freePlace(index, at: now)
            return
        }
        let ward = course.unit() < FacilityPlan.wardMix[0] ? 0 : 1
        visits[slot].ward = ward
        wards[ward].boarders.append(slot)
        giveBeds(ward, at: now)
    }

    private func freePlace(_ index: Int, at now: Int64) {
        sectors[index].taken -= 1
        startTreatments(index, at: now)
    }
}

// MARK: - Wards

extension FacilityModel {
    /// Gives free beds to those who have boarded longest; a bed and the way to it take their time.
    private func giveBeds(_ ward: Int, at now: Int64) {
        while wards[ward].freeBeds > 0, let slot = wards[ward].takeBoarder() {
            wards[ward].freeBeds -= 1
            let minutes = course.skewed(median: 45, spread: 0.5)
            schedule(.bedReady, at: now + Self.milliseconds(minutes: minutes), slot: slot)
        }
    }

    private func moveToWard(_ slot: Int, at now: Int64) {
        let index = visits[slot].sector == .majors ? 0 : 1
        let destination = FlowSector.wards[visits[slot].ward]
        tell(.transfer, slot, at: now, to: destination)
        visits[slot].sector = destination
        schedule(.wardEnds, at: wardEnd(after: now), slot: slot)
        freePlace(index, at: now)
    }

    /// Wards let patients go between 9 and 18 o'clock; when they are in trouble, between 15 and 21.
    private func wardEnd(after now: Int64) -> Int64 {
        let day = HospitalDay.milliseconds
        let stay = course.skewed(median: FacilityPlan.stayMedian, spread: FacilityPlan.staySpread)
        let target = now + Int64(stay * Double(day))
        let (first, last) = plan.day(at: target).trouble == .fullWards ? (15, 21) : (9, 18)
        var end = target - target % day + Int64((Double(first) + Double(last - first) * course.unit()) * 3_600_000)
        // Nobody leaves within four hours.
        while end < now + 4 * 3_600_000 { end += day }
        return end
    }

    private func leaveWard(_ slot: Int, at now: Int64) {
        let ward = visits[slot].ward
        end(slot, .departure, at: now)
        wards[ward].freeBeds += 1
        giveBeds(ward, at: now)
    }
}
