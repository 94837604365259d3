/// Shows values without the secrets in them. When in doubt it hides too much.
///
/// It works on bytes: as a `Character`, a separator that a combining mark follows would not be found.
public enum SecretMask {
    /// What stands for a secret.
    public static let mask = "***"

    /// A libpq connection string, URI or keywords, with `***` for its passwords.
    public static func connectionString(_ text: String) -> String {
        if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") { return uri(text) }
        return text.utf8.contains(equals) ? keywords(text) : text
    }

    /// Whether a librdkafka property of that name holds a secret.
    public static func isSecretKafkaProperty(_ name: String) -> Bool {
        let marks = ["password", "secret", "passphrase", "key.pem", "private.key", "oauthbearer.config", "token"]
        return marks.contains { name.contains($0) }
    }

    private static let equals = UInt8(ascii: "=")
    private static let question = UInt8(ascii: "?")

    private static func isSecretKeyword(_ name: String) -> Bool {
        let name = name.lowercased()
        return ["password", "secret", "scram", "passphrase", "token"].contains { name.contains($0) }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func uri(_ whole: String) -> String {
        let bytes = Array(whole.utf8)
        let schemeEnd = whole.hasPrefix("postgres://") ? 11 : 13
        var shown = text(bytes[..<schemeEnd])
        var rest = bytes[schemeEnd...]
        // The last @, not the first: a password that was not percent-encoded may hold any character.
        if let at = rest.lastIndex(of: UInt8(ascii: "@")), let colon = rest[..<at].firstIndex(of: UInt8(ascii: ":")) {
            let isUserPart = rest[..<colon].allSatisfy { $0 != UInt8(ascii: "/") && $0 != question }
            if isUserPart {
                shown += text(rest[...colon]) + mask
                rest = rest[at...]
            }
        }
        guard let start = rest.firstIndex(of: question) else { return shown + text(rest) }
        shown += text(rest[...start])
        let pairs = rest[(start + 1)...].split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
        let masked = pairs.map { pair -> String in
            guard let separator = pair.firstIndex(of: equals) else { return text(pair) }
            // A name may be percent-encoded, and libpq decodes it: such a one is hidden unread.
            let name = text(pair[..<separator])
            return isSecretKeyword(name) || name.utf8.contains(UInt8(ascii: "%")) ? "\(name)=\(mask)" : text(pair)
        }
        return shown + masked.joined(separator: "&")
    }

    /// `host=x password='a b'`, as libpq's conninfo_parse reads it: blanks around `=`, quotes, backslashes.
    private static func keywords(_ whole: String) -> String {
        var shown: [String] = []
        var rest = Array(whole.utf8)[...]
        while true {
            rest = rest.drop(while: isBlank)
            if rest.isEmpty { return shown.joined(separator: " ") }
            let nameBytes = rest.prefix { $0 != equals && !isBlank($0) }
            let name = text(nameBytes)
            rest = rest[nameBytes.endIndex...].drop(while: isBlank)
            // Not a connection string: nobody knows what is secret in it.
            guard rest.first == equals, !name.isEmpty else { return mask }
            rest = rest.dropFirst().drop(while: isBlank)
            guard let (value, length) = keywordValue(rest) else { return mask }
            let raw = text(rest.prefix(length))
            rest = rest.dropFirst(length)
            let mayNest = name == "dbname" && (value.contains("://") || value.utf8.contains(equals))
            if isSecretKeyword(name) {
                shown.append("\(name)=\(mask)")
            } else {
                shown.append("\(name)=\(mayNest ? connectionString(value) : raw)")
            }
        }
    }

    /// The value at the start, and how many bytes it takes up; nil when a quote is not closed.
    private static func keywordValue(_ bytes: ArraySlice<UInt8>) -> (value: String, length: Int)? {
        let quote = UInt8(ascii: "'")
        let isQuoted = bytes.first == quote
        var value: [UInt8] = []
        var length = isQuoted ? 1 : 0
        var isEscaped = false
        for byte in bytes.dropFirst(length) {
            if isEscaped {
                value.append(byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if isQuoted, byte == quote {
                return (text(value[...]), length + 1)
            } else if !isQuoted, isBlank(byte) {
                return (text(value[...]), length)
            } else {
                value.append(byte)
            }
            length += 1
        }
        return isQuoted ? nil : (text(value[...]), length)
    }

    /// As C's isspace: a blank, or 9 to 13.
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
}
