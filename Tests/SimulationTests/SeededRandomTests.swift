import Simulation
import Testing

@Suite struct SeededRandomTests {
    @Test func `the sequence is SplitMix64's own`() {
        // The published first outputs for seed 1234567 (Rosetta Code, "Pseudo-random numbers/Splitmix64").
        var random = SeededRandom(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect((0..<5).map { _ in random.next() } == expected)
    }

    @Test func `numbers below a bound reach every value and no other`() {
        var random = SeededRandom(seed: 3)
        var seen = [Int](repeating: 0, count: 7)
        for _ in 0..<7_000 { seen[random.below(7)] += 1 }
        #expect(seen.allSatisfy { (800...1_200).contains($0) })
        #expect((0..<100).allSatisfy { _ in (5...6).contains(random.within(5...6)) })
    }

    @Test func `the normal numbers have mean 0 and variance 1`() {
        var random = SeededRandom(seed: 4)
        let values = (0..<100_000).map { _ in random.normal() }
        let mean = values.reduce(0, +) / 100_000
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 100_000
        #expect(abs(mean) < 0.02)
        #expect(abs(variance - 1) < 0.03)
        #expect(values.allSatisfy { abs($0) < 3.47 })
    }

    @Test func `streams of one seed differ`() {
        var firsts: Set<UInt64> = []
        for stream in 0..<10_000 {
            var random = SeededRandom(seed: 5, stream: UInt64(stream))
            firsts.insert(random.next())
        }
        #expect(firsts.count == 10_000)
    }
}
