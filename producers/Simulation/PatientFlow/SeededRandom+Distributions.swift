extension SeededRandom {
    /// Exponentially distributed with mean 1.
    ///
    /// By comparisons alone (J. von Neumann, "Various techniques used in connection with random digits", 1951): of a
    /// falling run that begins with x the length is odd with probability e^-x. No logarithm, whose last bit may differ
    /// from one C library to the next.
    package mutating func exponential() -> Double {
        var whole = 0.0
        while true {
            let first = unit()
            var last = first
            var isOdd = true
            while true {
                let next = unit()
                if next >= last { break }
                last = next
                isOdd.toggle()
            }
            if isOdd { return whole + first }
            whole += 1
        }
    }

    /// Skewed to the right as durations are: `median` · e^(`spread` · normal), about log-normal.
    package mutating func skewed(median: Double, spread: Double) -> Double {
        median * Self.power(spread * normal())
    }

    /// The mean of `skewed`, but for the normal numbers' bounded tails.
    package static func meanOfSkewed(median: Double, spread: Double) -> Double {
        median * power(spread * spread / 2)
    }

    /// e^x for small x, as (1 + x / 1024)^1024: within 1 % up to |x| = 4, with the same bits everywhere.
    private static func power(_ x: Double) -> Double {
        var value = 1 + x / 1_024
        for _ in 0..<10 { value *= value }
        return value
    }

    /// True with a probability of so many millionths.
    mutating func happens(millionths: Int) -> Bool {
        below(1_000_000) < millionths
    }

    /// A random UUID (RFC 9562, version 4).
    mutating func identifier() -> RandomIdentifier {
        RandomIdentifier(
            high: next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000,
            low: next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }
}

/// The 128 bits of a UUID.
package struct RandomIdentifier: Sendable, Hashable {
    let high: UInt64
    let low: UInt64
}
