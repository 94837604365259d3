/// In which order the lines of a file are sent when they are shuffled: all repeats mixed with each other.
public struct ReplayOrder: Sendable {
    private var lines: [UInt32] = []

    /// Most messages of one shuffled replay; each takes 4 bytes of memory.
    public static let limit = 250_000_000

    /// Every line from 0 to `lineCount` - 1, `repeats` times each, in an order that depends on the seed alone
    /// (Fisher and Yates, from the last place to the first). Nil when there are more than `limit` messages.
    public init?(lineCount: Int, repeats: Int, seed: UInt64) {
        let (total, isTooMany) = lineCount.multipliedReportingOverflow(by: repeats)
        guard lineCount >= 0, repeats >= 0, !isTooMany, total <= Self.limit else { return nil }
        lines.reserveCapacity(total)
        for _ in 0..<repeats {
            for line in 0..<lineCount { lines.append(UInt32(line)) }
        }
        var random = SeededRandom(seed: seed)
        for place in stride(from: total - 1, to: 0, by: -1) {
            lines.swapAt(place, random.below(place + 1))
        }
    }

    /// Messages in all.
    public var count: Int { lines.count }

    /// The line that is sent as number `place`, counted from 0.
    public subscript(place: Int) -> Int { Int(lines[place]) }
}
