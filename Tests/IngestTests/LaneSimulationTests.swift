import Testing

/// Random faults at every step, one oracle: the log folded one message at a time gives the same tables.
///
/// A failing seed is printed, and becomes an argument of the last test.
@Suite struct LaneSimulationTests {
    private static let seedsPerRun = 25

    @Test(arguments: 0..<12 as Range<UInt64>)
    func `whatever fails, rows, history, letters, ledger and offsets are those of the log`(run: UInt64) {
        let count = UInt64(Self.seedsPerRun)
        for seed in run * count..<(run + 1) * count { LaneSimulation(seed: seed, wanders: false).run() }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `whatever fails, counts are exact even when patients speak through several partitions`(run: UInt64) {
        let count = UInt64(Self.seedsPerRun)
        for seed in run * count..<(run + 1) * count { LaneSimulation(seed: seed, wanders: true).run() }
    }
}
