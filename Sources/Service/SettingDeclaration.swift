/// How a value is shown in `check`, in errors and anywhere else.
public enum SettingSecrecy: Sendable {
    /// As it is.
    case none
    /// Never: `***` stands for it.
    case secret
    /// A libpq connection string: as it is, but for its passwords.
    case connectionString
}

/// A setting, declared once: flag, environment variable, file, help, errors, `check` and the docs' page come from it.
public struct SettingDeclaration: Sendable {
    /// The environment variable's name, `KAFKA_GROUP_ID`; the flag is `--kafka-group-id`.
    public let name: String
    /// The value when nobody gives one, in the form in which it would be given.
    public let defaultValue: String
    /// What help says of the default where the value itself says too little or differs from machine to machine.
    public let defaultText: String?
    /// What it may be.
    public let kind: SettingKind
    /// What it is for, in a sentence or two.
    public let meaning: String
    /// How it is shown.
    public let secrecy: SettingSecrecy
    /// A value to show in help, when the default shows too little.
    public let example: String?

    /// Traps when the name is not in capitals, or the default is not of the kind: both are mistakes of the programmer.
    public init(
        _ name: String, default defaultValue: String, defaultText: String? = nil, kind: SettingKind, meaning: String,
        secrecy: SettingSecrecy = .none, example: String? = nil
    ) {
        precondition(SettingName.isVariable(name), "\(name): a setting is named in capitals, digits and _")
        precondition(kind != .presence, "\(name): a setting has a value")
        precondition(kind.accepts(defaultValue), "\(name): the default is not allowed")
        self.name = name
        self.defaultValue = defaultValue
        self.defaultText = defaultText
        self.kind = kind
        self.meaning = meaning
        self.secrecy = secrecy
        self.example = example
    }

    /// `--kafka-group-id`
    public var flag: String { SettingName.flag(name) }

    /// The default as help shows it.
    var shownDefault: String { defaultText ?? (defaultValue.isEmpty ? "none" : defaultValue) }

    /// A value as it may be shown.
    func shown(_ value: String) -> String {
        switch secrecy {
        case .none: value
        case .secret: value.isEmpty ? "" : SecretMask.mask
        case .connectionString: SecretMask.connectionString(value)
        }
    }
}

/// The two forms of a setting's name.
enum SettingName {
    /// The prefix of the open family of librdkafka's properties.
    static let kafkaPrefix = "KAFKA_CONFIG_"
    /// The end of a name whose value is the path of a file that holds the setting's value.
    static let fileSuffix = "_FILE"

    static func isVariable(_ name: String) -> Bool {
        guard let first = name.utf8.first, first != UInt8(ascii: "_") else { return false }
        return name.utf8.allSatisfy { byte in
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: "_")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
    }

    /// `--kafka-group-id` for `KAFKA_GROUP_ID`.
    static func flag(_ name: String) -> String {
        "--" + name.lowercased().split(separator: "_", omittingEmptySubsequences: false).joined(separator: "-")
    }

    /// `KAFKA_GROUP_ID` for `kafka-group-id`; dots, as librdkafka writes its names, count as dashes.
    static func variable(ofFlag flag: some StringProtocol) -> String {
        String(flag.uppercased().map { $0 == "-" || $0 == "." ? "_" : $0 })
    }

    /// `security.protocol` for `KAFKA_CONFIG_SECURITY_PROTOCOL`; nil when nothing follows the prefix.
    static func kafkaProperty(_ name: String) -> String? {
        guard name.hasPrefix(kafkaPrefix), name.count > kafkaPrefix.count else { return nil }
        let rest = name.dropFirst(kafkaPrefix.count).lowercased()
        return String(rest.map { $0 == "_" ? "." : $0 })
    }
}
