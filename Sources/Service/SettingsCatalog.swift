/// What a command line asks for.
public enum Invocation: Sendable {
    /// To run a command with these settings.
    case run(ResolvedSettings)
    /// To print this text on standard output and leave with code 0: help, the version, the docs' page.
    case show(String)
}

/// All that a program may be told: its settings and its commands.
public struct SettingsCatalog: Sendable {
    /// The program's name, as it is typed.
    public let program: String
    /// What it is, in one line.
    public let summary: String
    /// What `--version` prints.
    public let version: String
    /// The settings, in the order of help and docs.
    public let settings: [SettingDeclaration]
    /// The commands, in the order of help; one with an empty name for a program without commands.
    public let commands: [CommandDeclaration]
    /// Whether the open family `KAFKA_CONFIG_*` is taken.
    public let takesKafkaProperties: Bool
    /// Names in a settings file that mean something to other programs that share it, and nothing to this one.
    public let foreignNames: Set<String>

    /// Flags that every program has.
    static let commonFlags = ["settings", "help", "version"]

    /// A program with commands. Traps on names given twice, which are mistakes of the programmer.
    public init(
        program: String, summary: String, version: String, settings: [SettingDeclaration],
        commands: [CommandDeclaration], takesKafkaProperties: Bool = true, foreignNames: Set<String> = []
    ) {
        self.program = program
        self.summary = summary
        self.version = version
        self.settings = settings
        self.commands = commands
        self.takesKafkaProperties = takesKafkaProperties
        self.foreignNames = foreignNames
        checkNames()
    }

    /// A program that does one thing: its `command` has an empty name.
    public init(
        program: String, version: String, settings: [SettingDeclaration], command: CommandDeclaration,
        takesKafkaProperties: Bool = true, foreignNames: Set<String> = []
    ) {
        precondition(command.name.isEmpty, "a program without commands")
        self.init(
            program: program, summary: command.summary, version: version, settings: settings, commands: [command],
            takesKafkaProperties: takesKafkaProperties, foreignNames: foreignNames)
    }

    /// Reads a command line, an environment and the files that they name.
    ///
    /// - Parameters:
    ///   - arguments: without the program's own path.
    ///   - readFile: reads a whole file; by default from the file system, at most 1 MiB.
    public func interpret(
        arguments: [String], environment: [String: String],
        readFile: (String) throws(SystemError) -> [UInt8] = { path throws(SystemError) in
            try FileSystem.readFile(path, mostBytes: 1 << 20)
        }
    ) throws(SettingsError) -> Invocation {
        if let text = try requestedText(arguments) { return .show(text) }
        let line = try CommandLineReader(catalog: self).read(arguments)
        var levels = SettingLevels(catalog: self)
        for flag in line.settingFlags {
            try levels.give(flag.name, flag.value, .flag(flag.written), at: .flags)
        }
        // Of a program's many variables only those that look like ours are read.
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where levels.isKnown(name) {
            try levels.give(name, value, .variable(name), at: .variables)
        }
        for path in line.settingsFiles {
            let content: [UInt8]
            do throws(SystemError) { content = try readFile(path) } catch {
                throw SettingsError("settings file", .flag("--settings"), "\(error)")
            }
            for entry in try SettingsFile.parse(content, path: path) where !foreignNames.contains(entry.name) {
                guard levels.isKnown(entry.name) else { throw unknownName(entry) }
                try levels.give(entry.name, entry.value, entry.source, at: .file)
            }
        }
        return .run(try levels.resolve(line, readFile: readFile))
    }

    /// The declaration of that name.
    func setting(_ name: String) -> SettingDeclaration? { settings.first { $0.name == name } }

    private func unknownName(_ entry: SettingsFile.Line) -> SettingsError {
        let hint = SettingsError.hint(entry.name, among: settings.map(\.name))
        let kafka = takesKafkaProperties ? " and KAFKA_CONFIG_*" : ""
        let libpq = entry.name.hasPrefix("PG") ? "; libpq's PG* variables belong into the environment" : ""
        return SettingsError(
            entry.name, entry.source,
            "there is no such setting\(hint)\(libpq); allowed are the settings of \(program) --help\(kafka)")
    }

    /// Help, version and the docs' page win over everything else, so that they work beside any mistake.
    private func requestedText(_ arguments: [String]) throws(SettingsError) -> String? {
        let flags = arguments.prefix { $0 != "--" }
        if flags.contains("--help=markdown") { return markdown() }
        if flags.contains("--version") { return "\(program) \(version)\n" }
        let isHelp = flags.contains("--help") || flags.contains("-h")
        guard isHelp || (flags.first == "help" && commands.first?.name != "") else { return nil }
        let words = flags.filter { !$0.hasPrefix("-") }.drop { $0 == "help" }
        // The longest name that the words begin with, wherever a flag's value may stand among them.
        for start in words.indices {
            let rest = words[start...].map { Substring($0) }
            let fitting = commands.filter { !$0.name.isEmpty && rest.starts(with: $0.words) }
            if let command = fitting.max(by: { $0.words.count < $1.words.count }) { return help(of: command) }
            if commands.contains(where: { $0.words.count > 1 && $0.words.first == rest.first }) {
                return help(ofGroup: String(rest[0]))
            }
        }
        return help()
    }

    private func checkNames() {
        precondition(!commands.isEmpty, "a program does something")
        precondition(Set(commands.map(\.name)).count == commands.count, "a command is declared twice")
        precondition(Set(settings.map(\.name)).count == settings.count, "a setting is declared twice")
        let ofSettings = settings.flatMap { [$0.flag, $0.flag + "-file"] }
        let taken = Set(ofSettings + SettingsCatalog.commonFlags.map { "--" + $0 })
        for command in commands {
            let own = command.flags.map { "--" + $0.name }
            precondition(Set(own).count == own.count, "\(command.name): a flag is declared twice")
            precondition(taken.isDisjoint(with: own), "\(command.name): a flag has the name of a setting")
            let unknown = (command.settings ?? []).filter { setting($0) == nil && $0 != SettingName.kafkaPrefix + "*" }
            precondition(unknown.isEmpty, "\(command.name): names settings that are not declared")
        }
    }
}
