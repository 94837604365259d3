/// Runs flow events through the code of the service, in order of time, and keeps what was predicted and what came.
public struct FlowEvaluation {
    private var facilities: [String: FlowPredictor] = [:]
    private var baselines: [String: Baselines] = [:]
    private var rows: [VisitKey: Int] = [:]
    private var told = FlowPredictions()
    /// Every arrival, the warm-up included, in the order in which they were predicted.
    public private(set) var arrivals: [PredictedArrival] = []
    /// Waits that became known.
    public private(set) var known = 0
    /// Waits told anew at the ends of windows.
    public private(set) var refreshes = 0

    /// Nothing has happened yet.
    public init() {}

    /// Takes the next event.
    public mutating func take(_ step: FlowStep, facility: String, sector: String) {
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
        facilities[facility, default: FlowPredictor()].observe(step, sector: sector, into: &told)
        for wait in told.waits {
            guard wait.occasion == .arrival else {
                refreshes += 1
                continue
            }
            rows[step.visit] = arrivals.count
            arrivals.append(PredictedArrival(visitID: wait.visitID, prediction: wait.prediction, baselines: said))
        }
        for label in told.labels {
            known += 1
            if let row = rows[step.visit] { arrivals[row].actualMinutes = Double(label.waitMilliseconds) / 60_000 }
        }
        told = FlowPredictions()
    }

    /// What the predictors would store, by facility and sector: bytes.
    public func stateBytes() -> [Int] {
        facilities.keys.sorted().flatMap { facilities[$0]?.stateBytes() ?? [] }
    }
}
