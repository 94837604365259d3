internal import Service

/// All scenarios, in the order in which they run.
enum Scenarios {
    typealias Body = @Sendable (inout Stage) throws -> ScenarioResult

    static let all: [(name: String, isQuick: Bool, body: Body)] = [
        ("backlog", true, { try BacklogScenario.oneLane(&$0) }),
        ("backlog-2", true, { try BacklogScenario.twoLanes(&$0) }),
        ("backlog-full", false, { try BacklogScenario.fullMessages(&$0) }),
        ("mixed", true, { try BacklogScenario.mixed(&$0) }),
        ("duplicates", true, { try BacklogScenario.duplicates(&$0) }),
        ("replay", true, { try BacklogScenario.replay(&$0) }),
        (
            "latency-20000", false,
            { try LatencyScenario.run(&$0, rate: 20_000, bounds: (p50: (2.0, 1.4), p99: (1.5, 1.0))) }
        ),
        (
            "latency-100", false,
            { try LatencyScenario.run(&$0, rate: 100, bounds: (p50: (1.0, 0.8), p99: (1.0, 0.7))) }
        ),
        ("large-1", false, { try BulkScenarios.largeData(&$0, kilobytes: 1) }),
        ("large-16", false, { try BulkScenarios.largeData(&$0, kilobytes: 16) }),
        ("memory", false, { try BulkScenarios.memory(&$0) }),
        ("restart", false, { try BulkScenarios.restart(&$0) }),
        ("lanes", false, { try BacklogScenario.lanes(&$0) }),
        ("stages", true, { try StageScenario.run(&$0) }),
        ("growth", false, { try GrowthScenario.run(&$0) }),
    ]

    static var names: [String] { all.map(\.name) }
}

/// What one scenario hands to those after it.
struct Stage {
    let bench: Bench
    /// The topic of the backlog, once it is filled.
    var backlog: (topic: String, workload: Workload)?
    /// The backlog by number of lanes, as far as it was measured.
    var rates: [Int: Drain] = [:]

    init(_ bench: Bench) {
        self.bench = bench
    }

    var isQuick: Bool { bench.options.isQuick }

    /// A stream of the backlog's patients, a tenth of it when it shall be quick, and no more than the broker can hold.
    func workload(
        messages: Int, patients: Int = BacklogScenario.patients, mix: Workload.Mix = Workload.Mix(), copies: Int = 1,
        format: MessageFormat = .plain
    ) -> Workload {
        Workload(
            messages: min(bench.broker.backlogLimit / copies, isQuick ? messages / 10 : messages), patients: patients,
            start: WallClock.nowMilliseconds() - 7_200_000, mix: mix, copies: copies,
            format: format)
    }
}
