/// An independent judge of JSON: RFC 8259, byte by byte, slow and plain, for comparison with the decoder's.
struct JSONJudge {
    private let bytes: [UInt8]
    private var at = 0

    /// What a payload is.
    enum Kind {
        case malformed, object, other
    }

    static func judge(_ bytes: [UInt8]) -> Kind {
        guard String(validating: bytes, as: UTF8.self) != nil else { return .malformed }
        var judge = JSONJudge(bytes: bytes)
        judge.blanks()
        let kind: Kind = judge.peek == UInt8(ascii: "{") ? .object : .other
        guard judge.value(level: 0) else { return .malformed }
        judge.blanks()
        return judge.at == bytes.count ? kind : .malformed
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// The next byte; 0, which JSON allows nowhere, at the end.
    private var peek: UInt8 { at < bytes.count ? bytes[at] : 0 }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func blanks() {
        while peek == 0x20 || peek == 0x09 || peek == 0x0A || peek == 0x0D { at += 1 }
    }

    private mutating func value(level: Int) -> Bool {
        switch peek {
        case UInt8(ascii: "{"): return level < 1024 && members(level: level + 1)
        case UInt8(ascii: "["): return level < 1024 && elements(level: level + 1)
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "t"): return word("true")
        case UInt8(ascii: "f"): return word("false")
        case UInt8(ascii: "n"): return word("null")
        default: return number()
        }
    }

    private mutating func members(level: Int) -> Bool {
        at += 1
        blanks()
        if take("}") { return true }
        while true {
            blanks()
            guard string() else { return false }
            blanks()
            guard take(":") else { return false }
            blanks()
            guard value(level: level) else { return false }
            blanks()
            if take("}") { return true }
            guard take(",") else { return false }
        }
    }

    private mutating func elements(level: Int) -> Bool {
        at += 1
        blanks()
        if take("]") { return true }
        while true {
            blanks()
            guard value(level: level) else { return false }
            blanks()
            if take("]") { return true }
            guard take(",") else { return false }
        }
    }

    private mutating func string() -> Bool {
        guard take("\"") else { return false }
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte < 0x20 { return false }
            if byte == UInt8(ascii: "\\") && !escape() { return false }
        }
        return false
    }

    private mutating func escape() -> Bool {
        let letter = peek
        at += 1
        if letter == UInt8(ascii: "u") {
            for _ in 0..<4 {
                guard Character(Unicode.Scalar(peek)).isHexDigit, peek < 0x80 else { return false }
                at += 1
            }
            return true
        }
        return "\"\\/bfnrt".utf8.contains(letter)
    }

    private mutating func word(_ text: StaticString) -> Bool {
        for index in 0..<text.utf8CodeUnitCount {
            guard peek == text.utf8Start[index] else { return false }
            at += 1
        }
        return true
    }

    private mutating func digits() -> Bool {
        let start = at
        while peek >= UInt8(ascii: "0") && peek <= UInt8(ascii: "9") { at += 1 }
        return at > start
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if !take("0") {
            guard digits() else { return false }
        }
        if take(".") {
            guard digits() else { return false }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            at += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { at += 1 }
            guard digits() else { return false }
        }
        return true
    }
}
