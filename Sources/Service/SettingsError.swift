/// Where a value comes from.
public enum SettingSource: Sendable, Hashable, CustomStringConvertible {
    case defaultValue
    /// A flag, as it was written: `--kafka-group-id`.
    case flag(String)
    /// An environment variable.
    case variable(String)
    /// A line of the file given with `--settings`.
    case settingsFile(String, line: Int)
    /// The content of a file, whose path stands at another place (`NAME_FILE`).
    indirect case secretFile(String, namedBy: SettingSource)

    /// `flag --http-port`, `variable HTTP_PORT`, `site.env:3`
    public var description: String {
        switch self {
        case .defaultValue: "default"
        case .flag(let flag): "flag \(flag)"
        case .variable(let name): "variable \(name)"
        case .settingsFile(let path, let line): "\(path):\(line)"
        case .secretFile(let path, let place): "file \(path), named by \(place)"
        }
    }

    /// Whether the value was read from a file of its own, as secrets are.
    var isSecretFile: Bool {
        if case .secretFile = self { return true }
        return false
    }
}

/// A command line or a setting that stops the program: one line that says what, where, and what is allowed.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The setting, flag or argument.
    public let subject: String
    /// Where the value stands; nil when there is none.
    public let place: SettingSource?
    /// What is wrong with it, and what is allowed instead. Holds no secret.
    public let problem: String

    /// An error. Control characters and great lengths are taken out here, so that it stays one line.
    public init(_ subject: String, _ place: SettingSource? = nil, _ problem: String) {
        self.subject = SettingsError.oneLine(subject)
        self.place = place
        self.problem = problem
    }

    /// `HTTP_PORT (flag --http-port): "99999" is not allowed; allowed is a whole number from 0 to 65535`
    public var description: String {
        guard let place else { return "\(subject): \(problem)" }
        return "\(subject) (\(SettingsError.oneLine("\(place)"))): \(problem)"
    }

    static func oneLine(_ text: String) -> String {
        String(decoding: TextEscape.plain(text, mostBytes: 200), as: UTF8.self)
    }

    static func refused(
        _ subject: String, _ place: SettingSource?, value: String, isSecret: Bool, kind: SettingKind
    ) -> SettingsError {
        let what = isSecret ? "the value" : "\"\(oneLine(value))\""
        return SettingsError(subject, place, "\(what) is not allowed; allowed is \(kind.allowed)")
    }

    /// ` (did you mean X?)` when one of the known names is near, else nothing.
    static func hint(_ name: String, among known: [String]) -> String {
        let near = known.map { (name: $0, distance: editDistance(name, $0)) }.min { $0.distance < $1.distance }
        guard let near, near.distance <= max(name.count < 4 ? 1 : 2, name.count / 4) else { return "" }
        return "; did you mean \(near.name)?"
    }

    /// Levenshtein's distance.
    private static func editDistance(_ left: String, _ right: String) -> Int {
        let left = Array(left.utf8.prefix(64))
        let right = Array(right.utf8.prefix(64))
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let change = diagonal + (right[column] == byte ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(change, row[column] + 1, row[column + 1] + 1)
            }
        }
        return row[right.count]
    }
}
