extension SectorPredictor {
    /// The wait of a patient who might come now. Keeps and learns nothing.
    public func predict(acuity: Int, at time: Int64) -> WaitPrediction {
        precondition((1...5).contains(acuity), "an acuity is 1 to 5")
        let (row, mixed) = speak(queue, acuity: acuity, at: time)
        let (quantiles, bounds) = learner.shape(mixed, acuity: acuity)
        return prediction(nil, acuity, time, row: row, quantiles: quantiles, bounds: bounds)
    }

    /// The waits of all who wait now, counted from their arrivals and never below what they have waited already, in
    /// the order in which they came. Keeps and learns nothing.
    ///
    /// Each quantile is the mean of two: of the wait as it was predicted at the arrival, given that it is longer than
    /// what has passed; and of what has passed plus the wait of one who comes now and finds only those who are still
    /// ahead.
    public func refresh(at time: Int64) -> [WaitPrediction] {
        queue.waiting.map { refresh($0, at: time) }
    }

    func refresh(_ visit: WaitingVisit, at time: Int64) -> WaitPrediction {
        let waited = Double(max(0, time - visit.arrivedAt)) / 60_000
        var behind = queue
        behind.waiting.removeAll {
            $0.visit == visit.visit || ($0.acuity == visit.acuity && $0.arrivedAt > visit.arrivedAt)
        }
        let (row, rest) = speak(behind, acuity: visit.acuity, at: time)
        let (restQuantiles, restBounds) = learner.shape(rest, acuity: visit.acuity)
        let known = pending.first { $0.visit == visit.visit }
        let whole = known?.mixed.map(Packed.root) ?? speak(queue, acuity: visit.acuity, at: time).mixed
        let (wholeQuantiles, wholeBounds) = learner.shape(whole, acuity: visit.acuity)
        let given = Remaining(wholeQuantiles.map { $0 * $0 }, waited: waited)
        func joined(_ whole: Double, _ rest: Double) -> Double {
            ((given.moved(whole * whole) + waited + rest * rest) / 2).squareRoot()
        }
        var quantiles: [Double] = []
        for (whole, rest) in zip(wholeQuantiles, restQuantiles) { quantiles.append(joined(whole, rest)) }
        let middle = quantiles[Learner.median]
        var bounds: [Double] = []
        for place in wholeBounds.indices {
            let bound = joined(wholeBounds[place], restBounds[place])
            let isLower = place % 2 == 0
            let inner = place < 2 ? middle : bounds[place - 2]
            bounds.append(isLower ? min(bound, inner) : max(bound, inner))
        }
        return prediction(
            visit.visit, visit.acuity, time, row: row, quantiles: quantiles, bounds: bounds, atLeast: waited)
    }

    private func speak(_ queue: SectorQueue, acuity: Int, at time: Int64) -> (row: [Double], mixed: [Double]) {
        let experts = SimpleExperts(queue, acuity: acuity, at: time)
        var raw: [Double] = []
        Features.fill(&raw, queue, acuity: acuity, at: time, experts: experts)
        var row: [Double] = []
        standardiser.standardise(raw, into: &row)
        return (row, learner.speak(row, simple: experts).mixed)
    }
}

/// A wait of which part has passed: its distribution, cut off at what has passed.
struct Remaining {
    private static let shares = [0.0] + QuantileHeads.levels + [1.0]
    private let minutes: [Double]
    private let waited: Double
    /// The share of waits that would have ended by now; at most 0.98, so that something is left.
    private let passed: Double

    /// - Parameter quantiles: ascending, minutes, at `QuantileHeads.levels`.
    init(_ quantiles: [Double], waited: Double) {
        let last = quantiles.count - 1
        // Straight on beyond the outer quantiles.
        minutes =
            [max(0, 2 * quantiles[0] - quantiles[1])] + quantiles + [3 * quantiles[last] - 2 * quantiles[last - 1]]
        self.waited = waited
        passed = min(0.98, Self.line(waited, from: minutes, to: Self.shares))
    }

    /// Where a wait of so many minutes in the whole distribution stands in what is left of it.
    func moved(_ whole: Double) -> Double {
        let share = Self.line(whole, from: minutes, to: Self.shares)
        return max(waited, Self.line(passed + (1 - passed) * share, from: Self.shares, to: minutes))
    }

    /// Along straight lines between points; the ends beyond them.
    private static func line(_ value: Double, from across: [Double], to up: [Double]) -> Double {
        guard value > across[0] else { return up[0] }
        for place in 1..<across.count where value <= across[place] {
            let width = across[place] - across[place - 1]
            guard width > 0 else { return up[place] }
            return up[place - 1] + (up[place] - up[place - 1]) * (value - across[place - 1]) / width
        }
        return up[up.count - 1]
    }
}
