/// How far another machine's clock is ahead of this one's, as far as can be told: a range of milliseconds, negative
/// where it is behind.
public struct ClockDifference: Hashable, Sendable {
    /// It is ahead by at least this; nil: not known.
    public let least: Int64?
    /// It is ahead by at most this; nil: not known.
    public let most: Int64?

    /// What the difference means for whoever relies on both clocks.
    public enum Verdict: Hashable, Sendable {
        /// Certainly within the tolerance.
        case agrees
        /// Ahead by more than the tolerance, at least by these milliseconds.
        case ahead(Int64)
        /// Behind by more than the tolerance, at least by these milliseconds.
        case behind(Int64)
        /// Neither is certain.
        case unknown
    }

    /// From a time that the other clock has written, in milliseconds since 1970, and the times of this clock between
    /// which it was written. `after` nil: nobody knows how long ago that was, so it may be old, and only a time that is
    /// yet to come says something.
    public init(written: Int64, after: Int64?, before: Int64) {
        least = written - before
        most = after.map { written - $0 }
    }

    /// Whether the two agree within so many milliseconds.
    public func verdict(tolerance: Int64) -> Verdict {
        if let least, least > tolerance { return .ahead(least) }
        if let most, most < -tolerance { return .behind(-most) }
        guard let least, let most, least >= -tolerance, most <= tolerance else { return .unknown }
        return .agrees
    }
}
