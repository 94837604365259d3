import Simulation
import Testing

/// What the events of four busy weeks say of the model, read by rules of their own.
@Suite struct FacilityModelTests {
    private static let configuration = try? FlowConfiguration.forTest(
        seed: 41, facilities: 3, days: 28, utilization: 0.95, badDays: 200_000)

    private func events() throws -> [FlowEvent] { happened(try #require(Self.configuration)) }

    @Test func `the events of a visit are possible, one after the other`() throws {
        var shares = FlowShares()
        shares.cancelled = 50_000
        let all = happened(try .forTest(seed: 40, facilities: 3, days: 28, shares: shares))
        var visits: [RandomIdentifier: [FlowEvent]] = [:]
        for event in all { visits[event.visit, default: []].append(event) }
        #expect(visits.count > 8_000)
        for course in visits.values {
            #expect(zip(course, course.dropFirst()).allSatisfy { $0.time <= $1.time })
            #expect(course[0].kind == .arrival)
            #expect(course.allSatisfy { $0.patient == course[0].patient && $0.facility == course[0].facility })
            // Where it is follows from its transfers.
            var sector = course[0].sector
            for event in course {
                #expect(event.sector == sector)
                sector = event.destination ?? sector
            }
            let kinds = course.map(\.kind).filter { $0 != .transfer }
            let whole: [[FlowEventKind]] = [
                [.arrival, .triage, .treatmentStart, .departure], [.arrival, .triage, .leftWithoutBeingSeen],
                [.arrival, .leftWithoutBeingSeen], [.arrival, .triage, .cancelled], [.arrival, .cancelled],
            ]
            #expect(whole.contains { $0.starts(with: kinds) }, "\(kinds)")
        }
    }

    @Test func `the more urgent are treated first, and never more at once than places are staffed`() throws {
        let configuration = try #require(Self.configuration)
        for facility in 0..<3 {
            let plan = FacilityPlan(configuration, facility: facility)
            var house = ObservedHouse()
            for event in try events() where event.facility == facility {
                if event.kind == .treatmentStart {
                    let place = try #require(house.queues[event.sector]?[event.visit])
                    let first = house.queues[event.sector]?.values.min()
                    #expect(first == place)
                    let staffed = plan.staffedPlaces(event.sector, at: event.time)
                    let more = event.acuity == 1 ? FacilityPlan.resuscitationPlaces : 0
                    #expect(house.taken(event.sector) < staffed + more)
                }
                house.apply(event)
            }
            #expect(house.starts > 2_000 && house.longestQueue > 5)
        }
    }

    @Test func `nobody waits while a staffed place is free`() throws {
        let configuration = try #require(Self.configuration)
        let plan = FacilityPlan(configuration, facility: 0)
        let all = try events().filter { $0.facility == 0 }
        var house = ObservedHouse()
        var judged = 0
        for (index, event) in all.enumerated() {
            house.apply(event)
            // Who was there before the start is not seen: judge when they are gone.
            let isLastOfInstant = index + 1 == all.count || all[index + 1].time > event.time
            guard isLastOfInstant, event.time > flowStart + 5 * flowDay else { continue }
            for sector in FlowSector.emergency where house.queues[sector]?.isEmpty == false {
                #expect(house.taken(sector) >= plan.staffedPlaces(sector, at: event.time))
                judged += 1
            }
        }
        #expect(judged > 1_000)
    }

    @Test func `wards hold no more patients than beds, and let them go by day`() throws {
        let configuration = try #require(Self.configuration)
        let plan = FacilityPlan(configuration, facility: 1)
        var inside: [FlowSector: Int] = [:]
        var departures = 0
        for event in try events() where event.facility == 1 {
            if let destination = event.destination, !FlowSector.emergency.contains(destination) {
                inside[destination, default: 0] += 1
                let beds = destination == .medicine ? plan.beds[0] : plan.beds[1]
                #expect(inside[destination, default: 0] <= beds)
            }
            if event.kind == .departure, !FlowSector.emergency.contains(event.sector) {
                inside[event.sector, default: 0] -= 1
                departures += 1
                #expect((9..<21).contains(event.time % flowDay / 3_600_000))
            }
        }
        #expect(departures > 300)
    }

    @Test func `a busier department keeps its patients waiting, and some of them leave`() throws {
        let calm = Waits(happened(try .forTest(seed: 42, days: 56, utilization: 0.6, badDays: 0)))
        let busy = Waits(happened(try .forTest(seed: 42, days: 56, utilization: 1, badDays: 0)))
        #expect(busy.meanMinutes(acuity: 3) > 2 * calm.meanMinutes(acuity: 3))
        #expect(busy.meanMinutes(acuity: 2) < busy.meanMinutes(acuity: 3))
        #expect(busy.left > 2 * calm.left)
        #expect(busy.leftMostUrgent == 0)
    }

    @Test func `staff changes with the shift, and is short on bad days`() throws {
        let bad = try FlowConfiguration.forTest(seed: 43, arrivals: 400, badDays: 1_000_000)
        let good = try FlowConfiguration.forTest(seed: 43, arrivals: 400, badDays: 0)
        let (badPlan, goodPlan) = (FacilityPlan(bad, facility: 0), FacilityPlan(good, facility: 0))
        func places(_ plan: FacilityPlan, day: Int64, hour: Int64) -> Int {
            plan.staffedPlaces(.majors, at: flowStart + day * flowDay + hour * 3_600_000)
        }
        #expect(places(goodPlan, day: 0, hour: 16) > places(goodPlan, day: 0, hour: 3))
        #expect(places(goodPlan, day: 0, hour: 23) == places(goodPlan, day: 1, hour: 6))
        let short = (1..<60).filter { badPlan.day(at: flowStart + $0 * flowDay).trouble == .shortStaff }
        #expect(!short.isEmpty)
        for day in short {
            #expect(places(badPlan, day: day, hour: 12) == places(goodPlan, day: day, hour: 12) * 3 / 4)
        }
    }
}

/// Who waits and who is treated, as far as the events tell.
private struct ObservedHouse {
    struct Place: Comparable {
        let acuity: Int
        let arrival: Int64

        static func < (left: Self, right: Self) -> Bool {
            left.acuity != right.acuity ? left.acuity < right.acuity : left.arrival < right.arrival
        }
    }

    private(set) var queues: [FlowSector: [RandomIdentifier: Place]] = [:]
    private(set) var starts = 0
    private(set) var longestQueue = 0
    private var arrivals: [RandomIdentifier: Int64] = [:]
    private var treated: [FlowSector: Set<RandomIdentifier>] = [:]

    func taken(_ sector: FlowSector) -> Int { treated[sector]?.count ?? 0 }

    mutating func apply(_ event: FlowEvent) {
        switch event.kind {
        case .arrival: arrivals[event.visit] = event.time
        case .triage:
            if FlowSector.treating(acuity: event.acuity) == event.sector { queue(event, in: event.sector) }
        case .transfer:
            guard let destination = event.destination else { return }
            if FlowSector.emergency.contains(destination) {
                queue(event, in: destination)
            } else {
                treated[event.sector]?.remove(event.visit)
            }
        case .treatmentStart:
            queues[event.sector]?[event.visit] = nil
            treated[event.sector, default: []].insert(event.visit)
            starts += 1
        case .departure, .leftWithoutBeingSeen, .cancelled:
            queues[event.sector]?[event.visit] = nil
            treated[event.sector]?.remove(event.visit)
        }
    }

    private mutating func queue(_ event: FlowEvent, in sector: FlowSector) {
        queues[sector, default: [:]][event.visit] = Place(
            acuity: event.acuity, arrival: arrivals[event.visit] ?? .max)
        longestQueue = max(longestQueue, queues[sector]?.count ?? 0)
    }
}

/// Waits from arrival to treatment, by acuity at its start.
private struct Waits {
    private var minutes: [Int: [Double]] = [:]
    private(set) var left = 0
    private(set) var leftMostUrgent = 0

    init(_ events: [FlowEvent]) {
        var arrivals: [RandomIdentifier: Int64] = [:]
        for event in events {
            switch event.kind {
            case .arrival: arrivals[event.visit] = event.time
            case .treatmentStart:
                guard let arrival = arrivals[event.visit] else { continue }
                minutes[event.acuity, default: []].append(Double(event.time - arrival) / 60_000)
            case .leftWithoutBeingSeen:
                left += 1
                if event.acuity == 1 { leftMostUrgent += 1 }
            case .triage, .transfer, .departure, .cancelled: break
            }
        }
    }

    func meanMinutes(acuity: Int) -> Double {
        let values = minutes[acuity] ?? []
        return values.reduce(0, +) / Double(max(1, values.count))
    }
}
