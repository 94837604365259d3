/// All scenarios, in the order in which they run.
enum Scenarios {
    typealias Body = @Sendable (inout Stage) throws -> ScenarioResult

    static let all: [(name: String, isQuick: Bool, body: Body)] = [
        ("backlog", true, { try BacklogScenario.oneLane(&$0) })
    ]

    static var names: [String] { all.map(\.name) }
}

/// What one scenario hands to those after it: topics that are filled already.
struct Stage {
    let bench: Bench
    /// The topic of the backlog, once it is filled.
    var backlog: (topic: String, workload: Workload)?
    /// Messages a second of the first scenario.
    var backlogRate: Double?

    init(_ bench: Bench) {
        self.bench = bench
    }

    var isQuick: Bool { bench.options.isQuick }
}
