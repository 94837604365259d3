import PatientFlow
import TestSupport
import Testing

/// A visit's row is a function of the set of its events.
@Suite struct VisitFoldTests {
    @Test func `a whole visit`() throws {
        let someone = PatientID(high: 1, low: 2)
        let events = [
            event(.arrival, "10:00", 1, acuity: 4), event(.triage, "10:10", 2, acuity: 2, patient: someone),
            event(.treatmentStart, "11:30", 3), event(.transfer, "13:00", 4, to: "ward"),
            event(.departure, "15:00", 5, in: "ward"),
        ]
        let expected = Visit(
            id: VisitID(facility: "north", visit: "v"), sector: "ward", patient: someone, acuity: 2,
            arrivalAt: at("10:00"), triageAt: at("10:10"), treatmentStartAt: at("11:30"), departureAt: at("15:00"),
            disposition: .departed, revision: 5, impossible: [], lastEventAt: at("15:00"), presentUntil: at("15:00"))
        #expect(VisitFold.visit(of: events) == expected)
        #expect(expected.waitMinutes == 90)
        #expect(VisitFold.visit(of: []) == nil)
    }

    @Test func `the order in which events are known does not matter`() {
        var numbers = SeededNumbers(seed: 7)
        var events = wholeVisit("v", "10:00", "11:00", "12:00")
        events += [
            event(.arrival, "09:50", 9, in: "gate", acuity: 5), event(.treatmentStart, "11:00", 8, acuity: 1),
            event(.leftWithoutBeingSeen, "10:30", 7), event(.transfer, "12:00", 2, to: "ward"),
        ]
        let folded = VisitFold.visit(of: events)
        for _ in 0..<50 { #expect(VisitFold.visit(of: events.shuffled(using: &numbers)) == folded) }
    }

    @Test func `per kind the earliest counts, of several`() {
        let events = [
            event(.arrival, "10:05", 1), event(.arrival, "10:00", 2), event(.triage, "10:20", 3),
            event(.triage, "10:15", 4), event(.treatmentStart, "11:00", 5), event(.treatmentStart, "11:30", 6),
            event(.departure, "13:00", 7), event(.departure, "12:00", 8),
        ]
        let visit = VisitFold.visit(of: events)
        #expect(visit?.arrivalAt == at("10:00") && visit?.triageAt == at("10:15"))
        #expect(visit?.treatmentStartAt == at("11:00") && visit?.departureAt == at("12:00"))
        #expect(visit?.revision == 8 && visit?.lastEventAt == at("13:00"))
    }

    @Test func `acuity, patient and sector are of the greatest instant and id that carries them`() {
        let (one, two) = (PatientID(high: 0, low: 1), PatientID(high: 0, low: 2))
        let events = [
            event(.triage, "10:00", 9, in: "b", acuity: 3, patient: one),
            event(.arrival, "10:00", 1, in: "a", acuity: 1, patient: two), event(.triage, "10:30", 4, in: "c"),
        ]
        let visit = VisitFold.visit(of: events)
        #expect(visit?.acuity == 3 && visit?.patient == one && visit?.sector == "c")
        let cancelled = VisitFold.visit(of: events + [event(.cancelled, "11:00", 5, in: "office", acuity: 5)])
        // A cancellation moves nobody, but what it carries counts.
        #expect(cancelled?.acuity == 5 && cancelled?.sector == "c")
        let twice = [event(.cancelled, "11:00", 5, in: "x"), event(.cancelled, "11:00", 6, in: "y")]
        let alone = VisitFold.visit(of: twice)
        #expect(alone?.sector == "y" && alone?.disposition == .cancelled && alone?.impossible == [])
    }

    /// Events beside an arrival at 10:00; disposition, departure, end of presence.
    static let dispositions: [([FlowEvent], Visit.Disposition, String?, Int64?)] = [
        ([], .inProgress, nil, at("10:00") + days(60)),
        ([event(.departure, "12:00", 2)], .departed, "12:00", at("12:00")),
        ([event(.leftWithoutBeingSeen, "11:00", 2)], .leftWithoutBeingSeen, "11:00", at("11:00")),
        // Who was treated was seen.
        (
            [event(.leftWithoutBeingSeen, "11:00", 2), event(.treatmentStart, "11:30", 3)], .inProgress, nil,
            at("11:30") + days(60)
        ),
        (
            [event(.leftWithoutBeingSeen, "11:00", 2)] + wholeVisit("v", "10:30", "11:30", "12:00", firstID: 3),
            .departed, "12:00", at("12:00")
        ),
        // Both are known: the earlier is the end.
        (
            [event(.leftWithoutBeingSeen, "11:00", 2), event(.departure, "10:30", 3)], .leftWithoutBeingSeen,
            "10:30", at("10:30")
        ),
        ([event(.departure, "12:00", 2), event(.cancelled, "09:00", 3)], .cancelled, "12:00", nil),
        // Before the arrival: stored as it is, present for no time.
        ([event(.departure, "09:00", 2)], .departed, "09:00", at("10:00")),
        ([event(.triage, "14:00", 2)], .inProgress, nil, at("14:00") + days(60)),
    ]

    @Test(arguments: dispositions)
    func `how a visit stands`(
        events: [FlowEvent], disposition: Visit.Disposition, departure: String?, presentUntil: Int64?
    ) {
        let visit = VisitFold.visit(of: [event(.arrival, "10:00", 1)] + events)
        #expect(visit?.disposition == disposition)
        #expect(visit?.departureAt == departure.map { at($0) })
        #expect(visit?.presentUntil == presentUntil)
    }

    @Test func `presence ends after 366 days, whatever is said later`() {
        let visit = VisitFold.visit(of: [event(.arrival, "10:00", 1), event(.departure, "9610:00", 2)])
        #expect(visit?.departureAt == at("9610:00"))
        #expect(visit?.presentUntil == at("10:00") + days(366))
    }

    /// Events and the bits; an instant shared is not before.
    static let impossible: [([FlowEvent], Int16)] = [
        (wholeVisit("v", "10:00", "10:00", "10:00"), 0),
        ([event(.arrival, "10:00", 1), event(.departure, "09:59:59", 2)], 1),
        ([event(.arrival, "10:00", 1), event(.leftWithoutBeingSeen, "09:00", 2)], 1),
        ([event(.arrival, "10:00", 1), event(.treatmentStart, "09:00", 2)], 2),
        ([event(.arrival, "10:00", 1), event(.triage, "09:00", 2)], 4),
        (wholeVisit("v", "10:00", "12:00", "11:00"), 8),
        (wholeVisit("v", "10:00", "09:30", "09:00") + [event(.triage, "09:00", 4)], 1 + 2 + 4 + 8),
        ([event(.triage, "09:00", 1)], 16), ([event(.triage, "09:00", 1), event(.cancelled, "09:00", 2)], 16),
        ([event(.treatmentStart, "09:00", 1), event(.departure, "08:00", 2)], 8 + 16),
        ([event(.cancelled, "09:00", 1)], 0),
    ]

    @Test(arguments: impossible)
    func `what cannot have been so is flagged`(events: [FlowEvent], bits: Int16) {
        #expect(VisitFold.visit(of: events)?.impossible.rawValue == bits)
    }

    @Test func `a wait is never below zero, and needs both ends`() {
        #expect(VisitFold.visit(of: wholeVisit("v", "10:00", "09:00", "12:00"))?.waitMinutes == 0)
        #expect(VisitFold.visit(of: [event(.arrival, "10:00", 1)])?.waitMinutes == nil)
        #expect(VisitFold.visit(of: [event(.treatmentStart, "10:00", 1)])?.waitMinutes == nil)
        #expect(VisitFold.visit(of: wholeVisit("v", "10:00", "10:00:45", "12:00"))?.waitMinutes == 0.75)
    }
}
