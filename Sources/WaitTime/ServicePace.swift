/// How fast a sector works when somebody waits: the time between two starts of treatment while the queue is not
/// empty, and how many are in treatment then. Both say what the staff can do, whatever the roster says.
struct ServicePace {
    /// Mean interval between busy starts, milliseconds, over about 5 and 20 of them; nil before the first.
    private(set) var fastInterval: Double?
    private(set) var slowInterval: Double?
    /// In treatment while somebody waits, over about 5 and 20 starts; nil before the first.
    private(set) var fastPlaces: Double?
    private(set) var slowPlaces: Double?
    private var lastStart: Int64?
    private var wasBusy = false

    init() {}

    /// A treatment starts, `waitingBehind` still wait, `inTreatment` are treated now.
    mutating func start(at time: Int64, waitingBehind: Int, inTreatment: Int) {
        if wasBusy, let lastStart, time >= lastStart {
            let interval = Double(time - lastStart)
            fastInterval = Self.moved(fastInterval, to: interval, by: 0.2)
            slowInterval = Self.moved(slowInterval, to: interval, by: 0.05)
        }
        wasBusy = waitingBehind > 0
        lastStart = max(lastStart ?? time, time)
        guard wasBusy else { return }
        fastPlaces = Self.moved(fastPlaces, to: Double(inTreatment), by: 0.2)
        slowPlaces = Self.moved(slowPlaces, to: Double(inTreatment), by: 0.05)
    }

    private static func moved(_ mean: Double?, to value: Double, by share: Double) -> Double {
        guard let mean else { return value }
        return mean + share * (value - mean)
    }

    func write(to writer: inout StateWriter) {
        for value in [fastInterval, slowInterval, fastPlaces, slowPlaces] { writer.put(value ?? .nan) }
        writer.put(lastStart ?? .min)
        writer.put(byte: wasBusy ? 1 : 0)
    }

    init(from reader: inout StateReader) throws(StateError) {
        fastInterval = try Self.optional(&reader)
        slowInterval = try Self.optional(&reader)
        fastPlaces = try Self.optional(&reader)
        slowPlaces = try Self.optional(&reader)
        let start = try reader.int64()
        lastStart = start == .min ? nil : start
        wasBusy = try reader.byte() == 1
    }

    private static func optional(_ reader: inout StateReader) throws(StateError) -> Double? {
        let value = try reader.double()
        return value.isNaN ? nil : value
    }
}
