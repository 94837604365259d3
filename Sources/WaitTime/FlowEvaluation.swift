/// Runs flow events through the code of the service, in order of time, and keeps what was predicted and what came.
public struct FlowEvaluation {
    private var facilities: [String: FacilityPredictor] = [:]
    private var baselines: [String: Baselines] = [:]
    private var rows: [VisitKey: Int] = [:]
    /// Every arrival, the warm-up included, in the order in which they were predicted.
    public private(set) var arrivals: [PredictedArrival] = []
    /// Waits learnt.
    public private(set) var learnt = 0

    /// Nothing has happened yet.
    public init() {}

    /// Takes the next event; its label is learnt at once, as if each event were committed by itself.
    public mutating func take(_ step: FlowStep, facility: String, sector: String, visitID: String) {
        let place = facility + "\u{1f}" + sector
        var said: [Double] = []
        if step.kind == .arrival {
            said = baselines[place, default: Baselines()].predict(acuity: step.acuity ?? 3, at: step.timestamp)
        }
        baselines[place, default: Baselines()].observe(step)
        if step.kind == .transfer, let target = step.toSector, target != sector {
            let other = facility + "\u{1f}" + target
            var accepting = baselines[other] ?? Baselines()
            baselines[place, default: Baselines()].move(step.visit, to: &accepting)
            baselines[other] = accepting
        }
        var predictor = facilities.removeValue(forKey: facility) ?? FacilityPredictor()
        let seen = predictor.observe(step, sector: sector)
        if let prediction = seen.prediction {
            rows[step.visit] = arrivals.count
            arrivals.append(PredictedArrival(visitID: visitID, prediction: prediction, baselines: said))
        }
        if let label = seen.label {
            if let row = rows[label.visit] { arrivals[row].actualMinutes = Double(label.waitMilliseconds) / 60_000 }
            if predictor.learn(label, in: seen.predictedIn) { learnt += 1 }
        }
        facilities[facility] = predictor
    }
}
