import Testing
import WaitTime

struct FlowPredictorTests {
    private static let minute: Int64 = 60_000
    /// Stands at the end of a window.
    private static let start: Int64 = 1_700_000_400_000

    private static func step(
        _ kind: FlowKind, _ visit: String, _ minutes: Int64, acuity: Int? = nil, toSector: String? = nil
    ) -> FlowStep {
        FlowStep(kind, visitID: visit, timestamp: start + minutes * minute, acuity: acuity, toSector: toSector)
    }

    /// Feeds steps of one sector.
    private static func told(
        _ predictor: inout FlowPredictor, _ steps: FlowStep..., sector: String = "a"
    ) -> FlowPredictions {
        var told = FlowPredictions()
        for step in steps { predictor.observe(step, sector: sector, into: &told) }
        return told
    }

    private static func changes(_ predictor: inout FlowPredictor) -> [String] {
        predictor.takeChanges().map { $0.sector + "/" + $0.kind.rawValue }
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func `what is stored goes on bit for bit, whatever was put together and whatever failed`(seed: UInt64) throws {
        var whole = FlowPredictor()
        var kept = FlowPredictor()
        var stored = StoredStates()
        var expected = FlowPredictions()
        var told = FlowPredictions()
        let events = SmallFacility(visits: 700, seed: seed).events
        var numbers = SmallHospital.Numbers(state: seed &+ 100)
        var place = 0
        while place < events.count {
            let batch = events[place..<min(events.count, place + 1 + Int(numbers.below(60)))]
            for (step, sector) in batch { whole.observe(step, sector: sector, into: &expected) }
            if numbers.below(3) == 0 {
                // A transaction that fails: what its copy learnt is dropped with it.
                var failed = kept
                var lost = FlowPredictions()
                for (step, sector) in batch { failed.observe(step, sector: sector, into: &lost) }
                _ = failed.takeChanges()
            }
            if numbers.below(4) == 0 { kept = try stored.predictor() }
            var copy = kept
            for (step, sector) in batch { copy.observe(step, sector: sector, into: &told) }
            stored.store(copy.takeChanges())
            kept = copy
            place = batch.endIndex
        }
        #expect(told.waits == expected.waits)
        #expect(told.forecasts == expected.forecasts)
        #expect(told.labels == expected.labels)
        var all = StoredStates()
        all.store(whole.takeChanges())
        #expect(stored == all)
        #expect(whole.takeChanges().isEmpty)
        // All of it happened, or this test would say nothing.
        #expect(expected.labels.count > 400)
        #expect(expected.forecasts.count > 3_000)
        #expect(expected.waits.contains { $0.occasion == .refresh })
        #expect(all.rows.count == 1 + 3 * 4)
    }

    @Test func `an event changes what it touches and nothing else`() {
        var predictor = FlowPredictor()
        _ = Self.told(&predictor, Self.step(.arrival, "x", 1), sector: "b")
        _ = Self.told(&predictor, Self.step(.arrival, "v", 2), sector: "a")
        #expect(Self.changes(&predictor) == ["/facility", "a/queue", "b/queue"])
        _ = Self.told(&predictor, Self.step(.triage, "v", 3, acuity: 2), sector: "a")
        #expect(Self.changes(&predictor) == ["/facility", "a/queue"])
        // An older event moves no frontier.
        _ = Self.told(&predictor, Self.step(.triage, "x", 2, acuity: 2), sector: "b")
        #expect(Self.changes(&predictor) == ["b/queue"])
        _ = Self.told(&predictor, Self.step(.treatmentStart, "v", 4), sector: "a")
        #expect(Self.changes(&predictor) == ["/facility", "a/queue", "a/wait"])
    }

    @Test func `a window's end is passed by the first event at it or after it`() {
        var predictor = FlowPredictor()
        #expect(Self.told(&predictor, Self.step(.arrival, "v", 0, acuity: 3)).waits.map(\.occasion) == [.arrival])
        #expect(Self.told(&predictor, Self.step(.triage, "v", 4, acuity: 3)).waits.isEmpty)
        let atTheEnd = Self.told(&predictor, Self.step(.triage, "v", 5, acuity: 3)).waits
        #expect(atTheEnd.map(\.prediction.timestamp) == [Self.start + 5 * Self.minute])
        #expect(atTheEnd.map(\.occasion) == [.refresh])
        #expect(Self.told(&predictor, Self.step(.triage, "v", 5, acuity: 3)).waits.isEmpty)
        // A start at 16 ends the windows at 10 and 15 first, while the patient still waits.
        let later = Self.told(&predictor, Self.step(.treatmentStart, "v", 16))
        #expect(later.waits.map(\.prediction.timestamp) == [10, 15].map { Self.start + $0 * Self.minute })
        #expect(later.waits.allSatisfy { $0.visitID == "v" && $0.sector == "a" })
        #expect(later.labels.map(\.visitID) == ["v"])
        #expect(later.labels.map(\.waitMilliseconds) == [16 * Self.minute])
        #expect(Self.told(&predictor, Self.step(.departure, "v", 60)).waits.isEmpty)
    }

    @Test func `a refreshed wait is never below what has passed`() {
        var predictor = FlowPredictor()
        var arrivals: [String: Int64] = [:]
        var told = FlowPredictions()
        for (step, sector) in SmallFacility(visits: 900, seed: 9).events {
            if step.kind == .arrival, let visit = step.visitID, arrivals[visit] == nil {
                arrivals[visit] = step.timestamp
            }
            predictor.observe(step, sector: sector, into: &told)
        }
        let refreshed = told.waits.filter { $0.occasion == .refresh }
        #expect(refreshed.count > 1_000)
        for wait in refreshed {
            let waited = Double(wait.prediction.timestamp - (arrivals[wait.visitID] ?? 0)) / 60_000
            #expect(wait.prediction.timestamp % FlowPredictor.windowMilliseconds == 0)
            #expect(wait.prediction.quantiles.allSatisfy { $0 >= waited })
            #expect(wait.prediction.intervals.allSatisfy { $0.lowerBound >= waited })
            #expect(wait.prediction.intervals[2].contains(wait.prediction.predictedMinutes))
        }
        // Whole ten thousandths: a double keeps what was said.
        let numbers = told.waits.flatMap { $0.prediction.quantiles + $0.prediction.intervals.map(\.upperBound) }
        #expect(numbers.allSatisfy { ($0 * 10_000).rounded() / 10_000 == $0 })
    }

    @Test func `forecasts begin with the first whole hour and their intervals are in order`() {
        var predictor = FlowPredictor()
        var told = FlowPredictions()
        for (step, sector) in SmallFacility(visits: 1_500, seed: 5).events {
            predictor.observe(step, sector: sector, into: &told)
        }
        let hour: Int64 = 3_600_000
        let firstWhole = (SmallFacility.start / hour + 2) * hour
        #expect(told.forecasts.first.map { $0.timestamp >= firstWhole } == true)
        #expect(Set(told.forecasts.map(\.sector)) == Set(SmallFacility.sectors))
        let keys = told.forecasts.map { $0.sector + "/\($0.timestamp)" }
        #expect(Set(keys).count == keys.count)
        for forecast in told.forecasts {
            #expect(forecast.arrivals.count == 3 && forecast.occupancy.count == 3)
            for count in forecast.arrivals + forecast.occupancy {
                #expect(0 <= count.lower90 && count.lower90 <= count.expected && count.expected <= count.upper90)
            }
        }
        let last = told.forecasts[told.forecasts.count - 1]
        // 5.4 arrivals an hour over three sectors, known after some weeks.
        #expect(last.arrivals.allSatisfy { (0.5...6).contains($0.expected) })
    }

    @Test func `an arrival that is told again is predicted and learnt once`() {
        var predictor = FlowPredictor()
        let first = Self.told(&predictor, Self.step(.arrival, "v", 0, acuity: 3))
        #expect(first.waits.count == 1)
        // Again where it waits, and from another sector.
        #expect(Self.told(&predictor, Self.step(.arrival, "v", 1, acuity: 3)).waits.isEmpty)
        #expect(Self.told(&predictor, Self.step(.arrival, "v", 1, acuity: 3), sector: "b").waits.isEmpty)
        #expect(Self.told(&predictor, Self.step(.treatmentStart, "v", 3)).labels.count == 1)
        _ = predictor.takeChanges()
        let again = Self.told(&predictor, Self.step(.arrival, "v", 2), Self.step(.treatmentStart, "v", 4))
        #expect(again.waits.isEmpty && again.labels.isEmpty)
        _ = Self.told(&predictor, Self.step(.departure, "v", 4))
        let gone = Self.told(&predictor, Self.step(.arrival, "v", 4), Self.step(.treatmentStart, "v", 4))
        #expect(gone.waits.isEmpty && gone.labels.isEmpty)
        #expect(!predictor.takeChanges().contains { $0.kind == .wait })
    }

    @Test func `a cancelled visit waits no more and teaches nothing`() {
        var predictor = FlowPredictor()
        _ = Self.told(&predictor, Self.step(.arrival, "v", 0, acuity: 3))
        _ = Self.told(&predictor, Self.step(.transfer, "v", 1, toSector: "b"))
        _ = Self.told(&predictor, Self.step(.cancelled, "v", 2), sector: "b")
        let later = Self.told(&predictor, Self.step(.treatmentStart, "v", 30), sector: "b")
        #expect(later.waits.isEmpty && later.labels.isEmpty)
        #expect(!predictor.takeChanges().contains { $0.kind == .wait })
    }

    @Test func `a wait that ends in another sector teaches the one that predicted it`() {
        var predictor = FlowPredictor()
        _ = Self.told(&predictor, Self.step(.arrival, "v", 0, acuity: 2), sector: "walk-in")
        _ = Self.told(&predictor, Self.step(.transfer, "v", 1, toSector: "minor"), sector: "walk-in")
        let moved = Self.told(&predictor, Self.step(.triage, "v", 6, acuity: 2), sector: "minor")
        #expect(moved.waits.map(\.sector) == ["minor"])
        _ = predictor.takeChanges()
        let seen = Self.told(&predictor, Self.step(.treatmentStart, "v", 9), sector: "minor")
        #expect(seen.labels.map(\.waitMilliseconds) == [9 * Self.minute])
        let learnt = predictor.takeChanges().filter { $0.kind == .wait }.map(\.sector)
        // The one that treats keeps the wait among those of its hour; the one that predicted learns from it.
        #expect(learnt == ["minor", "walk-in"])
    }

    @Test func `a year without events is followed for a day`() {
        var predictor = FlowPredictor()
        _ = Self.told(&predictor, Self.step(.arrival, "v", 0), sector: "a")
        _ = Self.told(&predictor, Self.step(.arrival, "w", 0), sector: "b")
        let year: Int64 = 365 * 24 * 60
        let told = Self.told(&predictor, Self.step(.arrival, "x", year))
        #expect(told.waits.filter { $0.occasion == .refresh }.count == 2 * FlowPredictor.mostWindows)
        #expect(told.waits.last?.prediction.timestamp == Self.start + year * Self.minute)
        #expect(told.forecasts.count <= 2 * FlowPredictor.mostWindows)
        #expect(told.forecasts.allSatisfy { $0.timestamp <= Self.start + 24 * 60 * Self.minute })
        // Those who were lost in the gap wait no more, and forecasts go on with the hours after it.
        let next = Self.told(&predictor, Self.step(.arrival, "y", year + 130))
        #expect(Set(next.waits.map(\.visitID)) == ["x", "y"])
        #expect(next.forecasts.last?.timestamp == Self.start + (year + 130) * Self.minute)
    }

    @Test func `who waits is told anew for one event so often and no more`() {
        var predictor = FlowPredictor()
        for number in 0..<200 { _ = Self.told(&predictor, Self.step(.arrival, "v-\(number)", 0)) }
        let told = Self.told(&predictor, Self.step(.arrival, "w", 24 * 60))
        #expect(told.waits.filter { $0.occasion == .refresh }.count == FlowPredictor.mostRefreshes)
    }

    @Test func `ids of visits and sectors are kept within bounds`() {
        var predictor = FlowPredictor()
        let long = String(repeating: "é", count: 120)
        for number in 0..<250 { _ = Self.told(&predictor, Self.step(.arrival, long + String(1_000 + number), 0)) }
        let told = Self.told(&predictor, Self.step(.triage, "w", 5))
        // 244 bytes each, of 16,384.
        #expect(told.waits.count == 67)
        for number in 0..<400 { _ = Self.told(&predictor, Self.step(.arrival, "s-\(number)", 6), sector: "\(number)") }
        #expect(predictor.names.count == FlowPredictor.mostSectors)
    }

    @Test func `a sector with both forecasts never takes more than 224 kB`() {
        var predictor = FlowPredictor()
        var stored = StoredStates()
        for number in 0..<9_000 {
            let visit = "0b6f4a1e-5c1d-4e5e-9f6e-\(100_000_000_000 + number)"
            let time = Int64(number) * 9 / 2
            _ = Self.told(&predictor, Self.step(.arrival, visit, time, acuity: 1 + number % 5))
            if number < 8_500 { _ = Self.told(&predictor, Self.step(.treatmentStart, visit, time)) }
            if number < 8_500, number % 2 == 0 { _ = Self.told(&predictor, Self.step(.departure, visit, time)) }
        }
        stored.store(predictor.takeChanges())
        let size = stored.rows.values.reduce(0) { $0 + $1.bytes.count }
        #expect(size <= 224_000)
        // Nearly full, or this test would say nothing.
        #expect(size > 180_000)
    }

    @Test func `damaged state throws and never traps`() throws {
        var predictor = FlowPredictor()
        var told = FlowPredictions()
        for (step, sector) in SmallFacility(visits: 300, seed: 4).events {
            predictor.observe(step, sector: sector, into: &told)
        }
        var numbers = SmallHospital.Numbers(state: 8)
        for state in predictor.takeChanges() {
            func read(_ bytes: [UInt8]) throws {
                var other = FlowPredictor()
                try other.restore(sector: state.sector, kind: state.kind.rawValue, bytes: bytes)
            }
            #expect(throws: StateError.damaged) { try read(Array(state.bytes.dropLast())) }
            #expect(throws: StateError.damaged) { try read(state.bytes + [0]) }
            #expect(throws: StateError.damaged) { try read([]) }
            // Any bits may be turned: it is read or refused.
            for _ in 0..<50 {
                var bytes = state.bytes
                bytes[Int(numbers.below(UInt64(bytes.count)))] ^= UInt8(1 << numbers.below(8))
                do { try read(bytes) } catch is StateError {}
            }
        }
        #expect(throws: StateError.damaged) {
            var other = FlowPredictor()
            try other.restore(sector: "a", kind: "else", bytes: [])
        }
    }

    @Test func `a prediction's explanation is one line of JSON`() {
        var predictor = FlowPredictor()
        let told = Self.told(&predictor, Self.step(.arrival, "v", 0, acuity: 3))
        let text = told.waits.first?.prediction.explanation ?? ""
        #expect(text.hasPrefix("{\"experts\": {\"les\": 0.059, \"hol\": 0.059"))
        #expect(text.contains("\"movers\": {\""))
        #expect(text.hasSuffix("}}"))
    }
}
