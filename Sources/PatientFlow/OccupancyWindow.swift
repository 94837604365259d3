/// What happened in a sector in a window: the values of a row of `gold.occupancy_window` that follow from events.
///
/// Capacity and the rate of occupancy are the database's own; revision and closing are not values of the picture.
public struct OccupancyWindow: Sendable, Equatable {
    /// Which window.
    public var key: WindowKey
    /// Patients who came.
    public var arrivals = 0
    /// Patients who came from another sector.
    public var transfersIn = 0
    /// Patients who went to another sector.
    public var transfersOut = 0
    /// Waits that ended.
    public var treatmentStarts = 0
    /// Patients who went, after treatment or without a word of it.
    public var departures = 0
    /// Patients who went unseen.
    public var leftWithoutBeingSeen = 0
    /// Present just before the start.
    public var censusStart = 0
    /// Present just before the end.
    public var censusEnd = 0
    /// Most who were present at one instant.
    public var censusMax = 0
    /// Present on average over time.
    public var censusMean = 0.0
    /// Waiting just before the end.
    public var waitingEnd = 0
    /// Most who waited at one instant.
    public var waitingMax = 0
    /// In treatment just before the end.
    public var inTreatmentEnd = 0
    /// Of these, still where treatment began 4 hours or more ago.
    public var boardingEnd = 0
    /// Mean of the waits that ended; nil when none did.
    public var waitMeanMinutes: Double?
    /// Their median, nearest rank.
    public var waitP50Minutes: Double?
    /// Their 90th percentile, nearest rank.
    public var waitP90Minutes: Double?
    /// The longest of the waits that still ran just before the end; nil when nobody waited.
    public var longestCurrentWaitMinutes: Double?
    /// The share of those who went within 4 hours of their arrival; nil when nobody went.
    public var fourHourShare: Double?

    /// A window in which nothing happened and nobody was.
    public init(key: WindowKey) {
        self.key = key
    }
}
