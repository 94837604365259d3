/// Turns a line's facts into bytes.
enum LogLine {
    /// Longest line, its end included: what a pipe takes in one piece (PIPE_BUF).
    static let mostBytes = 4_096
    /// Longest text of one field, in bytes before escaping.
    static let mostTextBytes = 1_024

    /// The line with its line feed, at most `mostBytes` long. Fields that no longer fit are left out, and
    /// `truncated=true` says so.
    static func render(
        _ format: LogFormat, wallMilliseconds: Int64, level: LogLevel, message: String, fields: [LogField]
    ) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        let time = UTCText.timestamp(milliseconds: wallMilliseconds)
        let end: [UInt8]
        let mark: [UInt8]
        switch format {
        case .text:
            line += "\(time) \(level.name) ".utf8
            line += TextEscape.plain(message, mostBytes: mostTextBytes)
            end = Array("\n".utf8)
            mark = Array(" truncated=true".utf8)
        case .json:
            line += "{\"time\":\"\(time)\",\"level\":\"\(level.name)\",\"message\":\"".utf8
            line += TextEscape.json(message, mostBytes: mostTextBytes)
            line.append(UInt8(ascii: "\""))
            end = Array("}\n".utf8)
            mark = Array(",\"truncated\":true".utf8)
        }
        for field in fields {
            let piece = format == .text ? text(of: field) : json(of: field)
            guard line.count + piece.count + mark.count + end.count <= mostBytes else {
                line += mark
                break
            }
            line += piece
        }
        return line + end
    }

    private static func text(of field: LogField) -> [UInt8] {
        var piece = Array(" \(field.name)=".utf8)
        switch field.value {
        case .text(let text):
            let escaped = TextEscape.plain(text, mostBytes: mostTextBytes)
            let isPlain = !escaped.isEmpty && !escaped.contains { $0 == 32 || $0 == 34 || $0 == 61 || $0 == 92 }
            if isPlain {
                piece += escaped
            } else {
                piece.append(UInt8(ascii: "\""))
                piece += TextEscape.json(text, mostBytes: mostTextBytes)
                piece.append(UInt8(ascii: "\""))
            }
        case .integer(let number): piece += "\(number)".utf8
        case .number(let number): piece += TextEscape.number(number).utf8
        case .truth(let truth): piece += "\(truth)".utf8
        }
        return piece
    }

    private static func json(of field: LogField) -> [UInt8] {
        var piece = Array(",\"\(field.name)\":".utf8)
        switch field.value {
        case .text(let text):
            piece.append(UInt8(ascii: "\""))
            piece += TextEscape.json(text, mostBytes: mostTextBytes)
            piece.append(UInt8(ascii: "\""))
        case .integer(let number): piece += "\(number)".utf8
        // JSON knows neither infinity nor NaN.
        case .number(let number): piece += (number.isFinite ? TextEscape.number(number) : "null").utf8
        case .truth(let truth): piece += "\(truth)".utf8
        }
        return piece
    }
}

/// Escapes for lines and JSON texts.
public enum TextEscape {
    /// The inside of a JSON string, without its quotes: quotes, backslashes and control characters escaped, cut at
    /// a character's end after `mostBytes` bytes of the text.
    public static func json(_ text: String, mostBytes: Int = .max) -> [UInt8] {
        escape(text, mostBytes: mostBytes, quotes: true)
    }

    /// The text with its control characters escaped, and nothing else: fit for a terminal.
    public static func plain(_ text: String, mostBytes: Int = .max) -> [UInt8] {
        escape(text, mostBytes: mostBytes, quotes: false)
    }

    /// A number with at most three decimals, as logs and tables write it.
    public static func number(_ number: Double) -> String {
        guard number.isFinite, abs(number) < 1e15 else { return "\(number)" }
        let thousandths = (number * 1_000).rounded()
        let whole = Int64(thousandths) / 1_000
        let rest = abs(Int64(thousandths) % 1_000)
        let sign = thousandths < 0 && whole == 0 ? "-" : ""
        guard rest > 0 else { return "\(whole)" }
        var digits = String(1_000 + rest).dropFirst()
        while digits.hasSuffix("0") { digits = digits.dropLast() }
        return "\(sign)\(whole).\(digits)"
    }

    private static func escape(_ text: String, mostBytes: Int, quotes: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        var count = 0
        for scalar in text.unicodeScalars {
            let width = UTF8.width(scalar)
            guard count + width <= mostBytes else {
                bytes += "...".utf8
                break
            }
            count += width
            switch scalar.value {
            case 0x22 where quotes: bytes += "\\\"".utf8
            case 0x5C where quotes: bytes += "\\\\".utf8
            case 0x0A: bytes += "\\n".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            // Also the second set of controls, which some terminals obey, and the line separators.
            case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029:
                bytes += "\\u".utf8
                for shift in [12, 8, 4, 0] as [UInt32] {
                    bytes.append(Hexadecimal.digit(UInt8(scalar.value >> shift & 15)))
                }
            default: bytes += UTF8.encode(scalar).map { Array($0) } ?? []
            }
        }
        return bytes
    }
}
