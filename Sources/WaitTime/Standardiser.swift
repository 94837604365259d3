/// Running mean and deviation of each feature over the arrivals seen, and features in those units, within 6 of them.
struct Standardiser {
    /// How far from the mean a feature may lie, in standard deviations.
    static let clip = 6.0
    private(set) var count = 1.0
    private(set) var means: [Double]
    private(set) var squares: [Double]

    init(width: Int) {
        means = Array(repeating: 0, count: width)
        squares = Array(repeating: 1, count: width)
    }

    mutating func add(_ row: [Double]) {
        count += 1
        for place in means.indices {
            let difference = row[place] - means[place]
            means[place] += difference / count
            squares[place] += difference * (row[place] - means[place])
        }
    }

    /// Standardised, with a last 1 for the constant, in steps that `Pending` can keep.
    func standardise(_ row: [Double], into standard: inout [Double]) {
        standard.removeAll(keepingCapacity: true)
        for place in means.indices {
            let value = (row[place] - means[place]) / (squares[place] / count + 1e-6).squareRoot()
            standard.append(Packed.feature(Packed.pack(feature: value)))
        }
        standard.append(1)
    }

    func write(to writer: inout StateWriter) {
        writer.put(count)
        writer.put(means)
        writer.put(squares)
    }

    init(width: Int, from reader: inout StateReader) throws(StateError) {
        count = try reader.double()
        means = try reader.doubles(width)
        squares = try reader.doubles(width)
    }
}

/// Numbers in two bytes, for what must be kept until a wait ends.
enum Packed {
    /// A feature in standard deviations, cut at ±6.
    static func pack(feature: Double) -> Int16 {
        guard feature.isFinite else { return 0 }
        let bounded = min(max(feature, -Standardiser.clip), Standardiser.clip)
        return Int16((bounded * 5_461).rounded())
    }

    static func feature(_ packed: Int16) -> Double { Double(packed) / 5_461 }

    /// A root of minutes, 0 to 32.
    static func pack(root: Double) -> UInt16 {
        guard root.isFinite else { return 0 }
        return UInt16((min(max(root, 0), 32) * 2_047).rounded())
    }

    static func root(_ packed: UInt16) -> Double { Double(packed) / 2_047 }
}
