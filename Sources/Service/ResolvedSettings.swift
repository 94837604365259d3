/// A line of `check`'s table: a setting, its value as it may be shown, and where that comes from.
public struct SettingRow: Hashable, Sendable {
    /// `KAFKA_GROUP_ID`
    public let name: String
    /// The value, its secrets hidden.
    public let value: String
    /// `default`, `flag --kafka-group-id`, `variable KAFKA_GROUP_ID`, `site.env:3`
    public let source: String
}

/// What a program was told, every value judged. Immutable; share it freely.
///
/// The accessors take the name of a setting (`HTTP_PORT`) or of one of the command's own flags (`limit`). A name that
/// is not declared, or read as what it is not, traps: that is a mistake of the programmer.
public struct ResolvedSettings: Sendable {
    struct Value: Sendable {
        let text: String
        let source: SettingSource
    }

    /// A property for librdkafka.
    public struct KafkaProperty: Hashable, Sendable {
        /// As librdkafka knows it: `security.protocol`.
        public let name: String
        /// Its value; may be a secret.
        public let value: String
        /// As the user knows it: `KAFKA_CONFIG_SECURITY_PROTOCOL`.
        public let variable: String
        /// Where it stands.
        public let source: SettingSource
    }

    /// The command's name: `serve`, `dead-letter list`; empty for a program without commands.
    public let command: String
    /// The arguments by place.
    public let positional: [String]
    /// The open family, sorted by name, with the place of each.
    public let kafka: [KafkaProperty]

    private let declarations: [SettingDeclaration]
    private let values: [String: Value]
    private let ownFlags: [String: Value]
    private let declaredFlags: [FlagDeclaration]

    init(
        command: String, declarations: [SettingDeclaration], values: [String: Value], ownFlags: [String: Value],
        declaredFlags: [FlagDeclaration], positional: [String], kafka: [KafkaProperty]
    ) {
        self.command = command
        self.declarations = declarations
        self.values = values
        self.ownFlags = ownFlags
        self.declaredFlags = declaredFlags
        self.positional = positional
        self.kafka = kafka
    }

    /// The open family as pairs, sorted by name.
    public var kafkaProperties: [(String, String)] { kafka.map { ($0.name, $0.value) } }

    /// The value as text.
    public func string(_ name: String) -> String {
        guard let text = optionalString(name) else { preconditionFailure("\(name) has no value") }
        return text
    }

    /// The value as text; nil for a flag that was not given and has no default.
    public func optionalString(_ name: String) -> String? { value(name)?.text }

    /// The value of an `.integer`.
    public func integer(_ name: String) -> Int {
        guard let number = optionalInteger(name) else { preconditionFailure("\(name) is no number") }
        return number
    }

    /// The value of an `.integer` or `.integerOrWord`; nil for a word such as `off`, and for a flag that was not given.
    public func optionalInteger(_ name: String) -> Int? { value(name).flatMap { Int($0.text) } }

    /// The value of an `.integers`, ascending.
    public func integers(_ name: String) -> [Int] {
        value(name).map { SettingKind.integers($0.text).compactMap { $0.map { Int($0) } }.sorted() } ?? []
    }

    /// The value of a `.number`.
    public func number(_ name: String) -> Double {
        guard let number = optionalNumber(name) else { preconditionFailure("\(name) is no number") }
        return number
    }

    /// The value of a `.number`; nil for a flag that was not given.
    public func optionalNumber(_ name: String) -> Double? {
        guard let text = value(name)?.text else { return nil }
        guard let number = SettingKind.number(text) else { preconditionFailure("\(name) is no number") }
        return number
    }

    /// The value of a `.duration`.
    public func duration(_ name: String) -> Duration {
        guard let duration = optionalDuration(name) else { preconditionFailure("\(name) is no duration") }
        return duration
    }

    /// The value of a `.duration`; nil for a flag that was not given.
    public func optionalDuration(_ name: String) -> Duration? {
        guard let text = value(name)?.text else { return nil }
        guard let duration = DurationText.duration(of: text) else { preconditionFailure("\(name) is no duration") }
        return duration
    }

    /// The value of a `.truth`, or whether a `.presence` flag was given.
    public func flag(_ name: String) -> Bool {
        guard let text = value(name)?.text else { return false }
        guard let truth = SettingKind.truth(text) else { preconditionFailure("\(name) is neither on nor off") }
        return truth
    }

    /// Where the value comes from.
    public func source(of name: String) -> SettingSource { value(name)?.source ?? .defaultValue }

    /// Every setting with its value and its place, secrets hidden; the open family behind them.
    public func table() -> [SettingRow] {
        var rows: [SettingRow] = []
        for declaration in declarations {
            guard let value = values[declaration.name] else { continue }
            // What stands in a file of its own is a secret, whatever the setting.
            let shown = value.source.isSecretFile ? SecretMask.mask : declaration.shown(value.text)
            rows.append(row(declaration.name, shown, value.source))
        }
        for property in kafka {
            let isHidden = property.source.isSecretFile || SecretMask.isSecretKafkaProperty(property.name)
            rows.append(row(property.variable, isHidden ? SecretMask.mask : property.value, property.source))
        }
        return rows
    }

    /// The table as aligned text, a line a setting.
    public func tableText() -> String {
        let rows = table()
        let nameWidth = rows.map(\.name.count).max() ?? 0
        let valueWidth = min(48, rows.map(\.value.count).max() ?? 0)
        return rows.map { row in
            let name = row.name + String(repeating: " ", count: nameWidth - row.name.count)
            let value = row.value + String(repeating: " ", count: max(0, valueWidth - row.value.count))
            return "\(name)  \(value)  \(row.source)\n"
        }.joined()
    }

    private func row(_ name: String, _ value: String, _ source: SettingSource) -> SettingRow {
        SettingRow(name: name, value: SettingsError.oneLine(value), source: SettingsError.oneLine("\(source)"))
    }

    private func value(_ name: String) -> Value? {
        if let value = values[name] ?? ownFlags[name] { return value }
        precondition(declaredFlags.contains { $0.name == name }, "\(name) is not declared for \(command)")
        return nil
    }
}
