/// A histogram of non-negative whole numbers in the layout of HdrHistogram: buckets that double, each cut into equal
/// parts, so that every value is kept with the same relative error.
///
/// Its memory is fixed when it is made (256 KiB for three digits up to 2^40, 35 KiB for two). Recording takes a
/// few nanoseconds and allocates nothing. One thread at a time; to share one, put it into a `Locked`.
///
/// Layout: G. Tene, HdrHistogram, https://github.com/HdrHistogram/HdrHistogram (read 2025-11).
@safe
public struct Percentiles: ~Copyable {
    // Owned: `length` counters, allocated and zeroed in init, freed in deinit.
    private let counters: UnsafeMutablePointer<Int64>
    private let length: Int
    /// log2 of the parts of the first bucket; the others have half as many.
    private let partBits: Int
    /// The greatest value told apart; greater ones count as this one, except in `max`.
    public let highest: Int64
    /// How many values were recorded.
    public private(set) var count: Int64 = 0
    /// The greatest value recorded, exactly; 0 when there is none.
    public private(set) var max: Int64 = 0
    /// The least value recorded, exactly; 0 when there is none.
    public private(set) var min: Int64 = 0
    private var sum: Double = 0

    /// An empty histogram for values from 0 to `highest`, kept to `digits` (1 to 4) significant decimal digits.
    public init(highest: Int64 = 1 << 40, digits: Int = 3) {
        precondition(highest >= 1 && highest <= 1 << 60, "the highest value lies between 1 and 2^60")
        precondition((1...4).contains(digits), "from one to four digits")
        var parts = 2
        for _ in 0..<digits { parts *= 10 }
        partBits = Int.bitWidth - (parts - 1).leadingZeroBitCount
        self.highest = highest
        length = Percentiles.index(of: highest, partBits: partBits) + 1
        unsafe counters = .allocate(capacity: length)
        unsafe counters.initialize(repeating: 0, count: length)
    }

    deinit {
        unsafe counters.deallocate()
    }

    /// Counts a value, `times` over. One below 0 counts as 0.
    public mutating func record(_ value: Int64, times: Int64 = 1) {
        guard times > 0 else { return }
        let value = Swift.max(0, value)
        // In range: 0 <= value <= highest, and length was made for highest.
        let index = Percentiles.index(of: Swift.min(value, highest), partBits: partBits)
        let counters = unsafe counters
        // 2^63 recordings do not happen.
        unsafe counters[index] &+= times
        min = count == 0 ? value : Swift.min(min, value)
        max = Swift.max(max, value)
        count &+= times
        sum += Double(value) * Double(times)
    }

    /// The value that this share (0 to 1) of the recorded ones do not exceed, within the relative error; 0 when there
    /// is none. `value(at: 0.99)` is the 99th percentile.
    ///
    /// - Complexity: one pass over the counters.
    public func value(at share: Double) -> Int64 {
        guard count > 0 else { return 0 }
        let wanted = Swift.max(1, Int64((Swift.min(1, Swift.max(0, share)) * Double(count)).rounded(.up)))
        var passed: Int64 = 0
        for index in 0..<length {
            unsafe passed += counters[index]
            if passed >= wanted {
                // The top of the bucket, but never more than was really seen.
                return Swift.min(Swift.max(top(ofIndex: index), min), max)
            }
        }
        return max
    }

    /// The mean of the recorded values, exactly up to the rounding of doubles; 0 when there is none.
    public var mean: Double { count > 0 ? sum / Double(count) : 0 }

    /// Adds all that another histogram of the same shape has counted.
    public mutating func merge(_ other: borrowing Percentiles) {
        precondition(other.length == length && other.partBits == partBits, "histograms of different shapes")
        guard other.count > 0 else { return }
        let counters = unsafe counters
        // Sums of counts that were recorded: as bounded as they are.
        for index in 0..<length { unsafe counters[index] &+= other.counters[index] }
        min = count == 0 ? other.min : Swift.min(min, other.min)
        max = Swift.max(max, other.max)
        count &+= other.count
        sum += other.sum
    }

    /// Forgets everything.
    public mutating func reset() {
        unsafe counters.update(repeating: 0, count: length)
        count = 0
        max = 0
        min = 0
        sum = 0
    }

    private static func index(of value: Int64, partBits: Int) -> Int {
        let bits = 64 - (UInt64(value) | (1 << UInt64(partBits) - 1)).leadingZeroBitCount
        let bucket = bits - partBits
        let half = 1 << (partBits - 1)
        return (bucket + 1) * half + (Int(value) >> bucket) - half
    }

    /// The greatest value that shares its counter.
    private func top(ofIndex index: Int) -> Int64 {
        let half = 1 << (partBits - 1)
        var bucket = index / half - 1
        var part = index % half + half
        if bucket < 0 {
            bucket = 0
            part -= half
        }
        return Int64(part) << Int64(bucket) + (Int64(1) << Int64(bucket) - 1)
    }
}
