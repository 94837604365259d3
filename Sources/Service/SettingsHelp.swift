extension SettingsCatalog {
    /// Widest line of help.
    private static let width = 100

    /// Help of the whole program: its commands, or, when it has none, all about its one purpose.
    public func help() -> String {
        if let only = commands.first, only.name.isEmpty { return help(of: only) }
        var text = "\(program) - \(summary)\n\nUsage: \(program) COMMAND [FLAGS]\n\nCommands:\n"
        text += columns(commands.map { ($0.name, $0.summary) })
        text += "\n\(program) COMMAND --help tells more about one of them.\n\n"
        text += settingsHelp(settings, title: "Settings")
        text += "\n" + commonHelp() + "\nExamples:\n"
        text += examples(commands.prefix(4).flatMap { $0.examples.prefix(1) })
        return text
    }

    /// Help of one command: its flags, arguments, the settings that matter to it, examples.
    public func help(of command: CommandDeclaration) -> String {
        let name = [program, command.name].filter { !$0.isEmpty }.joined(separator: " ")
        let places = command.positional.map { $0.isRequired ? " \($0.name)" : " [\($0.name)]" }.joined()
        var text = "\(name) - \(command.summary)\n\nUsage: \(name)\(places) [FLAGS]\n"
        for paragraph in command.details.split(separator: "\n") {
            text += "\n" + wrapped(String(paragraph), indent: 0)
        }
        if !command.positional.isEmpty {
            text += "\nArguments:\n"
            text += columns(command.positional.map { ($0.name, "\($0.meaning) Allowed: \($0.kind.allowed).") })
        }
        if !command.flags.isEmpty {
            text += "\nFlags:\n" + columns(command.flags.map { ($0.usage, flagMeaning($0)) })
        }
        let listed = command.settings.map { names in settings.filter { names.contains($0.name) } } ?? settings
        let hasKafka = takesKafkaProperties && (command.settings?.contains(SettingName.kafkaPrefix + "*") ?? true)
        if !listed.isEmpty || hasKafka {
            text += "\n" + settingsHelp(listed, title: "Settings that matter here", withKafka: hasKafka)
        }
        text += "\n" + commonHelp() + "\nExamples:\n" + examples(command.examples)
        return text
    }

    /// Help of the commands that begin with one word: `dead-letter`.
    func help(ofGroup word: String) -> String {
        let group = commands.filter { $0.words.first.map(String.init) == word }
        var text = "\(program) \(word) - \(group.count) commands\n\n"
        text += "Usage: \(program) \(word) COMMAND [FLAGS]\n\nCommands:\n"
        text += columns(group.map { ($0.name, $0.summary) })
        text += "\n\(program) \(word) COMMAND --help tells more about one of them.\n\nExamples:\n"
        return text + examples(group.flatMap { $0.examples.prefix(1) })
    }

    private func settingsHelp(_ list: [SettingDeclaration], title: String, withKafka: Bool = true) -> String {
        var text = "\(title) (flag; the environment variable is the same in capitals, with _ for -):\n"
        var rows = list.map { setting in
            (setting.flag, "\(setting.meaning) Allowed: \(setting.kind.allowed). Default: \(setting.shownDefault).")
        }
        if takesKafkaProperties, withKafka {
            rows.append(
                (
                    "--kafka-config-...",
                    "Any property of librdkafka, - for its dots: --kafka-config-security-protocol ssl. "
                        + "It beats the program's own choice."
                ))
        }
        text += columns(rows)
        return text
    }

    private func commonHelp() -> String {
        var text = "Everywhere:\n"
        text += columns([
            ("--settings FILE", "Lines NAME=value, as docker --env-file and systemd's EnvironmentFile read them."),
            ("--NAME-file FILE", "Any setting, read from a file (NAME_FILE as variable); for secrets."),
            ("--help, --version", ""),
        ])
        return text + "Flags win over variables, variables over the settings file.\n"
    }

    private func flagMeaning(_ flag: FlagDeclaration) -> String {
        guard flag.kind != .presence else { return flag.meaning }
        let end = flag.isRequired ? " Required." : flag.defaultValue.map { " Default: \($0)." } ?? ""
        return "\(flag.meaning) Allowed: \(flag.kind.allowed).\(end)"
    }

    private func examples(_ list: [CommandExample]) -> String {
        list.map { "  \($0.line)\n      \($0.meaning)\n" }.joined()
    }

    /// Names on the left, wrapped text on the right; a long name gets a line of its own.
    private func columns(_ rows: [(name: String, text: String)]) -> String {
        let nameWidth = min(30, rows.map(\.name.count).max() ?? 0)
        return rows.map { row in
            let indent = nameWidth + 4
            let body = wrapped(row.text, indent: indent)
            let name = "  " + row.name
            if row.text.isEmpty { return name + "\n" }
            if row.name.count > nameWidth { return name + "\n" + body }
            return name + String(repeating: " ", count: indent - name.count) + body.dropFirst(indent)
        }.joined()
    }

    private func wrapped(_ text: String, indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, indent + line.count + 1 + word.count > SettingsCatalog.width {
                lines.append(margin + line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " " + word
        }
        lines.append(margin + line)
        return lines.joined(separator: "\n") + "\n"
    }
}
