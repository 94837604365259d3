/// Recursive least squares with forgetting: the mean of the root of the wait, as a linear function of the features.
struct LeastSquares {
    private let width: Int
    private let forgetting: Double
    /// The inverse of the weighted moment matrix, row by row; symmetric to the bit.
    private var inverse: [Double]
    private(set) var weights: [Double]
    private var product: [Double]

    /// - Parameter width: of a row, its constant (the last) included.
    init(width: Int, forgetting: Double = 0.9995, ridge: Double = 10) {
        self.width = width
        self.forgetting = forgetting
        inverse = Array(repeating: 0, count: width * width)
        for place in 0..<width { inverse[place * width + place] = 1 / ridge }
        weights = Array(repeating: 0, count: width)
        product = Array(repeating: 0, count: width)
    }

    func predict(_ row: [Double]) -> Double {
        var sum = 0.0
        for place in 0..<width { sum += weights[place] * row[place] }
        return sum
    }

    /// Starts from a constant.
    mutating func begin(at value: Double) { weights[width - 1] = value }

    mutating func learn(_ row: [Double], target: Double) {
        let error = target - predict(row)
        for place in 0..<width { product[place] = 0 }
        // By rows of a symmetric matrix: the compiler makes vectors of it without changing the order of any sum.
        for line in 0..<width {
            let factor = row[line]
            let base = line * width
            for place in 0..<width { product[place] += factor * inverse[base + place] }
        }
        var energy = 0.0
        var trace = 0.0
        for place in 0..<width {
            energy += row[place] * product[place]
            trace += inverse[place * width + place]
        }
        // Features that never vary would let the matrix grow without end.
        let keep = trace > 10 * Double(width) ? 1.0 : forgetting
        let gain = 1 / (keep + energy)
        for place in 0..<width { weights[place] += gain * product[place] * error }
        let grow = 1 / keep
        for line in 0..<width {
            let factor = product[line]
            let base = line * width
            for place in 0..<width {
                inverse[base + place] = (inverse[base + place] - (factor * product[place]) * gain) * grow
            }
        }
    }

    func write(to writer: inout StateWriter) {
        writer.put(weights)
        for line in 0..<width { for place in line..<width { writer.put(inverse[line * width + place]) } }
    }

    mutating func read(from reader: inout StateReader) throws(StateError) {
        weights = try reader.doubles(width)
        for line in 0..<width {
            for place in line..<width {
                let value = try reader.double()
                inverse[line * width + place] = value
                inverse[place * width + line] = value
            }
        }
    }
}
