/// Offsets as half-open ranges that neither touch nor overlap, in ascending order.
struct LogFoldRanges: Equatable {
    private(set) var ranges: [Range<Int64>] = []

    /// All offsets that any of the given ranges holds.
    init(union given: [Range<Int64>] = []) {
        for range in given.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
    }

    /// How many offsets there are.
    var count: Int64 { ranges.reduce(0) { $0 + $1.upperBound - $1.lowerBound } }
    /// The least offset, 0 for none.
    var lowerBound: Int64 { ranges.first?.lowerBound ?? 0 }
    /// One past the greatest offset, 0 for none.
    var upperBound: Int64 { ranges.last?.upperBound ?? 0 }

    /// Whether the offset is one of them.
    func contains(_ offset: Int64) -> Bool { ranges.contains { $0.contains(offset) } }

    /// Those that `other` has not.
    func subtracting(_ other: LogFoldRanges) -> LogFoldRanges {
        var rest: [Range<Int64>] = []
        for range in ranges {
            var from = range.lowerBound
            for cut in other.ranges where cut.upperBound > from && cut.lowerBound < range.upperBound {
                if cut.lowerBound > from { rest.append(from..<cut.lowerBound) }
                from = cut.upperBound
            }
            if from < range.upperBound { rest.append(from..<range.upperBound) }
        }
        return LogFoldRanges(union: rest)
    }
}
