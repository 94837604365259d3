import PatientFlow
import TestSupport
import Testing

/// A batch changes what its events change one at a time, wherever the log is cut.
@Suite struct FacilityFoldTests {
    static let lengths = [5, 60]

    private func naive(_ events: [FlowEvent]) -> NaiveFlow {
        var naive = NaiveFlow(lengths: Self.lengths)
        for event in events { naive.take(event) }
        return naive
    }

    private func store(_ batches: [[FlowEvent]]) -> FlowStore {
        var store = FlowStore(lengths: Self.lengths)
        for batch in batches { store.take(batch) }
        return store
    }

    private func expectAgreement(_ store: FlowStore, _ naive: NaiveFlow, _ comment: Comment) throws {
        try #require(store.events == naive.stored, comment)
        try #require(store.outcomes == naive.outcomes, comment)
        for facility in FlowStream.facilities {
            let rows = naive.rows(facility)
            for (key, row) in rows {
                let place = NaiveFlow.Place(facility: facility, key: key)
                try #require(store.windows[place] == row, comment)
                try #require(store.revisions[place] == naive.revisions[place, default: 0], comment)
            }
            // What is left of rows that have no reason any more: nothing but their revision.
            for (place, row) in store.windows where place.facility == facility && rows[place.key] == nil {
                try #require(row == OccupancyWindow(key: place.key), comment)
                try #require(store.revisions[place] == naive.revisions[place, default: 0], comment)
            }
            for (name, events) in naive.visits(facility) {
                let visit = VisitID(facility: facility, visit: name)
                try #require(store.visits[visit] == VisitFold.visit(of: events), comment)
            }
        }
        for (place, revision) in naive.revisions { try #require(store.revisions[place] == revision, comment) }
        try #require(store.visits.count == FlowStream.facilities.reduce(0) { $0 + naive.visits($1).count }, comment)
    }

    @Test(arguments: 1...24 as ClosedRange<UInt64>)
    func `wherever the log is cut, rows and revisions are those of one event at a time`(seed: UInt64) throws {
        var stream = FlowStream(seed: seed)
        let naive = naive(stream.events)
        try expectAgreement(store([stream.events]), naive, "seed \(seed), one batch")
        try expectAgreement(store(stream.events.map { [$0] }), naive, "seed \(seed), one by one")
        for cut in 0..<3 { try expectAgreement(store(stream.batches()), naive, "seed \(seed), cut \(cut)") }
        // A stream that is never late, or in which nobody is alone in a sector, would prove little.
        #expect(naive.revisions.count > 10)
        #expect(naive.outcomes.contains(.duplicate))
    }

    @Test(arguments: 101...116 as ClosedRange<UInt64>)
    func `an id that comes again from a lower place takes the stored event's place`(seed: UInt64) throws {
        var stream = FlowStream(seed: seed, replacements: true)
        let naive = naive(stream.events)
        #expect(naive.outcomes.contains(.replaced))
        try expectAgreement(store([stream.events]), naive, "seed \(seed), one batch")
        try expectAgreement(store(stream.events.map { [$0] }), naive, "seed \(seed), one by one")
        for cut in 0..<3 { try expectAgreement(store(stream.batches()), naive, "seed \(seed), cut \(cut)") }
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `reading the log again changes nothing`(seed: UInt64) throws {
        let stream = FlowStream(seed: seed)
        let once = store([stream.events])
        let twice = store([stream.events, stream.events])
        #expect(twice.windows == once.windows && twice.revisions == once.revisions && twice.visits == once.visits)
        #expect(twice.inserted == once.inserted)
    }

    /// The rows of a small story, as "sector start length: census end, revision".
    private func story(_ batches: [[FlowEvent]]) -> Set<String> {
        let store = store(batches)
        let rows = store.windows.map { place, window in
            let minute = (place.key.start - at("00:00")) / 60_000
            let key = "\(place.key.sector) \(minute / 60):\(minute % 60) \(place.key.minutes)"
            return "\(key): \(window.censusEnd), \(store.revisions[place] ?? -1)"
        }
        return Set(rows)
    }

    // 10:02 arrival in ed     10:07 triage      10:21 arrival of another
    //   |-------------------------------------------------------- still there
    @Test func `event time opens windows for whoever is there`() {
        let rows = story([
            [event(.arrival, "10:02", 1)], [event(.triage, "10:07", 2)],
            [event(.arrival, "10:21", 3, in: "gate", visit: "w")],
        ])
        #expect(
            rows == [
                "ed 10:0 5: 1, 0", "ed 10:0 60: 1, 0", "ed 10:5 5: 1, 0", "ed 10:10 5: 1, 0", "ed 10:15 5: 1, 0",
                "ed 10:20 5: 1, 0", "gate 10:20 5: 1, 0", "gate 10:0 60: 1, 0",
            ])
    }

    // 10:02 arrival               10:17 the log hears that the patient had gone at 10:06
    //   |------------ ... then:     |
    //   |--| 10:06
    @Test func `a late departure reopens what it changes, and leaves zeros where nobody is left`() {
        let events = [
            event(.arrival, "10:02", 1), event(.arrival, "10:17", 2, in: "gate", visit: "w"),
            event(.departure, "10:06", 3),
        ]
        let expected: Set<String> = [
            "ed 10:0 5: 1, 0", "ed 10:0 60: 0, 0", "ed 10:5 5: 0, 1", "ed 10:10 5: 0, 1", "gate 10:15 5: 1, 0",
            "gate 10:0 60: 1, 0",
        ]
        // In one batch nobody was ever written to be in the open window 10:15: no row is as good as one of zeros.
        #expect(story([events]) == expected)
        #expect(story(events.map { [$0] }) == expected.union(["ed 10:15 5: 0, 0"]))
    }

    @Test func `a late word about a sector where nobody was makes a row of zeros with revision one`() {
        let events = [
            event(.arrival, "10:02", 1, in: "gate"), event(.arrival, "10:31", 2, in: "gate", visit: "w"),
            event(.triage, "10:21", 3, in: "ed", visit: "nobody"),
        ]
        let store = store([events])
        let place = NaiveFlow.Place(facility: "north", key: WindowKey(sector: "ed", minutes: 5, start: at("10:20")))
        #expect(store.windows[place] == OccupancyWindow(key: place.key))
        #expect(store.revisions[place] == 1)
    }

    @Test func `only the visits around the windows that change are asked for`() {
        let morning = (0..<50).flatMap { number in
            wholeVisit(FlowName("v\(number)"), "08:00", "08:20", "08:50", firstID: 10 * number + 1)
        }
        var store = FlowStore(lengths: Self.lengths)
        store.take(morning)
        #expect(store.eventsRead == 0)
        store.take([event(.arrival, "14:00", 900, visit: "noon")])
        #expect(store.eventsRead == 0)
        // Late, but it says nothing that a window shows.
        store.take([event(.triage, "08:30", 901, visit: "v7")])
        #expect(store.eventsRead == 0)
        store.take([event(.departure, "08:40", 902, visit: "v7")])
        #expect(store.eventsRead == 49 * 3)
    }

    // day 0 10:00 arrival of a ghost ... given up on day 60 at 10:00; a late word at 10:30 of day 0: at 10:30
    // day 60       9:00 |----------- somebody else ------------| 11:00
    @Test func `who is given up at a window's start counts just before it, also when a late word moves that`() {
        let others = wholeVisit("w", "1449:00", "1449:30", "1451:00", firstID: 10)
        var store = store([[event(.arrival, "10:00", 1, visit: "ghost")], others])
        func censusStart(_ clock: String) -> Int? {
            store.windows[.init(facility: "north", key: WindowKey(sector: "ed", minutes: 5, start: at(clock)))]?
                .censusStart
        }
        func revision(_ clock: String) -> Int? {
            store.revisions[.init(facility: "north", key: WindowKey(sector: "ed", minutes: 5, start: at(clock)))]
        }
        #expect(censusStart("1450:00") == 2 && censusStart("1450:30") == 1)
        store.take([event(.triage, "10:30", 2, visit: "ghost")])
        #expect(censusStart("1450:30") == 2 && revision("1450:30") == 0)
        #expect(censusStart("1450:00") == 2 && revision("1450:00") == 1)
        store.take([event(.triage, "10:45", 3, visit: "ghost")])
        #expect(censusStart("1450:30") == 2 && revision("1450:30") == 1)
        #expect(censusStart("1450:45") == 2 && revision("1450:45") == 0)
    }

    // 1970-01-21 "arrival" (seconds for milliseconds)     ...      2026-01-01 triage
    @Test func `a timestamp in seconds makes a year of windows, not half a century of them`() {
        var arrival = event(.arrival, "10:00", 1)
        arrival.occurredAt /= 1000
        let events = [arrival, event(.triage, "10:00", 2)]
        for batches in [[events], events.reversed().map { [$0] }] {
            let rows = store(batches).windows.count
            #expect(rows > 366 * 300 && rows < 367 * 313)
        }
    }

    @Test func `scattered late events are few questions`() {
        let changes = (0..<500).map { number in
            let visit = wholeVisit(
                FlowName("v\(number)"), "\(number * 6):01", "\(number * 6):02", "\(number * 6):07",
                firstID: 3 * number)
            return FlowBatch(visit.reversed(), known: []).changes["north"] ?? []
        }
        let fold = FacilityFold(
            facility: "north", lengths: Self.lengths,
            frontier: .init(greatest: at("4000:00"), greatestOfOthers: nil), events: [],
            changes: Array(changes.joined()))
        #expect(fold.ranges.count <= FacilityFold.rangeLimit && !fold.ranges.isEmpty)
        let keys = fold.windows(others: []).map(\.window.key)
        #expect(keys.allSatisfy { key in fold.ranges.contains { $0.contains(key.start) && $0.contains(key.end - 1) } })
        #expect(zip(fold.ranges, fold.ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
    }
}
