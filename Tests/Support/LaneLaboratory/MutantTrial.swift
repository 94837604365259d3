/// Takes one safeguard away after the other, and says what noticed it.
package enum MutantTrial {
    /// A mutant that lives through so many seeds has survived.
    private static let seeds: Range<UInt64> = 0..<3_000

    /// How a mutant ended.
    package struct Verdict: Sendable {
        package var mutation: Mutation
        /// Nil: it survived.
        package var caughtBy: Violation?
        package var seed: UInt64 = 0
        /// Turns of all seeds up to the one that caught it.
        package var steps = 0

        package var line: String {
            guard let caughtBy else { return "SURVIVED \(mutation.rawValue)" }
            return "caught \(mutation.rawValue) by \(caughtBy.invariant.rawValue) after \(steps) steps"
        }
    }

    /// Seed after seed until a promise is broken.
    package static func run(_ mutation: Mutation) -> Verdict {
        var verdict = Verdict(mutation: mutation)
        for seed in seeds {
            let outcome = LaneSimulation(seed: seed, mutation: mutation).run()
            verdict.steps += outcome.steps
            guard let first = outcome.violations.first else { continue }
            verdict.caughtBy = first
            verdict.seed = seed
            return verdict
        }
        return verdict
    }

    /// All of them, a line each.
    /// - Returns: whether every one was caught.
    package static func run(tell: (String) -> Void) -> Bool {
        var caught = 0
        for mutation in Mutation.allCases {
            let verdict = run(mutation)
            if verdict.caughtBy != nil { caught += 1 }
            let detail = verdict.caughtBy.map { " (seed \(verdict.seed): \($0.text))" } ?? ""
            tell(verdict.line + detail)
        }
        tell("mutants: \(caught) of \(Mutation.allCases.count) caught")
        return caught == Mutation.allCases.count
    }
}
