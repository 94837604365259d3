/// The last waits by acuity and hour of the day (UTC) of the arrival, for their median.
struct HourlyMedians {
    static let kept = 20
    static let least = 8
    /// Minutes, 5 × 24 cells.
    private(set) var cells = [Ring<Float>](repeating: Ring(capacity: kept), count: 5 * 24)

    init() {}

    mutating func add(wait: Int64, acuity: Int, arrivedAt: Int64) {
        cells[Self.cell(acuity, arrivedAt)].append(Float(Double(wait) / 60_000))
    }

    /// The median in minutes; nil while there are too few.
    func median(acuity: Int, arrivedAt: Int64) -> Double? {
        let cell = cells[Self.cell(acuity, arrivedAt)]
        guard cell.count >= Self.least else { return nil }
        let sorted = cell.inOrder.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1
            ? Double(sorted[middle]) : (Double(sorted[middle - 1]) + Double(sorted[middle])) / 2
    }

    private static func cell(_ acuity: Int, _ time: Int64) -> Int {
        (acuity - 1) * 24 + Int((time % 86_400_000 + 86_400_000) % 86_400_000 / 3_600_000)
    }

    func write(to writer: inout StateWriter) {
        for cell in cells { writer.put(cell) { writer, value in writer.put(value) } }
    }

    init(from reader: inout StateReader) throws(StateError) {
        for place in cells.indices {
            cells[place] = try reader.ring(capacity: Self.kept) { reader throws(StateError) in try reader.float() }
        }
    }
}
