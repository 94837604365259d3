/// Which part of all messages is of each kind, in millionths; what is left are new readings.
public struct MessageShares: Sendable, Equatable {
    /// Millionths that are new readings sent after newer ones of their patient.
    public var late = 0
    /// Millionths that say nothing new.
    public var duplicate = 0
    /// Millionths that add vital signs to a reading.
    public var merge = 0
    /// Millionths that change a reading.
    public var correction = 0
    /// Millionths dated more than a day ahead.
    public var future = 0
    /// Millionths that cannot be used.
    public var malformed = 0
    /// Millionths longer than is accepted.
    public var oversize = 0

    /// Nothing but new readings.
    public init() {}

    /// All shares together; more than 1,000,000 cannot be simulated.
    public var total: Int { late + duplicate + merge + correction + future + malformed + oversize }

    /// One million: the whole.
    public static let whole = 1_000_000

    /// The kind that belongs to a number from 0 to 999,999.
    func kind(at draw: Int) -> MessageKind {
        var bound = duplicate
        if draw < bound { return .duplicate }
        bound += late
        if draw < bound { return .late }
        bound += merge
        if draw < bound { return .merge }
        bound += correction
        if draw < bound { return .correction }
        bound += malformed
        if draw < bound { return .malformed }
        bound += future
        if draw < bound { return .future }
        bound += oversize
        return draw < bound ? .oversize : .reading
    }
}
