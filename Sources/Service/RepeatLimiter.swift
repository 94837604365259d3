/// Decides which repeats of a log line are written. A value with a bounded memory; the clock comes in.
struct RepeatLimiter {
    /// What counts as the same line.
    struct Key: Hashable {
        let message: String
        let key: String
    }

    enum Verdict: Equatable {
        /// Write it, and say that so many before it were not.
        case write(suppressed: Int)
        case suppress
    }

    private struct Entry {
        var windowStart: MonotonicTime
        var written = 0
        var suppressed = 0
    }

    /// Lines of one key in `commonWindow` when the caller names no limit.
    static let commonBurst = 100
    static let commonWindow = Duration.seconds(10)
    /// Keys remembered; beyond it the oldest is forgotten.
    static let mostKeys = 512

    private var entries: [Key: Entry] = [:]

    /// Counts a line, and says whether to write it.
    mutating func admit(_ key: Key, every: Duration?, at now: MonotonicTime) -> Verdict {
        let window = every ?? RepeatLimiter.commonWindow
        let burst = every == nil ? RepeatLimiter.commonBurst : 1
        guard var entry = entries[key] else {
            makeRoom()
            entries[key] = Entry(windowStart: now, written: 1)
            return .write(suppressed: 0)
        }
        if now - entry.windowStart >= window {
            let suppressed = entry.suppressed
            entry = Entry(windowStart: now, written: 1)
            entries[key] = entry
            return .write(suppressed: suppressed)
        }
        if entry.written < burst {
            entry.written += 1
            entries[key] = entry
            return .write(suppressed: 0)
        }
        entry.suppressed += 1
        entries[key] = entry
        return .suppress
    }

    /// The messages with lines held back, and how many; they start anew.
    mutating func takeSuppressed(at now: MonotonicTime) -> [(message: String, suppressed: Int)] {
        let held = entries.filter { $0.value.suppressed > 0 }
        for key in held.keys { entries[key] = Entry(windowStart: now, written: 1) }
        return held.map { ($0.key.message, $0.value.suppressed) }.sorted { $0.message < $1.message }
    }

    private mutating func makeRoom() {
        guard entries.count >= RepeatLimiter.mostKeys else { return }
        // Rare, and 512 entries: a scan costs less than an order kept at every line.
        if let oldest = entries.min(by: { $0.value.windowStart < $1.value.windowStart }) {
            entries[oldest.key] = nil
        }
    }
}
