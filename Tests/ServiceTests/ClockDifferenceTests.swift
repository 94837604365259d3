import Service
import Testing

@Suite struct ClockDifferenceTests {
    // Written by the other clock; this clock before and after the question; what that means with a tolerance of 5 s.
    @Test(
        arguments: [
            (1_000_000, 999_990, 1_000_020, ClockDifference.Verdict.agrees),
            (1_004_980, 999_990, 1_000_020, .agrees),
            (1_006_000, 999_990, 1_000_020, .ahead(5_980)),
            (990_000, 999_990, 1_000_020, .behind(9_990)),
            // The answer took 12 s: the clock may be right or not.
            (1_000_000, 990_000, 1_002_000, .unknown),
            // The answer took 12 s, and the clock is ahead all the same.
            (1_010_000, 990_000, 1_002_000, .ahead(8_000)),
            // A message of which nobody knows when it was written: an old one says nothing, one yet to come does.
            (1_000_000, nil, 1_000_001, .unknown),
            (1, nil, 1_000_001, .unknown),
            (1_060_000, nil, 1_000_000, .ahead(60_000)),
        ] as [(Int64, Int64?, Int64, ClockDifference.Verdict)])
    func `a clock is judged only by what is certain`(
        written: Int64, after: Int64?, before: Int64, verdict: ClockDifference.Verdict
    ) {
        let difference = ClockDifference(written: written, after: after, before: before)
        #expect(difference.verdict(tolerance: 5_000) == verdict)
    }
}
