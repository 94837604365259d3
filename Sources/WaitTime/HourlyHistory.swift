/// The last weeks of an hourly series, on the scale on which counts have an even spread: the root of count + 3/8
/// (Anscombe, Biometrika 35, 1948, doi:10.1093/biomet/35.3-4.246).
struct HourlyHistory {
    static let week = 168
    static let weeks = 8
    /// Eight weeks, and the days by which a forecast may reach ahead.
    static let kept = weeks * week + 72

    /// Hours since 1970 of the newest value; nil before the first.
    private(set) var newest: Int64?
    /// By hour modulo `kept`; not a number where nothing was seen.
    private var values = [Float](repeating: .nan, count: kept)

    /// The mean root by hour of the week over about half a year, and how many it has seen.
    private var slow = [Float](repeating: 0, count: week)
    private var slowCounts = [UInt8](repeating: 0, count: week)

    /// Takes the value of an hour later than all before; the hours between are missing.
    mutating func add(_ value: Double?, hour: Int64) {
        let first = max((newest ?? hour - 1) + 1, hour - Int64(Self.kept) + 1)
        if first < hour { for missing in first..<hour { values[Self.place(missing)] = .nan } }
        values[Self.place(hour)] = value.map { Float(Self.root($0)) } ?? .nan
        newest = hour
        guard let value else { return }
        let cell = Self.weekHour(hour)
        slowCounts[cell] = min(30, slowCounts[cell] + 1)
        slow[cell] += (Float(Self.root(value)) - slow[cell]) / Float(slowCounts[cell])
    }

    /// Whether it can be an hour since 1970: within 100,000 years.
    static func isHour(_ hour: Int64) -> Bool { (-1_000_000_000...1_000_000_000).contains(hour) }

    private static func weekHour(_ hour: Int64) -> Int { Int((hour % Int64(week) + Int64(week)) % Int64(week)) }

    /// The mean root of the hour of the week over about half a year; nil where there was none.
    func slowProfile(at hour: Int64) -> Double? {
        let cell = Self.weekHour(hour)
        return slowCounts[cell] > 0 ? Double(slow[cell]) : nil
    }

    /// The root at an hour; nil where it is missing, forgotten or yet to come.
    func root(at hour: Int64) -> Double? {
        guard let newest, hour <= newest, newest - hour < Int64(Self.kept) else { return nil }
        let value = values[Self.place(hour)]
        return value.isNaN ? nil : Double(value)
    }

    static func root(_ count: Double) -> Double { (max(0, count) + 0.375).squareRoot() }

    private static func place(_ hour: Int64) -> Int {
        Int((hour % Int64(kept) + Int64(kept)) % Int64(kept))
    }

    /// The mean root of the same hour of the week, over the eight weeks before; nil where there was none.
    func profile(at hour: Int64) -> Double? {
        mean((1...Self.weeks).compactMap { root(at: hour - Int64($0 * Self.week)) })
    }

    /// The mean root of the same hour of the last seven days that are known.
    func daily(at hour: Int64) -> Double? {
        let first = max(1, (max(0, hour - (newest ?? hour)) + 23) / 24)
        return mean((first..<first + 7).compactMap { root(at: hour - $0 * 24) })
    }

    /// The mean root of the last hours, and the mean distance from their profile.
    func recent(_ hours: Int64) -> (level: Double, deviation: Double, slow: Double)? {
        guard let newest else { return nil }
        var level = 0.0
        var deviation = 0.0
        var slow = 0.0
        var count = 0.0
        for hour in newest - hours + 1...newest {
            guard let value = root(at: hour) else { continue }
            level += value
            deviation += value - (profile(at: hour) ?? value)
            slow += value - (slowProfile(at: hour) ?? value)
            count += 1
        }
        return count > 0 ? (level / count, deviation / count, slow / count) : nil
    }

    private func mean(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }

    func write(to writer: inout StateWriter) {
        writer.put(newest ?? .min)
        writer.put(values)
        writer.put(slow)
        for count in slowCounts { writer.put(byte: Int(count)) }
    }

    mutating func read(from reader: inout StateReader) throws(StateError) {
        let hour = try reader.int64()
        guard hour == .min || Self.isHour(hour) else { throw .damaged }
        newest = hour == .min ? nil : hour
        values = try reader.floats(Self.kept)
        slow = try reader.floats(Self.week)
        for place in slowCounts.indices { slowCounts[place] = UInt8(try reader.byte()) }
    }
}
