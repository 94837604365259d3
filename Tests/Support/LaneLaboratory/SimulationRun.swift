package import Service
internal import Synchronization

/// Many seeds on all cores.
package final class SimulationRun: Sendable {
    /// What many seeds amount to.
    package struct Total: Sendable {
        package var seeds = 0
        package var steps = 0
        package var messages = 0
        package var commits = 0
        package var faults: [SimulatedFault: Int] = [:]
        package var failures: [(seed: UInt64, violations: [Violation])] = []
        package var slowestRecovery: (seed: UInt64, time: Duration) = (0, .zero)

        /// Seeds with a violation.
        package var violationCount: Int { failures.count }
    }

    private let seeds: Range<UInt64>
    private let mutation: Mutation?
    private let nextSeed: Atomic<UInt64>
    private let total = Locked(Total())
    /// After so many failing seeds the rest is left out.
    private static let mostFailures = 10

    /// A run of these seeds.
    package init(seeds: Range<UInt64>, mutation: Mutation? = nil) {
        self.seeds = seeds
        self.mutation = mutation
        nextSeed = Atomic(seeds.lowerBound)
    }

    /// Runs them all, on so many threads.
    /// - Parameter note: told now and then how far it is.
    package func run(threads: Int, note: @escaping @Sendable (Total) -> Void = { _ in }) throws(SystemError) -> Total {
        var started: [ServiceThread] = []
        for number in 0..<threads {
            started.append(try ServiceThread(name: "simulate-\(number)") { [self] in work(note) })
        }
        for thread in started { while !thread.join(within: .seconds(60)) {} }
        var found = total.withLock { $0 }
        found.failures.sort { $0.seed < $1.seed }
        return found
    }

    private func work(_ note: (Total) -> Void) {
        while true {
            let seed = nextSeed.add(1, ordering: .relaxed).oldValue
            guard seeds.contains(seed), total.withLock({ $0.failures.count < Self.mostFailures }) else { return }
            let outcome = LaneSimulation(seed: seed, mutation: mutation).run()
            let state = total.withLock { total -> Total? in
                total.seeds += 1
                total.steps += outcome.steps
                total.messages += outcome.messages
                total.commits += outcome.commits
                total.faults.merge(outcome.faults) { $0 + $1 }
                if outcome.recovery > total.slowestRecovery.time { total.slowestRecovery = (seed, outcome.recovery) }
                if !outcome.violations.isEmpty { total.failures.append((seed, outcome.violations)) }
                return total.seeds % 1_000 == 0 ? total : nil
            }
            if let state { note(state) }
        }
    }

    /// What a failing seed shows when it runs once more: the broken promises, the end of its trace, the command.
    package static func report(seed: UInt64, mutation: Mutation? = nil, lines: Int = 60) -> String {
        let outcome = LaneSimulation(seed: seed, mutation: mutation, traces: true).run()
        let end = outcome.trace.firstIndex { $0.contains("VIOLATION") }.map { $0 + 1 } ?? outcome.trace.endIndex
        var text = outcome.trace[..<end].suffix(lines).joined(separator: "\n") + "\n"
        for violation in outcome.violations { text += "seed \(seed): \(violation)\n" }
        return text + "again: make simulate SEEDS=1 SEED=\(seed)"
    }
}
