/// Which window of a facility: a row of `gold.occupancy_window` within it.
public struct WindowKey: Hashable, Comparable, Sendable {
    /// The first instant, milliseconds since 1970 UTC; a multiple of the length.
    public var start: Int64
    /// Its length.
    public var minutes: Int
    /// Where.
    public var sector: FlowName

    /// The window of a length that starts at an instant.
    public init(sector: FlowName, minutes: Int, start: Int64) {
        self.start = start
        self.minutes = minutes
        self.sector = sector
    }

    /// The window of a length that holds an instant.
    public init(sector: FlowName, minutes: Int, holding instant: Int64) {
        self.init(sector: sector, minutes: minutes, start: Self.start(holding: instant, minutes: minutes))
    }

    /// Its length in milliseconds.
    public var lengthMilliseconds: Int64 { Int64(minutes) * 60_000 }

    /// The first instant after it.
    public var end: Int64 { start + lengthMilliseconds }

    /// Whether an instant is in it.
    public func contains(_ instant: Int64) -> Bool { start <= instant && instant < end }

    /// By start, then by length, then by sector.
    public static func < (left: Self, right: Self) -> Bool {
        (left.start, left.minutes, left.sector) < (right.start, right.minutes, right.sector)
    }

    /// The start of the window of a length that holds an instant: aligned to the epoch.
    public static func start(holding instant: Int64, minutes: Int) -> Int64 {
        let length = Int64(minutes) * 60_000
        return instant - ((instant % length) + length) % length
    }
}
