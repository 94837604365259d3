/// What events brought, in the order in which it was said: rows for the database, ready as they stand.
public struct FlowPredictions: Sendable {
    /// When a wait was predicted.
    public enum Occasion: Sendable {
        /// As the patient came.
        case arrival
        /// At the end of a window in which the patient still waited.
        case refresh
    }

    /// A predicted wait, with what its row needs. Its instant is `prediction.timestamp`.
    public struct Wait: Sendable, Equatable {
        /// The visit's own id.
        public let visitID: String
        /// Where the patient waits.
        public let sector: String
        /// When it was said.
        public let occasion: Occasion
        /// What was said.
        public let prediction: WaitPrediction
    }

    /// A wait of which both ends are known now: outcomes of the visit's predictions can be written.
    public struct Label: Sendable, Equatable {
        /// The visit's own id.
        public let visitID: String
        /// From arrival to start of treatment in milliseconds, as the log had it by then.
        public let waitMilliseconds: Int64
    }

    /// Arrivals and refreshes.
    public internal(set) var waits: [Wait] = []
    /// One for each sector and window's end.
    public internal(set) var forecasts: [SectorForecast] = []
    /// One for each visit whose wait became known.
    public internal(set) var labels: [Label] = []

    /// Nothing has been said.
    public init() {}
}

/// A number that is expected, and the interval that holds it nine times of ten. In whole ten thousandths.
public struct ExpectedCount: Sendable, Equatable {
    /// Of arrivals the mean, of patients present the median.
    public let expected: Double
    /// The lower bound of the interval of 90 %.
    public let lower90: Double
    /// The upper bound.
    public let upper90: Double

    init(_ forecast: CountForecast) {
        let quantiles = forecast.quantiles([0.05, 0.5, 0.95]).map { Self.told($0) }
        let middle = Self.told(forecast.variance == nil ? quantiles[1] : forecast.mean)
        lower90 = min(quantiles[0], quantiles[2])
        upper90 = max(quantiles[0], quantiles[2])
        expected = min(max(middle, lower90), upper90)
    }

    private static func told(_ count: Double) -> Double { (count * Told.steps).rounded() / Told.steps }
}

/// What a sector will be like some hours from a window's end, by what was known then.
public struct SectorForecast: Sendable, Equatable {
    /// Which sector.
    public let sector: String
    /// The window's end, milliseconds.
    public let timestamp: Int64
    /// Arrivals in the hour that ends 1, 4 and 24 hours from then, in the order of `FlowPredictor.horizons`.
    public let arrivals: [ExpectedCount]
    /// Patients present, waiting or in treatment, 1, 4 and 24 hours from then.
    public let occupancy: [ExpectedCount]
}
