internal import Service

/// Commit latency of the last one to two minutes: two histograms that take turns, so that old values leave.
struct CommitLatency: ~Copyable {
    // Microseconds up to ten minutes, within one percent.
    private static let highest: Int64 = 600_000_000
    private var current = Percentiles(highest: highest, digits: 2)
    private var previous = Percentiles(highest: highest, digits: 2)
    private var startedAt: MonotonicTime?
    private static let window: Duration = .seconds(60)

    mutating func record(_ duration: Duration, now: MonotonicTime) {
        if let startedAt, now - startedAt > Self.window {
            swap(&current, &previous)
            current.reset()
            self.startedAt = now
        } else if startedAt == nil {
            startedAt = now
        }
        current.record(duration.wholeNanoseconds / 1_000)
    }

    /// Median and 99th percentile in milliseconds; 0 before the first commit.
    func milliseconds() -> (p50: Double, p99: Double) {
        var all = Percentiles(highest: Self.highest, digits: 2)
        all.merge(previous)
        all.merge(current)
        return (Double(all.value(at: 0.5)) / 1_000, Double(all.value(at: 0.99)) / 1_000)
    }
}
