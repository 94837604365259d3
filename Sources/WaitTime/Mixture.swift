internal import Glibc

/// Weights of experts by Bernstein online aggregation (Wintenberger, "Optimal learning with Bernstein online
/// aggregation", Machine Learning 106, 2017, doi:10.1007/s10994-016-5592-6) on the linearised pinball loss.
struct Mixture {
    let level: Double
    private var variance: [Double]
    private var regret: [Double]
    private(set) var weights: [Double]

    init(experts: Int, level: Double) {
        self.level = level
        variance = Array(repeating: 0.01, count: experts)
        regret = Array(repeating: 0, count: experts)
        weights = Array(repeating: 1 / Double(experts), count: experts)
    }

    /// What the experts said, what was said with the weights of then, and what came; all in units of the usual error.
    mutating func learn(_ values: [Double], mixed: Double, target: Double) {
        let slope = target > mixed ? -level : 1 - level
        var largest = 0.0
        for value in values { largest = max(largest, abs(slope * (mixed - value))) }
        let logarithm = log(Double(values.count))
        var rates = variance
        for place in values.indices {
            let gain = slope * (mixed - values[place])
            variance[place] += gain * gain
            rates[place] = min(1 / (4 * largest + 2), (logarithm / variance[place]).squareRoot())
            regret[place] += gain - rates[place] * gain * gain
        }
        var best = -Double.infinity
        for place in values.indices { best = max(best, rates[place] * regret[place]) }
        var total = 0.0
        for place in values.indices {
            weights[place] = exp(rates[place] * regret[place] - best) * rates[place]
            total += weights[place]
        }
        for place in values.indices { weights[place] /= total }
    }

    func write(to writer: inout StateWriter) {
        writer.put(variance)
        writer.put(regret)
        writer.put(weights)
    }

    mutating func read(from reader: inout StateReader) throws(StateError) {
        variance = try reader.doubles(variance.count)
        regret = try reader.doubles(regret.count)
        weights = try reader.doubles(weights.count)
    }
}
