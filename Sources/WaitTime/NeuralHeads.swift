/// All quantiles of the root of the wait from one hidden layer of rectified units, so that "nobody waits and a place
/// is free" may bend what the other features say. Learnt by scaled gradient steps on the pinball loss.
struct NeuralHeads {
    static let units = 16
    static let rate: Float = 0.05
    private static let outputs = QuantileHeads.levels.count

    private let width: Int
    /// Row after row: a hidden unit's weights on the features; then an output's weights on the units and its constant.
    private var weights: [Float]
    /// Sum of the squared gradients, and a little.
    private var squares: [Float]
    private var hidden = [Float](repeating: 0, count: units + 1)

    init(width: Int) {
        self.width = width
        let count = Self.units * width + Self.outputs * (Self.units + 1)
        weights = Array(repeating: 0, count: count)
        squares = Array(repeating: 0.1, count: count)
        // Small fixed weights that differ: splitmix64 from 1; sums and products are meant to wrap.
        var seed: UInt64 = 1
        let spread = 1.4 / Float(width).squareRoot()
        for place in 0..<Self.units * width {
            seed = seed &+ 0x9e37_79b9_7f4a_7c15
            var bits = (seed ^ (seed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
            weights[place] = (Float(bits >> 40) / Float(1 << 23) - 1) * spread
        }
    }

    private var outputBase: Int { Self.units * width }

    /// Starts all outputs from a constant.
    mutating func begin(at value: Double) {
        for output in 0..<Self.outputs { weights[outputBase + output * (Self.units + 1) + Self.units] = Float(value) }
    }

    private func activate(_ row: [Float], _ hidden: inout [Float]) {
        for unit in 0..<Self.units {
            var sum: Float = 0
            for place in 0..<width { sum += weights[unit * width + place] * row[place] }
            hidden[unit] = max(0, sum)
        }
        hidden[Self.units] = 1
    }

    private func output(_ number: Int, _ hidden: [Float]) -> Float {
        let base = outputBase + number * (Self.units + 1)
        var sum: Float = 0
        for unit in 0...Self.units { sum += weights[base + unit] * hidden[unit] }
        return sum
    }

    func predict(_ row: [Float]) -> [Double] {
        var hidden = self.hidden
        activate(row, &hidden)
        return (0..<Self.outputs).map { Double(output($0, hidden)) }
    }

    /// How an output changes with each feature at this row.
    func slopes(_ row: [Float], output number: Int) -> [Float] {
        var hidden = self.hidden
        activate(row, &hidden)
        var slopes = [Float](repeating: 0, count: width)
        for unit in 0..<Self.units where hidden[unit] > 0 {
            let factor = weights[outputBase + number * (Self.units + 1) + unit]
            for place in 0..<width { slopes[place] += factor * weights[unit * width + place] }
        }
        return slopes
    }

    /// - Parameter scale: the usual size of an error, in roots of minutes.
    mutating func learn(_ row: [Float], target: Double, scale: Double) {
        activate(row, &hidden)
        var back = [Float](repeating: 0, count: Self.units)
        let rate = Self.rate * Float(scale)
        for number in 0..<Self.outputs {
            let level = QuantileHeads.levels[number]
            let error = (target - Double(output(number, hidden))) / scale
            let slope = Float(-(min(max(error, -1), 1) * 0.5 + (level - 0.5)))
            let base = outputBase + number * (Self.units + 1)
            for unit in 0..<Self.units { back[unit] += slope * weights[base + unit] }
            for unit in 0...Self.units { step(base + unit, slope * hidden[unit], rate) }
        }
        for unit in 0..<Self.units where hidden[unit] > 0 {
            for place in 0..<width { step(unit * width + place, back[unit] * row[place], Self.rate) }
        }
    }

    private mutating func step(_ place: Int, _ gradient: Float, _ rate: Float) {
        squares[place] += gradient * gradient
        weights[place] -= rate * gradient / squares[place].squareRoot()
    }

    func write(to writer: inout StateWriter) {
        writer.put(weights)
        writer.put(squares)
    }

    mutating func read(from reader: inout StateReader) throws(StateError) {
        weights = try reader.floats(weights.count)
        squares = try reader.floats(squares.count)
    }
}
