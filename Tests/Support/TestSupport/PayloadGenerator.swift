/// Makes payloads that are almost right: seeded, so that a failing one can be made again.
package struct PayloadGenerator {
    private var numbers: SeededNumbers
    private let bases: [[UInt8]]
    private let tokens: [[UInt8]]

    package init(seed: UInt64, bases: [[UInt8]]) {
        numbers = SeededNumbers(seed: seed)
        self.bases = bases
        tokens = [
            "{", "}", "[", "]", ":", ",", "\"a\"", "\"patientId\"", "1", "-0.5e+3", "true", "null", " ", "-", "\"",
            "\\",
            "\\\"", "\"\\\"", "e", ".", "\n", "\u{0}", "\u{feff}", "tru", "0", "[]", "{}", "\\u00e9", "\"\\ud800\"",
            "é",
        ].map { Array($0.utf8) }
    }

    package mutating func below(_ bound: Int) -> Int { numbers.below(bound) }

    private mutating func base() -> [UInt8] { bases[below(bases.count)] }

    package mutating func payload() -> [UInt8] {
        switch below(12) {
        case 0: return random()
        case 1: return soup()
        case 2: return truncated()
        case 3, 4, 5: return flipped()
        case 6: return spliced()
        case 7, 8: return inserted()
        case 9: return shortened()
        default: return replaced()
        }
    }

    private mutating func random() -> [UInt8] {
        let count = below(80)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
    }

    private mutating func soup() -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0...below(14) { bytes += tokens[below(tokens.count)] }
        return bytes
    }

    private mutating func truncated() -> [UInt8] {
        var bytes = base()
        bytes.removeLast(below(bytes.count + 1))
        return bytes
    }

    private mutating func flipped() -> [UInt8] {
        var bytes = base()
        for _ in 0...(below(4) == 0 ? below(6) : 0) { bytes[below(bytes.count)] ^= 1 << UInt8(below(8)) }
        return bytes
    }

    private mutating func spliced() -> [UInt8] {
        let front = base()
        let back = base()
        return Array(front[..<below(front.count)]) + Array(back[below(back.count)...])
    }

    private mutating func inserted() -> [UInt8] {
        var bytes = base()
        bytes.insert(contentsOf: tokens[below(tokens.count)], at: below(bytes.count + 1))
        return bytes
    }

    private mutating func shortened() -> [UInt8] {
        var bytes = base()
        let start = below(bytes.count)
        bytes.removeSubrange(start..<min(bytes.count, start + 1 + below(3)))
        return bytes
    }

    private mutating func replaced() -> [UInt8] {
        var bytes = base()
        let odd: [UInt8] = [
            0, 0x0B, 0x0C, 0x1F, 0x22, 0x5C, 0x7F, 0x80, 0xA0, 0xC0, 0xED, 0xF4, 0xFF, 0x65, 0x2E, 0x30,
        ]
        bytes[below(bytes.count)] = odd[below(odd.count)]
        return bytes
    }
}
