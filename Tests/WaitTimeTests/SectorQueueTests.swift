import Testing
import WaitTime

/// What the order of events does to a wait. `predict` shows the queue through the predictor.
struct SectorQueueTests {
    private static let start: Int64 = 1_700_000_000_000
    private static let minute: Int64 = 60_000
    private let visit = VisitKey("a")

    private func step(_ kind: FlowKind, _ minutes: Int64, acuity: Int? = nil) -> FlowStep {
        FlowStep(kind, visit: visit, timestamp: Self.start + minutes * Self.minute, acuity: acuity)
    }

    @Test func `a start before its arrival gives the wait when the arrival comes`() throws {
        var predictor = SectorPredictor()
        let early = predictor.observe(step(.treatmentStart, 12)).label
        #expect(early == nil)
        let seen = predictor.observe(step(.arrival, 5, acuity: 3))
        #expect(seen.prediction != nil)
        #expect(seen.label == WaitLabel(visit: visit, waitMilliseconds: 7 * Self.minute))
        let learnt = predictor.learn(try #require(seen.label))
        #expect(learnt)
    }

    @Test func `a start before the arrival by the clock is no wait`() {
        var predictor = SectorPredictor()
        _ = predictor.observe(step(.arrival, 5))
        let label = predictor.observe(step(.treatmentStart, 3)).label
        #expect(label?.waitMilliseconds == 0)
    }

    @Test(arguments: [FlowKind.leftWithoutBeingSeen, .cancelled, .departure])
    func `who goes without treatment ends no wait and waits no more`(kind: FlowKind) {
        var predictor = SectorPredictor()
        _ = predictor.observe(step(.arrival, 0, acuity: 3))
        #expect(predictor.refresh(at: Self.start).count == 1)
        let label = predictor.observe(step(kind, 9)).label
        #expect(label == nil)
        #expect(predictor.refresh(at: Self.start).isEmpty)
    }

    @Test func `an arrival told after the departure does not wait for ever`() {
        var predictor = SectorPredictor()
        _ = predictor.observe(step(.departure, 9))
        _ = predictor.observe(step(.arrival, 0, acuity: 3))
        #expect(predictor.refresh(at: Self.start + 10 * Self.minute).isEmpty)
    }

    @Test func `a cancelled visit teaches nothing`() {
        var predictor = SectorPredictor()
        _ = predictor.observe(step(.arrival, 0, acuity: 3))
        _ = predictor.observe(step(.cancelled, 1))
        let learnt = predictor.learn(WaitLabel(visit: visit, waitMilliseconds: 5))
        #expect(!learnt)
    }

    @Test func `triage gives the acuity that is predicted for`() {
        var predictor = SectorPredictor()
        let told = predictor.observe(step(.arrival, 0)).prediction
        #expect(told?.acuity == 3)
        _ = predictor.observe(step(.triage, 2, acuity: 1))
        #expect(predictor.refresh(at: Self.start + 5 * Self.minute).map(\.acuity) == [1])
    }

    @Test func `a wait without an end is forgotten after a day`() {
        var predictor = SectorPredictor()
        _ = predictor.observe(step(.arrival, 0, acuity: 3))
        let next = FlowStep(.arrival, visit: VisitKey("b"), timestamp: Self.start + 25 * 3_600_000, acuity: 3)
        _ = predictor.observe(next)
        #expect(predictor.refresh(at: next.timestamp).map(\.visit) == [VisitKey("b")])
    }
}

struct FacilityPredictorTests {
    private static let start: Int64 = 1_700_000_000_000

    @Test func `a wait that ends in another sector teaches the one that predicted it`() throws {
        var facility = FacilityPredictor()
        let visit = VisitKey("a")
        _ = facility.observe(FlowStep(.arrival, visit: visit, timestamp: Self.start, acuity: 2), sector: "walk-in")
        let transfer = FlowStep(.transfer, visit: visit, timestamp: Self.start + 60_000, toSector: "minor")
        _ = facility.observe(transfer, sector: "walk-in")
        #expect(facility["walk-in"]?.refresh(at: Self.start).isEmpty == true)
        #expect(facility["minor"]?.refresh(at: Self.start).count == 1)
        let start = FlowStep(.treatmentStart, visit: visit, timestamp: Self.start + 600_000)
        let seen = facility.observe(start, sector: "minor")
        #expect(seen.label?.waitMilliseconds == 600_000)
        #expect(seen.predictedIn == "walk-in")
        let untouched = facility["minor"]?.serialised()
        let learnt = facility.learn(try #require(seen.label), in: seen.predictedIn)
        #expect(learnt)
        #expect(facility["minor"]?.serialised() == untouched)
    }

    @Test func `a restored facility goes on as the first would have`() throws {
        var first = FacilityPredictor()
        let steps = SmallHospital(visits: 300).steps
        let urgent = Set(steps.filter { $0.acuity == 2 }.map(\.visit))
        var second = FacilityPredictor()
        for (number, step) in steps.enumerated() {
            if number == 400 {
                for name in first.names.reversed() {
                    guard let sector = first[name] else { continue }
                    second.restore(name, try SectorPredictor(serialised: sector.serialised()))
                }
            }
            let sector = urgent.contains(step.visit) ? "a" : "b"
            let seen = first.observe(step, sector: sector)
            if let label = seen.label { first.learn(label, in: seen.predictedIn) }
            guard number >= 400 else { continue }
            let again = second.observe(step, sector: sector)
            #expect(again.prediction == seen.prediction)
            if let label = again.label { second.learn(label, in: again.predictedIn) }
        }
        #expect(first.names == ["a", "b"])
        #expect(second["a"]?.serialised() == first["a"]?.serialised())
    }
}
