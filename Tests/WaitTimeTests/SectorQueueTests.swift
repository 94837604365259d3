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
