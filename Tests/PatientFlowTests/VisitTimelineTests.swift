import PatientFlow
import Testing

/// When a patient was where; each test has the picture of its visit.
@Suite struct VisitTimelineTests {
    private func stays(_ timeline: VisitTimeline?) -> [String] {
        timeline?.stays.map { "\($0.sector) \(clock($0.from))-\(clock($0.to))" } ?? ["none"]
    }

    private func counted(_ timeline: VisitTimeline?) -> Set<String> {
        Set(timeline?.instants.map { "\($0.kind) \($0.sector) \(clock($0.time))" } ?? ["none"])
    }

    private func clock(_ instant: Int64) -> String {
        let minute = (instant - at("00:00")) / 60_000
        return "\(minute / 60):\(minute % 60 < 10 ? "0" : "")\(minute % 60)"
    }

    // 10:00 arrival   11:00 treatment     12:00 transfer    13:00 departure
    //   |----- waiting -----|------------- treatment -----------|
    //   |--------------- ed ---------------|------- ward -------|
    @Test func `a whole visit with a transfer`() {
        let events =
            wholeVisit("v", "10:00", "11:00", "13:00") + [event(.transfer, "12:00", 4, to: "ward")]
        var timeline = VisitTimeline(of: events)
        // The departure names "ed"; it happens where the last stay is.
        #expect(stays(timeline) == ["ed 10:00-12:00", "ward 12:00-13:00"])
        #expect(
            counted(timeline) == [
                "arrival ed 10:00", "treatmentStart(waitedMilliseconds: 3600000) ed 11:00", "transferOut ed 12:00",
                "transferIn ward 12:00", "departure(stayedMilliseconds: 10800000) ward 13:00",
            ])
        #expect(timeline?.waitEnd == at("11:00") && timeline?.end == at("13:00") && timeline?.reach == at("13:00"))
        // Any event may say where the patient is.
        timeline = VisitTimeline(of: events + [event(.triage, "11:30", 9, in: "gate")])
        #expect(stays(timeline) == ["ed 10:00-11:30", "gate 11:30-12:00", "ward 12:00-13:00"])
    }

    // 9:30 triage in "gate"  10:00 arrival in "ed"          13:00 still there
    //                          |-------- waiting -------- ... 60 days
    @Test func `who is waiting waits on, for 60 days after the last event`() {
        let timeline = VisitTimeline(of: [
            event(.triage, "09:30", 1, in: "gate"), event(.arrival, "10:00", 2), event(.triage, "13:00", 3),
        ])
        #expect(timeline?.end == at("13:00") + days(60) && timeline?.waitEnd == timeline?.end)
        #expect(timeline?.stays == [.init(sector: "ed", from: at("10:00"), to: at("13:00") + days(60))])
        #expect(counted(timeline) == ["arrival ed 10:00"])
        #expect(timeline?.treatmentStay == nil)
    }

    // 10:00 arrival                     12:00 left
    //   |------------- waiting -----------|
    @Test func `who leaves unseen waits until then`() {
        let timeline = VisitTimeline(of: [event(.arrival, "10:00", 1), event(.leftWithoutBeingSeen, "12:00", 2)])
        #expect(timeline?.waitEnd == at("12:00"))
        #expect(
            counted(timeline) == ["arrival ed 10:00", "leftWithoutBeingSeen(stayedMilliseconds: 7200000) ed 12:00"])
    }

    // 8:00 departure   9:00 treatment   10:00 arrival
    //                                     | (nothing)
    @Test func `who goes before coming is there for no time, and still counted`() {
        let timeline = VisitTimeline(of: wholeVisit("v", "10:00", "09:00", "08:00"))
        #expect(stays(timeline) == [])
        #expect(
            counted(timeline) == [
                "arrival ed 10:00", "treatmentStart(waitedMilliseconds: 0) ed 10:00",
                "departure(stayedMilliseconds: 0) ed 10:00",
            ])
    }

    // 10:00 arrival    11:00 departure    12:00 treatment
    //   |---- waiting ----|                  counted here, where the patient was last
    @Test func `treatment that begins after the end ends no wait in between`() {
        let timeline = VisitTimeline(of: [
            event(.arrival, "10:00", 1), event(.transfer, "10:30", 2, to: "ward"), event(.departure, "11:00", 3),
            event(.treatmentStart, "12:00", 4, in: "clinic"),
        ])
        #expect(timeline?.waitEnd == at("11:00") && timeline?.reach == at("12:00") && timeline?.treatmentStay == nil)
        #expect(stays(timeline) == ["ed 10:00-10:30", "ward 10:30-11:00"])
        #expect(counted(timeline).contains("treatmentStart(waitedMilliseconds: 7200000) ward 12:00"))
    }

    @Test func `of the events of one instant the greatest id says where the patient is`() {
        let events = [
            event(.arrival, "10:00", 3), event(.transfer, "10:00", 2, to: "ward"),
            event(.transfer, "11:00", 4, to: "ward"), event(.triage, "11:00", 5),
            event(.triage, "12:00", 6, in: "lab"), event(.transfer, "12:00", 7, in: "lab", to: "ward"),
            event(.departure, "12:00", 1, in: "exit"), event(.departure, "13:00", 8, in: "exit"),
        ]
        // The end is 12:00, so nothing of that instant makes a stay.
        #expect(stays(VisitTimeline(of: events)) == ["ed 10:00-12:00"])
        let open = events.filter { $0.kind != .departure }
        #expect(stays(VisitTimeline(of: open)).first == "ed 10:00-12:00")
        #expect(VisitTimeline(of: open)?.stays.map(\.sector) == ["ed", "ward"])
        let swapped = [event(.arrival, "10:00", 1), event(.transfer, "10:00", 2, to: "ward")]
        #expect(VisitTimeline(of: swapped)?.stays.map(\.sector) == ["ward"])
    }

    @Test func `a move to where one is, is none`() {
        let timeline = VisitTimeline(of: [
            event(.arrival, "10:00", 1), event(.transfer, "10:30", 2, to: "ed"), event(.departure, "11:00", 3),
        ])
        #expect(stays(timeline) == ["ed 10:00-11:00"])
        #expect(counted(timeline).count == 2)
    }

    @Test func `a cancelled visit, and one without an arrival, have no timeline`() {
        #expect(VisitTimeline(of: wholeVisit("v", "10:00", "11:00", "12:00") + [event(.cancelled, "10:30", 9)]) == nil)
        #expect(VisitTimeline(of: [event(.triage, "10:00", 1), event(.departure, "11:00", 2)]) == nil)
        #expect(VisitTimeline(of: []) == nil)
    }
}
