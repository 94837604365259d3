/// Takes a command line apart: the command, its own flags, the settings' flags, the arguments by place.
struct CommandLineReader {
    /// A command line in its parts; nothing is judged yet but which flags there are.
    struct Line {
        var command: CommandDeclaration
        /// Flags of settings: the setting's name (`_FILE` forms included), the value, and the flag as written.
        var settingFlags: [(name: String, value: String, written: String)] = []
        /// The command's own flags by name.
        var ownFlags: [String: String] = [:]
        var settingsFiles: [String] = []
        var positional: [String] = []
    }

    let catalog: SettingsCatalog

    func read(_ arguments: [String]) throws(SettingsError) -> Line {
        var rest = arguments[...]
        var before: [(name: String, value: String?)] = []
        var command = catalog.commands.first { $0.name.isEmpty }
        // Flags of settings may stand before the command.
        while command == nil {
            guard let first = rest.first, first != "--" else { throw missingCommand() }
            if first.hasPrefix("-") {
                before.append(try flag(&rest, of: nil))
            } else {
                command = try takeCommand(&rest)
            }
        }
        guard let command else { throw missingCommand() }
        var line = Line(command: command)
        for flag in before { store(flag, into: &line) }
        while let first = rest.first {
            if first == "--" {
                line.positional += rest.dropFirst()
                break
            }
            if first.hasPrefix("-"), first.utf8.count > 1 {
                store(try flag(&rest, of: command), into: &line)
            } else {
                line.positional.append(first)
                rest = rest.dropFirst()
            }
        }
        return line
    }

    private func takeCommand(_ rest: inout ArraySlice<String>) throws(SettingsError) -> CommandDeclaration {
        let words = rest.map { Substring($0) }
        let fitting = catalog.commands.filter { words.starts(with: $0.words) }
        if let command = fitting.max(by: { $0.words.count < $1.words.count }) {
            rest = rest.dropFirst(command.words.count)
            return command
        }
        let group = catalog.commands.filter { $0.words.count > 1 && $0.words.first == words.first }
        if !group.isEmpty {
            let allowed = group.map { $0.words.dropFirst().joined(separator: " ") }.joined(separator: ", ")
            throw SettingsError("\(words[0])", nil, "says not what to do; allowed is \(allowed)")
        }
        let hint = SettingsError.hint(String(words[0]), among: firstWords)
        throw SettingsError(String(words[0]), nil, "there is no such command\(hint); \(allowedCommands)")
    }

    /// Takes one flag, with its value when it has one, from the front.
    private func flag(
        _ rest: inout ArraySlice<String>, of command: CommandDeclaration?
    ) throws(SettingsError) -> (name: String, value: String?) {
        let written = rest.removeFirst()
        let separator = written.utf8.firstIndex(of: UInt8(ascii: "="))
        let name = String(written[..<(separator ?? written.endIndex)])
        let inline = separator.map { String(written[written.utf8.index(after: $0)...]) }
        guard let takesValue = takesValue(name, command) else { throw unknownFlag(name, command) }
        guard takesValue else {
            if inline != nil { throw SettingsError(name, nil, "the flag takes no value") }
            return (name, nil)
        }
        if let inline { return (name, inline) }
        guard let next = rest.first, !next.hasPrefix("--") else {
            throw SettingsError(name, nil, "the flag needs a value; allowed is \(allowed(name, command))")
        }
        rest = rest.dropFirst()
        return (name, next)
    }

    private func store(_ flag: (name: String, value: String?), into line: inout Line) {
        let bare = String(flag.name.dropFirst(2))
        if flag.name == "--settings" {
            line.settingsFiles.append(flag.value ?? "")
        } else if line.command.flags.contains(where: { $0.name == bare }) {
            line.ownFlags[bare] = flag.value ?? "on"
        } else {
            line.settingFlags.append((SettingName.variable(ofFlag: bare), flag.value ?? "", flag.name))
        }
    }

    /// Nil for a flag that does not exist here.
    private func takesValue(_ name: String, _ command: CommandDeclaration?) -> Bool? {
        if name == "--settings" { return true }
        if let own = command?.flags.first(where: { "--" + $0.name == name }) { return own.kind != .presence }
        return SettingLevels(catalog: catalog).isKnownFlag(name) ? true : nil
    }

    private func allowed(_ name: String, _ command: CommandDeclaration?) -> String {
        if let own = command?.flags.first(where: { "--" + $0.name == name }) { return own.kind.allowed }
        if name == "--settings" || name.hasSuffix("-file") { return "the path of a file" }
        return catalog.settings.first { $0.flag == name }?.kind.allowed ?? "a text"
    }

    private func unknownFlag(_ name: String, _ command: CommandDeclaration?) -> SettingsError {
        let own = (command?.flags ?? []).map { "--" + $0.name }
        let known = own + catalog.settings.map(\.flag) + SettingsCatalog.commonFlags.map { "--" + $0 }
        let hint = SettingsError.hint(name, among: known)
        let isOwnFlagElsewhere = catalog.commands.contains { $0.flags.contains { "--" + $0.name == name } }
        let order = command == nil && isOwnFlagElsewhere ? "; a command's own flags stand after it" : ""
        let place = [catalog.program, command?.name ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
        return SettingsError(name, nil, "there is no such flag\(hint)\(order); allowed are those of \(place) --help")
    }

    private func missingCommand() -> SettingsError {
        SettingsError("command", nil, "there is none; \(allowedCommands); see \(catalog.program) --help")
    }

    private var firstWords: [String] {
        var words: [String] = []
        for command in catalog.commands {
            if let word = command.words.first, !words.contains(String(word)) { words.append(String(word)) }
        }
        return words
    }

    private var allowedCommands: String { "allowed is " + firstWords.joined(separator: ", ") }
}
