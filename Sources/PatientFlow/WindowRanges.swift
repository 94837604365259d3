/// Stretches of time as windows see them.
enum WindowRanges {
    /// The starts of all windows of a length that touch one of the stretches and start at or before `last`, in order.
    ///
    /// A window depends on the instants from just before its start to just before its end, so one that starts where
    /// a stretch ends is among them.
    static func starts(in ranges: [ClosedRange<Int64>], minutes: Int, upTo last: Int64) -> [Int64] {
        let length = Int64(minutes) * 60_000
        var starts: [Int64] = []
        var next = Int64.min
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            var start = max(next, WindowKey.start(holding: range.lowerBound, minutes: minutes))
            while start <= min(range.upperBound, last) {
                starts.append(start)
                start += length
            }
            next = max(next, start)
        }
        return starts
    }

    /// As few half-open stretches as allowed that hold all of the given ones, in order; gaps that are narrow are
    /// closed, so that the store is asked for a little more and not for thousands of slivers.
    static func merged(_ ranges: [Range<Int64>], atMost limit: Int) -> [Range<Int64>] {
        let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
        var gap: Int64 = 0
        while true {
            var merged: [Range<Int64>] = []
            for range in sorted {
                if let last = merged.last, range.lowerBound <= last.upperBound + gap {
                    merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
                } else {
                    merged.append(range)
                }
            }
            if merged.count <= limit { return merged }
            gap = max(3_600_000, gap * 2)
        }
    }
}
