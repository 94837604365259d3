/// Random numbers that depend on nothing but their seed: the same on every machine and in every version of Swift.
///
/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, algorithm of
/// section 5 with the constants of `java.util.SplittableRandom`). One value costs about a nanosecond. Not for secrets.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Starts the sequence of `seed`.
    public init(seed: UInt64) {
        state = seed
    }

    /// Starts a sequence of its own for one of many streams of the same seed, such as one patient.
    public init(seed: UInt64, stream: UInt64) {
        var mixer = SeededRandom(seed: seed)
        let first = mixer.next()
        var second = SeededRandom(seed: first ^ (stream &* 0xD134_2543_DE82_EF95))
        state = second.next()
    }

    /// The next 64 bits. The sums wrap by design: they are arithmetic modulo 2^64.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// A whole number from 0 to `bound` - 1; `bound` must be positive. Bias below 2^-32 for bounds below 2^32.
    public mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0, "an empty range has no number in it")
        return Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A whole number from `range`, both ends included.
    public mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.count)
    }

    /// A number from 0 up to, but without, 1.
    public mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// True once in `count` calls, on average; `count` must be positive.
    public mutating func oneIn(_ count: Int) -> Bool {
        below(count) == 0
    }

    /// About normally distributed, mean 0, standard deviation 1, never beyond ±3.47.
    ///
    /// The sum of four uniform numbers of 16 bits (variance 4/12) needs no logarithm, whose last bit may differ
    /// from one C library to the next.
    public mutating func normal() -> Double {
        let bits = next()
        let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        return (Double(sum) * 0x1p-16 - 2) * 1.732_050_807_568_877_2
    }
}
