import Testing
import WaitTime

struct SectorPredictorTests {
    private static let steps = SmallHospital(visits: 1_200).steps
    private static let minute: Int64 = 60_000

    @Test func `the same events give the same predictions and the same bytes`() {
        var first = SectorPredictor()
        var second = SectorPredictor()
        let predictions = first.run(Self.steps)
        #expect(predictions.count == 1_200)
        let again = second.run(Self.steps)
        #expect(predictions == again)
        #expect(first.state == second.state)
    }

    @Test(arguments: [0, 1, 40, 901, 2_500])
    func `state read back has the same bytes and goes on the same`(after count: Int) throws {
        var whole = SectorPredictor()
        _ = whole.run(Self.steps.prefix(count))
        let state = whole.state
        var restored = try SectorPredictor(queue: state[0], learnt: state[1])
        #expect(restored.state == state)
        let told = restored.run(Self.steps.dropFirst(count))
        let expected = whole.run(Self.steps.dropFirst(count))
        #expect(told == expected)
        #expect(restored.state == whole.state)
    }

    @Test func `damaged state throws and never traps`() {
        var predictor = SectorPredictor()
        _ = predictor.run(Self.steps.prefix(600))
        let state = predictor.state
        #expect(throws: StateError.unknownVersion(77)) {
            var other = state[0]
            other[0] = 77
            _ = try SectorPredictor(queue: other, learnt: state[1])
        }
        #expect(throws: StateError.unknownVersion(77)) {
            var other = state[1]
            other[0] = 77
            _ = try SectorPredictor(queue: state[0], learnt: other)
        }
        for place in 0..<2 {
            func read(_ bytes: [UInt8]) throws {
                _ = try SectorPredictor(queue: place == 0 ? bytes : state[0], learnt: place == 1 ? bytes : state[1])
            }
            #expect(throws: StateError.damaged) { try read(state[place] + [0]) }
            for length in stride(from: 0, to: state[place].count, by: 397) {
                #expect(throws: StateError.damaged) { try read(Array(state[place].prefix(length))) }
            }
        }
    }

    @Test func `a prediction does not depend on what comes after it`() {
        var calm = SectorPredictor()
        var stormy = SectorPredictor()
        let cut = 2_000
        var first = calm.run(Self.steps.prefix(cut))
        var second = stormy.run(Self.steps.prefix(cut))
        let last = Self.steps[cut - 1].timestamp
        let newcomer = FlowStep(.arrival, visit: VisitKey("newcomer"), timestamp: last, acuity: 3)
        first += calm.run([newcomer])
        second += stormy.run([newcomer])
        let told = second
        let crowd = (0..<50).map {
            FlowStep(.arrival, visit: VisitKey("crowd-\($0)"), timestamp: last + 1, acuity: 1)
        }
        let later = stormy.run(crowd)
        #expect(first == told)
        // The crowd is seen by those who come into it.
        #expect(later[49] != later[0])
    }

    @Test func `nothing is learnt without learn`() {
        var trained = SectorPredictor()
        _ = trained.run(Self.steps.prefix(2_000))
        let weights = trained.predict(acuity: 3, at: Self.steps[2_000].timestamp).expertWeights
        var untaught = SectorPredictor()
        let predictions = untaught.run(Self.steps, learning: false)
        let even = 1 / Double(WaitPrediction.expertNames.count)
        #expect(predictions.allSatisfy { $0.expertWeights.allSatisfy { $0 == even } })
        #expect(weights != predictions[0].expertWeights)
    }

    @Test func `a wait is learnt once`() throws {
        var predictor = SectorPredictor()
        let visit = VisitKey("a")
        _ = predictor.observe(FlowStep(.arrival, visit: visit, timestamp: 1_700_000_000_000, acuity: 2))
        let start = FlowStep(.treatmentStart, visit: visit, timestamp: 1_700_000_000_000 + 9 * Self.minute)
        let label = predictor.observe(start).label
        #expect(label?.waitMilliseconds == 9 * Self.minute)
        let first = predictor.learn(try #require(label))
        #expect(first)
        let state = predictor.state
        let second = predictor.learn(try #require(label))
        #expect(!second)
        #expect(predictor.state == state)
        // The same start again ends no wait.
        let again = predictor.observe(start).label
        #expect(again == nil)
    }

    @Test func `quantiles ascend and each interval lies within the next`() {
        var predictor = SectorPredictor()
        for prediction in predictor.run(Self.steps) {
            #expect(prediction.quantiles == prediction.quantiles.sorted())
            #expect(prediction.quantiles[3] == prediction.predictedMinutes)
            #expect(prediction.quantiles.allSatisfy { (0...720.000001).contains($0) })
            var inner = prediction.predictedMinutes...prediction.predictedMinutes
            for interval in prediction.intervals {
                #expect(interval.lowerBound <= inner.lowerBound && interval.upperBound >= inner.upperBound)
                inner = interval
            }
        }
    }

    @Test func `a prediction explains itself`() {
        var predictor = SectorPredictor()
        let last = predictor.run(Self.steps).last
        guard let last else {
            Issue.record("nothing was predicted")
            return
        }
        #expect(last.expertWeights.count == WaitPrediction.expertNames.count)
        #expect(abs(last.expertWeights.reduce(0, +) - 1) < 1e-9)
        #expect(last.movers.count == 3)
        #expect(Set(last.movers.map(\.name)).count == 3)
        #expect(abs(last.movers[0].shift) >= abs(last.movers[1].shift))
        #expect(abs(last.movers[1].shift) >= abs(last.movers[2].shift))
    }

    @Test func `a refreshed wait is never below what has passed, and learns nothing`() {
        var predictor = SectorPredictor()
        var arrivals: [VisitKey: Int64] = [:]
        var refreshed = 0
        for (number, step) in Self.steps.enumerated() {
            if step.kind == .arrival { arrivals[step.visit] = step.timestamp }
            if let label = predictor.observe(step).label { predictor.learn(label) }
            guard number % 50 == 0 else { continue }
            let state = predictor.state
            for later in [0, 5 * Self.minute, 300 * Self.minute] {
                for prediction in predictor.refresh(at: step.timestamp + later) {
                    refreshed += 1
                    let arrival = prediction.visit.flatMap { arrivals[$0] } ?? 0
                    let waited = Double(step.timestamp + later - arrival) / 60_000
                    #expect(prediction.quantiles[0] >= waited)
                    #expect(prediction.quantiles == prediction.quantiles.sorted())
                    #expect(prediction.intervals.allSatisfy { $0.lowerBound >= waited })
                    #expect(prediction.intervals[2].contains(prediction.predictedMinutes))
                }
            }
            #expect(predictor.state == state)
        }
        #expect(refreshed > 100)
    }

    @Test func `intervals hold about what they say`() {
        let steps = SmallHospital(visits: 6_000, seed: 3).steps
        var predictor = SectorPredictor()
        var predictions: [VisitKey: WaitPrediction] = [:]
        var inside = [0, 0, 0]
        var count = 0
        for step in steps {
            let seen = predictor.observe(step)
            if let prediction = seen.prediction, let visit = prediction.visit { predictions[visit] = prediction }
            guard let label = seen.label else { continue }
            predictor.learn(label)
            guard let prediction = predictions.removeValue(forKey: label.visit) else { continue }
            count += 1
            for place in 0..<3 where prediction.intervals[place].contains(Double(label.waitMilliseconds) / 60_000) {
                inside[place] += 1
            }
        }
        for (place, share) in [0.5, 0.8, 0.9].enumerated() {
            #expect(abs(Double(inside[place]) / Double(count) - share) < 0.03)
        }
    }

    @Test func `a sector never takes more than 128 kB`() {
        var predictor = SectorPredictor()
        let start: Int64 = 1_700_000_000_000
        // More of everything than is kept: thousands treated, thousands waiting, every hour and acuity.
        for number in 0..<9_000 {
            let visit = VisitKey("visit-\(number)")
            let time = start + Int64(number) * 5 * Self.minute / 3
            let acuity = 1 + number % 5
            _ = predictor.observe(FlowStep(.arrival, visit: visit, timestamp: time, acuity: acuity))
            if number < 6_000 {
                let label = predictor.observe(FlowStep(.treatmentStart, visit: visit, timestamp: time + 1_000)).label
                if let label { predictor.learn(label) }
                if number % 2 == 0 {
                    _ = predictor.observe(FlowStep(.departure, visit: visit, timestamp: time + 2_000))
                }
            }
        }
        let size = predictor.state.reduce(0) { $0 + $1.count }
        #expect(size <= 128_000)
        // Nearly full, or this test would say nothing.
        #expect(size > 90_000)
    }
}
