/// A settings file: lines `NAME=value`, read so that it means the same to `docker --env-file`, to systemd's
/// `EnvironmentFile` and here. What those two read differently is refused instead of guessed.
enum SettingsFile {
    struct Line: Equatable {
        let name: String
        let value: String
        let source: SettingSource
    }

    /// The file's settings in their order; of a name that stands twice the last counts.
    static func parse(_ content: [UInt8], path: String) throws(SettingsError) -> [Line] {
        var bytes = content[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        var lines: [Line] = []
        var number = 0
        for piece in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            var piece = piece
            if piece.last == UInt8(ascii: "\r") { piece = piece.dropLast() }
            let source = SettingSource.settingsFile(path, line: number)
            guard let text = String(validating: piece, as: UTF8.self), !text.utf8.contains(0) else {
                throw SettingsError("settings file", source, "the line is not UTF-8 text")
            }
            let trimmed = text.drop { $0 == " " || $0 == "\t" }
            if trimmed.isEmpty || trimmed.first == "#" { continue }
            lines.append(try line(trimmed, source))
        }
        return lines
    }

    private static func line(_ text: Substring, _ source: SettingSource) throws(SettingsError) -> Line {
        guard let separator = text.utf8.firstIndex(of: UInt8(ascii: "=")) else {
            throw SettingsError("settings file", source, "allowed are lines NAME=value, empty ones, and # comments")
        }
        let name = String(text[..<separator])
        guard SettingName.isVariable(name) else {
            let shown = SettingsError.oneLine(name)
            throw SettingsError("settings file", source, "\"\(shown)\" is not a name; allowed is NAME=value")
        }
        let value = String(text[text.utf8.index(after: separator)...])
        if let cause = ambiguity(of: value) {
            let way = "write it without, or put it into a file of its own and name that with \(name)_FILE"
            throw SettingsError(name, source, "\(cause), which docker and systemd read differently; \(way)")
        }
        return Line(name: name, value: value, source: source)
    }

    private static func ambiguity(of value: String) -> String? {
        guard let first = value.utf8.first, let last = value.utf8.last else { return nil }
        let blanks: [UInt8] = [UInt8(ascii: " "), UInt8(ascii: "\t")]
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") { return "the value begins with a quote" }
        if blanks.contains(first) || blanks.contains(last) { return "the value begins or ends with a blank" }
        if value.utf8.contains(UInt8(ascii: "\\")) { return "the value holds a backslash" }
        return nil
    }
}
