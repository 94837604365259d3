/// What a value may be: the one description from which reading, errors and help come.
public enum SettingKind: Sendable, Equatable {
    /// Any text without control characters; not empty unless said so.
    case text(mayBeEmpty: Bool = false)
    /// A name of letters, digits, `.`, `_` and `-`, at most so many bytes: what Kafka takes for a topic (249).
    case name(mostBytes: Int)
    /// A whole number.
    case integer(ClosedRange<Int64>)
    /// A whole number, or one of these words.
    case integerOrWord(ClosedRange<Int64>, [String])
    /// Whole numbers with commas between them, one to eight, each once.
    case integers(ClosedRange<Int64>)
    /// A number with or without a fraction.
    case number(ClosedRange<Double>)
    /// A span of time in seconds or with a unit, such as `30s`, `5m`, `2h`, `1d` or `250ms`.
    case duration(ClosedRange<Duration>)
    /// `on` or `off`.
    case truth
    /// One of these words.
    case choice([String])
    /// Of flags only: it takes no value, and is on when it is there.
    case presence

    /// A whole number, or `off`.
    public static func integerOrOff(_ range: ClosedRange<Int64>) -> SettingKind { .integerOrWord(range, ["off"]) }

    /// What is allowed, to stand after "allowed is".
    public var allowed: String {
        switch self {
        case .text(let mayBeEmpty): mayBeEmpty ? "a text" : "a text that is not empty"
        case .name(let mostBytes): "1 to \(mostBytes) letters, digits, '.', '_' or '-'"
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .integerOrWord(let range, let words):
            SettingKind.alternatives(words + ["a whole number from \(range.lowerBound) to \(range.upperBound)"])
        case .integers(let range):
            "one to eight whole numbers from \(range.lowerBound) to \(range.upperBound), with commas between them"
        case .number(let range):
            "a number from \(TextEscape.number(range.lowerBound)) to \(TextEscape.number(range.upperBound))"
        case .duration(let range):
            "a time from \(DurationText.text(of: range.lowerBound)) to \(DurationText.text(of: range.upperBound))"
                + ", such as 30s, 5m, 2h or 250ms"
        case .truth: "on or off"
        case .choice(let words): SettingKind.alternatives(words)
        case .presence: "no value"
        }
    }

    /// Whether the text is a value of this kind.
    func accepts(_ text: String) -> Bool {
        switch self {
        case .text(let mayBeEmpty):
            return (mayBeEmpty || !text.isEmpty) && !text.utf8.contains { $0 < 0x20 || $0 == 0x7F }
        case .name(let mostBytes):
            let isWord = text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
            // Kafka refuses these two, which would be directories.
            return isWord && (1...mostBytes).contains(text.utf8.count) && text != "." && text != ".."
        case .integer(let range): return Int64(text).map(range.contains) ?? false
        case .integerOrWord(let range, let words):
            return words.contains(text) || (Int64(text).map(range.contains) ?? false)
        case .integers(let range):
            let numbers = SettingKind.integers(text)
            return (1...8).contains(numbers.count) && numbers.allSatisfy { $0.map(range.contains) ?? false }
                && Set(numbers).count == numbers.count
        case .number(let range): return SettingKind.number(text).map(range.contains) ?? false
        case .duration(let range): return DurationText.duration(of: text).map(range.contains) ?? false
        case .truth: return SettingKind.truth(text) != nil
        case .choice(let words): return words.contains(text)
        case .presence: return text == "on"
        }
    }

    /// The numbers between commas; nil for what is none.
    static func integers(_ text: String) -> [Int64?] {
        text.split(separator: ",", omittingEmptySubsequences: false).map { Int64($0) }
    }

    /// The truth that a word stands for; nil when it is no such word.
    static func truth(_ text: String) -> Bool? {
        switch text {
        case "on", "true": true
        case "off", "false": false
        default: nil
        }
    }

    /// The finite number written in decimal digits; nil for anything else, `nan` and hexadecimals included.
    static func number(_ text: String) -> Double? {
        let isDecimal = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte)
        }
        guard isDecimal, let number = Double(text), number.isFinite else { return nil }
        return number
    }

    /// `a, b or c`
    private static func alternatives(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "nothing" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}

/// Spans of time as people write them in settings.
public enum DurationText {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// The span that `30s`, `5m`, `2h`, `1d`, `250ms`, or a bare number of seconds means; nil for anything else.
    public static func duration(of text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits) else { return nil }
        let suffix = text.dropFirst(digits.count)
        let unit = suffix.isEmpty ? 1_000 : units.first { $0.suffix == suffix }?.milliseconds
        guard let unit else { return nil }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow ? nil : .milliseconds(milliseconds)
    }

    /// The shortest whole form: `90s`, `2h`, `250ms`.
    public static func text(of duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        guard milliseconds != 0 else { return "0s" }
        let unit = units.last { milliseconds % $0.milliseconds == 0 } ?? units[0]
        return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
    }
}
