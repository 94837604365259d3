/// Numbers as they are told and stored.
enum Told {
    /// Minutes are told in whole ten thousandths, 6 ms.
    static let steps = 10_000.0

    /// The square of a root of minutes in whole steps, and in whole steps no less than what has passed.
    static func minutes(ofRoot root: Double, atLeast waited: Double) -> Double {
        max((root * root * steps).rounded(), (waited * steps).rounded(.up)) / steps
    }
}

/// The wait until treatment of one patient, as predicted at one instant. Minutes from the arrival, in whole ten
/// thousandths, so that a table that keeps a double keeps what was said.
public struct WaitPrediction: Sendable, Equatable {
    /// Which model says it: another feature or expert makes another.
    public static let modelVersion = "waits-\(SectorPredictor.stateVersion)"

    /// The names of `expertWeights`.
    public static let expertNames = Learner.expertNames

    /// A feature and how far it moved the prediction.
    public struct Mover: Sendable, Equatable {
        /// Place of the feature in `WaitPrediction.featureNames`.
        public let feature: Int
        /// How far the learnt experts, by their weights, were moved by its distance from its mean; roots of minutes,
        /// above 0 to longer waits.
        public let shift: Double
        /// The feature's name.
        public var name: String { Features.names[feature] }
    }

    /// The names of the features, in their order.
    public static let featureNames = Features.names

    /// Whose wait; nil for a patient who might come.
    public let visit: VisitKey?
    /// Event time at which it was predicted, milliseconds.
    public let timestamp: Int64
    /// 1 to 5; 3 while it is not known.
    public let acuity: Int
    /// The median.
    public let predictedMinutes: Double
    /// Lower and upper bound of the intervals of 50, 80 and 90 %, in this order, each within the next.
    public let intervals: [ClosedRange<Double>]
    /// At 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95; ascending.
    public let quantiles: [Double]
    /// How much each expert counts for the median, in the order of `expertNames`; their sum is 1.
    public let expertWeights: [Double]
    /// The three features that moved it most, the first the most.
    public let movers: [Mover]

    /// Weights and movers as a JSON object, `{"experts": {"ra10": 0.41}, "movers": {"root_waiting": 0.83}}`: weights
    /// from 0.01 on, in the order of `expertNames`, and the movers' shifts; all in thousandths.
    public var explanation: String {
        var experts: [String] = []
        for (name, weight) in zip(Self.expertNames, expertWeights) where weight >= 0.01 {
            experts.append("\"\(name)\": \(Self.thousandths(weight))")
        }
        let shifts = movers.map { "\"\($0.name)\": \(Self.thousandths($0.shift))" }
        return "{\"experts\": {\(experts.joined(separator: ", "))}, \"movers\": {\(shifts.joined(separator: ", "))}}"
    }

    private static func thousandths(_ number: Double) -> Double { (number * 1_000).rounded() / 1_000 }
}
