/// Linear quantiles of the root of the wait, learnt by AdaGrad on the pinball loss, each at three learning rates.
struct QuantileHeads {
    /// The quantiles that a prediction has.
    static let levels = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]
    static let rates: [Float] = [0.02, 0.05, 0.12]
    static let count = levels.count * rates.count

    private let width: Int
    /// Head after head: level by level, in each the rates.
    private(set) var weights: [Float]
    private var squares: [Float]

    init(width: Int) {
        self.width = width
        weights = Array(repeating: 0, count: Self.count * width)
        squares = Array(repeating: 0.1, count: Self.count * width)
    }

    /// Starts all heads from a constant.
    mutating func begin(at value: Double) {
        for head in 0..<Self.count { weights[head * width + width - 1] = Float(value) }
    }

    func predict(_ row: [Float], head: Int) -> Double {
        let base = head * width
        var sum: Float = 0
        for place in 0..<width { sum += weights[base + place] * row[place] }
        return Double(sum)
    }

    /// The pinball loss is rounded off within `scale`, so that the median does not tremble, and steps are in its unit.
    /// - Parameter scale: the usual size of an error, in roots of minutes.
    mutating func learn(_ row: [Float], target: Double, scale: Double) {
        for head in 0..<Self.count {
            let level = Self.levels[head / Self.rates.count]
            let rate = Self.rates[head % Self.rates.count] * Float(2 * scale)
            let error = target - predict(row, head: head)
            let bounded = min(max(error / scale, -1), 1)
            let slope = Float(-(bounded * 0.5 + (level - 0.5)))
            let base = head * width
            for place in 0..<width {
                let gradient = slope * row[place]
                squares[base + place] += gradient * gradient
                weights[base + place] -= rate * gradient / squares[base + place].squareRoot()
            }
        }
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
