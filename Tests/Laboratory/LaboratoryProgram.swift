import ChaosLaboratory
import LaneLaboratory
import Service

/// `vitalstream-lab`: the fault laboratory from the command line; what `make simulate`, `make mutants` and `make chaos`
/// start. It is no part of a release.
enum LaboratoryProgram {
    private static let usage = """
        usage: vitalstream-lab simulate SEEDS FIRST-SEED
               vitalstream-lab mutants
               vitalstream-lab chaos SECONDS SEED RATE
               vitalstream-lab fuzz PAYLOADS SEED
        """

    /// Runs what the arguments ask for.
    /// - Returns: 0 when no promise was broken, 1 when one was, 2 when the command line is wrong.
    static func run(_ arguments: [String]) -> Int32 {
        do {
            switch (arguments.first, arguments.dropFirst().map { UInt64($0) }) {
            case ("simulate", let numbers) where numbers.count == 2:
                guard let seeds = numbers[0], let first = numbers[1], seeds > 0 else { break }
                return try simulate(first..<first + seeds) ? 0 : 1
            case ("mutants", []):
                return MutantTrial.run { Console.writeLine($0) } ? 0 : 1
            case ("chaos", let numbers) where numbers.count == 3:
                guard let seconds = numbers[0], let seed = numbers[1], let rate = numbers[2], rate > 1 else { break }
                let report = try ChaosRun.run(seconds: Int(seconds), seed: seed, rate: Int(rate)) {
                    Console.writeLine($0)
                }
                return report.violations.isEmpty ? 0 : 1
            case ("fuzz", let numbers) where numbers.count == 2:
                guard let payloads = numbers[0], let seed = numbers[1] else { break }
                return fuzz(payloads: Int(payloads), seed: seed) ? 0 : 1
            default: break
            }
        } catch {
            Console.writeError("vitalstream-lab: \(error)")
            return 1
        }
        Console.writeError(usage)
        return 2
    }

    private static func fuzz(payloads: Int, seed: UInt64) -> Bool {
        func line(_ outcome: LaneFuzz.Outcome) -> String {
            "\(outcome.payloads) payloads, \(outcome.rows) rows, \(outcome.letters) dead letters"
        }
        let outcome = LaneFuzz.run(payloads: payloads, seed: seed) { Console.writeLine(line($0)) }
        for (reason, count) in outcome.reasons.sorted(by: { $0.key < $1.key }) {
            Console.writeLine("\(reason) \(count)")
        }
        for violation in outcome.violations { Console.writeLine(violation) }
        Console.writeLine("fuzz: \(line(outcome)), \(outcome.violations.count) violations")
        return outcome.violations.isEmpty
    }

    private static func simulate(_ seeds: Range<UInt64>) throws -> Bool {
        let started = MonotonicTime.now()
        let total = try SimulationRun(seeds: seeds).run(threads: HostProcess.processorCount) { state in
            Console.writeLine("\(state.seeds) seeds, \(state.violationCount) violations")
        }
        for failure in total.failures.prefix(3) {
            // Of one seed alone the whole story is wanted.
            let lines = seeds.count == 1 ? 1_000 : 60
            Console.writeLine(SimulationRun.report(seed: failure.seed, lines: lines))
        }
        for failure in total.failures { Console.writeLine("seed \(failure.seed): \(failure.violations[0])") }
        for fault in SimulatedFault.allCases {
            let count = "\(total.faults[fault] ?? 0)"
            Console.writeLine(String(repeating: " ", count: max(0, 12 - count.count)) + "\(count)  \(fault.rawValue)")
        }
        let seconds = (MonotonicTime.now() - started).wholeMilliseconds / 1_000
        Console.writeLine(
            "\(total.steps) turns, \(total.messages) messages, \(total.commits) commits in \(seconds) s; "
                + "slowest recovery \(total.slowestRecovery.time.wholeMilliseconds) ms of simulated time (seed "
                + "\(total.slowestRecovery.seed))")
        Console.writeLine("simulation: \(total.seeds) seeds, \(total.violationCount) violations")
        return total.failures.isEmpty
    }
}
