/// A flag that belongs to one command: `--yes`, `--limit 20`.
public struct FlagDeclaration: Sendable {
    /// Without its dashes: `against-log`.
    public let name: String
    /// What its value may be; `.presence` when it takes none.
    public let kind: SettingKind
    /// What stands for the value in help: `N`, `FILE`.
    public let valueName: String
    /// The value when it is not given; nil: there is none.
    public let defaultValue: String?
    /// Whether the command cannot do without it.
    public let isRequired: Bool
    /// What it is for, in a sentence.
    public let meaning: String

    /// A flag that is there or not: `--yes`.
    public init(_ name: String, meaning: String) {
        self.init(name, kind: .presence, valueName: "", default: nil, isRequired: false, meaning: meaning)
    }

    /// A flag with a value. Traps when the name is not in lower case, or the default is not of the kind.
    public init(
        _ name: String, kind: SettingKind, valueName: String, default defaultValue: String? = nil,
        isRequired: Bool = false, meaning: String
    ) {
        let isName = name.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == 45 }
        precondition(isName && !name.isEmpty, "\(name): a flag is named in small letters and -")
        precondition(defaultValue.map(kind.accepts) ?? true, "\(name): the default is not allowed")
        self.name = name
        self.kind = kind
        self.valueName = valueName
        self.defaultValue = defaultValue
        self.isRequired = isRequired
        self.meaning = meaning
    }

    /// `--limit N`
    var usage: String { kind == .presence ? "--\(name)" : "--\(name) \(valueName)" }
}

/// An argument known by its place: `dead-letter show TOPIC PARTITION OFFSET`.
public struct PositionalDeclaration: Sendable {
    /// In capitals: `TOPIC`.
    public let name: String
    /// What it may be.
    public let kind: SettingKind
    /// Whether the command cannot do without it. Those that can stand last.
    public let isRequired: Bool
    /// What it is for.
    public let meaning: String

    /// An argument at the next place.
    public init(_ name: String, kind: SettingKind, isRequired: Bool = true, meaning: String) {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        self.meaning = meaning
    }
}

/// A command line to show, and what it does.
public struct CommandExample: Sendable {
    /// The whole line, the program's name included.
    public let line: String
    /// What it does, in a few words.
    public let meaning: String

    /// An example.
    public init(_ line: String, _ meaning: String) {
        self.line = line
        self.meaning = meaning
    }
}

/// A command of a program, or the program itself when it has none.
public struct CommandDeclaration: Sendable {
    /// One word or several: `serve`, `dead-letter list`. Empty for a program without commands.
    public let name: String
    /// What it does, in one line.
    public let summary: String
    /// What else a reader should know; paragraphs are divided by a line feed.
    public let details: String
    /// Its own flags.
    public let flags: [FlagDeclaration]
    /// Its arguments, in order.
    public let positional: [PositionalDeclaration]
    /// The settings that matter to it, by name; nil: all. The others are accepted too, since files and variables are
    /// shared by all commands.
    public let settings: [String]?
    /// At least one.
    public let examples: [CommandExample]

    /// A command.
    public init(
        _ name: String, summary: String, details: String = "", flags: [FlagDeclaration] = [],
        positional: [PositionalDeclaration] = [], settings: [String]? = nil, examples: [CommandExample]
    ) {
        precondition(!examples.isEmpty, "\(name): every command has an example")
        self.name = name
        self.summary = summary
        self.details = details
        self.flags = flags
        self.positional = positional
        self.settings = settings
        self.examples = examples
    }

    var words: [Substring] { name.split(separator: " ") }
}
