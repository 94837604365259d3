import LaneLaboratory
import Service
import TestSupport
import Testing

/// Random faults at every step, one oracle: the log folded one message at a time gives the same tables.
///
/// A failing seed is printed with its trace and the command that repeats it. What it has found becomes a test of the
/// lane's own, since a seed means something else as soon as the generator draws something new.
@Suite(.serialized) struct FaultSimulationTests {
    private static let seeds: Range<UInt64> = 0..<10_000

    @Test func `whatever fails, no promise is broken`() throws {
        let total = try SimulationRun(seeds: Self.seeds).run(threads: HostProcess.processorCount)
        for failure in total.failures.prefix(2) { Issue.record("\(SimulationRun.report(seed: failure.seed))") }
        #expect(total.failures.isEmpty)
        #expect(total.seeds == Self.seeds.count)
        let missing = SimulatedFault.allCases.filter { total.faults[$0, default: 0] < 300 }
        #expect(missing.isEmpty, "hardly ever tried: \(missing)")
        print("simulation: \(total.seeds) seeds, \(total.violationCount) violations")
    }

    @Test func `a seed tells the same story twice`() {
        for seed in 0..<20 as Range<UInt64> {
            #expect(SimulationRun.report(seed: seed) == SimulationRun.report(seed: seed))
        }
    }

    @Test(arguments: Mutation.allCases)
    func `a safeguard that is missing is noticed`(mutation: Mutation) {
        let verdict = MutantTrial.run(mutation)
        print(verdict.line)
        #expect(verdict.caughtBy != nil, "survived: \(mutation.rawValue)")
    }

    @Test func `no program that is released knows of a mutation`() throws {
        let names = Mutation.allCases.map(\.rawValue) + ["LaneLaboratory", "ChaosLaboratory"]
        func known(to program: String) throws -> [String] {
            let text = try FileSystem.readFile(Programs.path(program))
            return names.filter { text.contains($0.utf8) }
        }
        for program in ["vitalstream", "vitals-producer", "duplicate-vitals-producer", "patient-flow-producer"] {
            #expect(try known(to: program).isEmpty)
        }
        // Or it would be looking for something that no program holds.
        #expect(try known(to: "vitalstream-lab").count == names.count)
    }

    @Test(arguments: [1, 1_000] as [UInt64])
    func `payloads that are not quite right go through the whole lane, and batches make no difference`(seed: UInt64) {
        let outcome = LaneFuzz.run(payloads: 100_000, seed: seed)
        #expect(outcome.violations.isEmpty, "\(outcome.violations)")
        // A generator that makes only rubbish, or the same rubbish, would prove little.
        #expect(outcome.rows > 100 && outcome.letters > 20_000 && outcome.reasons.count >= 8, "\(outcome)")
    }
}
