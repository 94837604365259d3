/// How far event time has got in one partition: nothing earlier is expected any more, though it may come.
///
/// It follows the newest event time at a distance, never goes back, and when nothing comes for a while it goes on by
/// the time waited, not to the wall clock: a replay of old data closes old windows, not today's.
/// It decides when a window counts as closed and nothing else. Clocks come in as values; they need not be wall clocks.
public struct Watermark: Sendable, Equatable {
    /// What every partition goes by.
    public struct Settings: Sendable, Equatable {
        /// The distance to the newest event time, 0 or more.
        public var allowedLatenessMilliseconds: Int64
        /// For how long nothing comes before waiting counts, 0 or more.
        public var idleAfterMilliseconds: Int64

        /// Settings; the product's are ten minutes and one.
        public init(allowedLatenessMilliseconds: Int64 = 600_000, idleAfterMilliseconds: Int64 = 60_000) {
            precondition(allowedLatenessMilliseconds >= 0 && idleAfterMilliseconds >= 0, "settings are not negative")
            self.allowedLatenessMilliseconds = allowedLatenessMilliseconds
            self.idleAfterMilliseconds = idleAfterMilliseconds
        }
    }

    /// Milliseconds since 1970 UTC; a window is closed when its end is at or below. Nil before the first event.
    public private(set) var instant: Int64?

    private let settings: Settings
    /// What it was when something came last, and when that was by the caller's clock.
    private var base: Base?

    private struct Base: Sendable, Equatable {
        let instant: Int64
        let heardAt: Int64
    }

    /// The watermark of a partition of which nothing is known, or that had got to `instant` before.
    public init(_ settings: Settings, instant: Int64? = nil) {
        self.settings = settings
        self.instant = instant
    }

    /// Something came at `now`: an event of a time, or with nil a message that is no event (it too ends an idle time).
    public mutating func hear(_ eventTime: Int64?, now: Int64) {
        if let eventTime {
            let level = eventTime - settings.allowedLatenessMilliseconds
            instant = max(instant ?? level, level)
        }
        base = instant.map { Base(instant: $0, heardAt: now) }
    }

    /// Time went by; a clock that goes back changes nothing.
    public mutating func wait(now: Int64) {
        guard let base, let instant else { return }
        let waited = now - base.heardAt - settings.idleAfterMilliseconds
        self.instant = max(instant, base.instant + max(0, waited))
    }

    /// Whether a window that ends at an instant is closed.
    public func hasPassed(_ end: Int64) -> Bool {
        instant.map { end <= $0 } ?? false
    }
}
