/// How many messages of one partition fell into each class that validation lets through.
public struct VerdictCounts: BitwiseCopyable, Sendable, Equatable {
    /// Messages whose key was new.
    public var inserted: Int64 = 0
    /// Messages that only added vital signs.
    public var merged: Int64 = 0
    /// Messages that replaced a stored value.
    public var corrected: Int64 = 0
    /// Messages that said nothing new.
    public var duplicate: Int64 = 0
    /// Messages that disagreed with what is stored but stand earlier.
    public var stale: Int64 = 0

    /// No message yet.
    public init() {}

    mutating func count(_ verdict: Verdict) {
        switch verdict {
        case .inserted: inserted += 1
        case .merged: merged += 1
        case .corrected: corrected += 1
        case .duplicate: duplicate += 1
        case .stale: stale += 1
        }
    }
}
