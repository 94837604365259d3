import WaitTime

/// Events of a small queue with two acuities and changing staff, the same in every run.
struct SmallHospital {
    private(set) var steps: [FlowStep] = []

    /// - Parameter visits: how many arrive, one each three minutes or so.
    init(visits: Int, seed: UInt64 = 7) {
        var generator = Numbers(state: seed)
        var free = [Int64](repeating: 0, count: 4)
        var time: Int64 = 1_700_000_000_000
        var timed: [(at: Int64, order: Int, step: FlowStep)] = []
        for number in 0..<visits {
            time += Int64(generator.below(360_000))
            let visit = VisitKey("visit-\(seed)-\(number)")
            let acuity = 2 + Int(generator.below(3))
            timed.append((time, timed.count, FlowStep(.arrival, visit: visit, timestamp: time, acuity: acuity)))
            let server = Int(generator.below(UInt64(number / 200 % 2 == 0 ? 4 : 3)))
            let start = max(time, free[server])
            guard start - time < 2_400_000 || generator.below(2) == 0 else {
                let left = FlowStep(.leftWithoutBeingSeen, visit: visit, timestamp: time + 2_400_000)
                timed.append((left.timestamp, timed.count, left))
                continue
            }
            let end = start + 60_000 + Int64(generator.below(1_200_000))
            free[server] = end
            timed.append((start, timed.count, FlowStep(.treatmentStart, visit: visit, timestamp: start)))
            timed.append((end, timed.count, FlowStep(.departure, visit: visit, timestamp: end)))
        }
        steps = timed.sorted { ($0.at, $0.order) < ($1.at, $1.order) }.map(\.step)
    }

    /// splitmix64.
    struct Numbers {
        var state: UInt64

        mutating func below(_ bound: UInt64) -> UInt64 {
            state = state &+ 0x9e37_79b9_7f4a_7c15
            var bits = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
            bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
            return (bits ^ (bits >> 31)) % bound
        }
    }
}

extension SectorPredictor {
    /// Both parts, as they are stored.
    var state: [[UInt8]] { [queueBytes(), learntBytes()] }

    /// Feeds steps, learning each wait at once; returns what was predicted.
    mutating func run(_ steps: some Sequence<FlowStep>, learning: Bool = true) -> [WaitPrediction] {
        var predictions: [WaitPrediction] = []
        for step in steps {
            let seen = observe(step)
            if let prediction = seen.prediction { predictions.append(prediction) }
            if learning, let label = seen.label { learn(label) }
        }
        return predictions
    }
}
