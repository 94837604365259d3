import ChaosLaboratory
import Service
import Testing

/// A minute of `make chaos`: real processes, faults drawn from a seed, every promise judged at the end.
@Suite(.serialized, .ownThread) struct ChaosTests {
    /// Long enough for a dozen faults on the slowest machine.
    private static let seconds = 60

    @Test func `a minute of faults on real processes breaks no promise`() throws {
        // Another draw each day; the seed is told, and `make chaos SEED=` repeats it.
        let seed = UInt64(WallClock.nowMilliseconds() / 86_400_000)
        var lines: [String] = []
        // Other tests run at the same time: how soon it recovers is judged by `make chaos`.
        let report = try ChaosRun.run(seconds: Self.seconds, seed: seed, rate: 1_500, recoveryLimit: .seconds(30)) {
            lines.append($0)
        }
        let text = lines.suffix(60).joined(separator: "\n")
        #expect(report.violations.isEmpty, "seed \(seed)\n\(text)")
        #expect(report.faultCount >= 10, "seed \(seed)\n\(text)")
        #expect(report.messages > 30_000)
        print(report.verdict + " (seed \(seed))")
    }
}
