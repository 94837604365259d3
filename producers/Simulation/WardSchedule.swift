/// In which order the patients of a simulation are measured: continuously, half as often, or a quarter as often.
///
/// Half of the patients are read in every round, a quarter in every second and a quarter in every fourth; four
/// rounds make the cycle, which repeats for ever.
public struct WardSchedule: Sendable {
    /// Indices of the patients, in the order in which they are measured during one cycle.
    let cycle: [Int32]
    /// Rounds in one cycle.
    static let rounds = 4

    /// A schedule of `patientCount` patients, which must be positive.
    public init(patientCount: Int) {
        precondition(patientCount > 0, "a ward without patients measures nothing")
        var order: [Int32] = []
        for round in 0..<Self.rounds {
            for patient in 0..<patientCount where (round + patient) % Self.period(of: patient) == 0 {
                order.append(Int32(patient))
            }
        }
        cycle = order
    }

    /// Readings of one round, on average.
    public var readingsPerRound: Double { Double(cycle.count) / Double(Self.rounds) }

    /// The fewest places of the cycle between two readings of the same patient; 1 for a single patient.
    var shortestGap: Int {
        var lastPlace: [Int32: Int] = [:]
        var shortest = cycle.count
        for place in 0..<(2 * cycle.count) {
            let patient = cycle[place % cycle.count]
            if let last = lastPlace[patient] { shortest = min(shortest, place - last) }
            lastPlace[patient] = place
        }
        return shortest
    }

    private static func period(of patient: Int) -> Int {
        switch patient % 8 {
        case 0...3: 1
        case 4, 5: 2
        default: 4
        }
    }
}
