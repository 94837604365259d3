extension SettingsCatalog {
    /// The docs' page about settings and commands; `--help=markdown` prints it.
    public func markdown() -> String {
        var text = "# Settings of \(program)\n\n"
        text += "<!-- Made by `\(program) --help=markdown`. Change the declarations, not this page. -->\n\n"
        text += "A setting is an environment variable, the flag of the same name (`--kafka-group-id` for "
        text += "`KAFKA_GROUP_ID`), or a line of a file given with `--settings FILE`. Flags win over variables, "
        text += "variables over the file. What is not allowed stops the program with one line that names the "
        text += "setting, the value's place and what is allowed.\n\n"
        text += "| variable | default | allowed | meaning |\n|---|---|---|---|\n"
        for setting in settings {
            let example = setting.example.map { " Example: `\($0)`." } ?? ""
            text += "| `\(setting.name)` | \(cell(setting.shownDefault)) | \(cell(setting.kind.allowed)) | "
            text += "\(cell(setting.meaning + example)) |\n"
        }
        if takesKafkaProperties { text += SettingsCatalog.kafkaText }
        text += SettingsCatalog.fileText
        text += "\n## Commands\n"
        for command in commands { text += section(command) }
        return text
    }

    private static let kafkaText = """

        ## Properties of librdkafka

        `KAFKA_CONFIG_*` sets any property of librdkafka, with `_` for its dots:
        `KAFKA_CONFIG_SECURITY_PROTOCOL=sasl_ssl` is `security.protocol`, as a flag
        `--kafka-config-security-protocol sasl_ssl`. It beats the program's own choice, also under an alias
        (`fetch.message.max.bytes`).

        """

    private static let fileText = """

        ## Files

        - `NAME_FILE` (or `--name-file`) reads any setting `NAME`, `KAFKA_CONFIG_*` too, from the file named; one
          trailing newline is dropped. Made for secrets; its content is never shown.
        - `--settings FILE` reads lines `NAME=value`, empty lines, and comments that begin with `#`: what both
          `docker --env-file` and systemd's `EnvironmentFile` read. Values stand without quotes; one that begins with a
          quote, begins or ends with a blank, or holds a backslash is refused, since those two read it differently.
          Of a name that stands twice the last counts. An unknown name stops the program.

        """

    private func section(_ command: CommandDeclaration) -> String {
        let name = [program, command.name].filter { !$0.isEmpty }.joined(separator: " ")
        let places = command.positional.map { $0.isRequired ? " \($0.name)" : " [\($0.name)]" }.joined()
        var text = "\n### `\(name)\(places)`\n\n\(command.summary)\n"
        for paragraph in command.details.split(separator: "\n") { text += "\n\(paragraph)\n" }
        if !command.positional.isEmpty || !command.flags.isEmpty {
            text += "\n| argument or flag | default | allowed | meaning |\n|---|---|---|---|\n"
        }
        for place in command.positional {
            text += "| `\(place.name)` | \(place.isRequired ? "required" : "none") | \(cell(place.kind.allowed)) | "
            text += "\(cell(place.meaning)) |\n"
        }
        for flag in command.flags {
            let unset = flag.kind == .presence ? "off" : "none"
            let byDefault = flag.isRequired ? "required" : flag.defaultValue ?? unset
            text += "| `\(flag.usage)` | \(cell(byDefault)) | \(cell(flag.kind.allowed)) | \(cell(flag.meaning)) |\n"
        }
        text += "\n"
        for example in command.examples { text += "- `\(example.line)`: \(example.meaning)\n" }
        return text
    }

    private func cell(_ text: String) -> String {
        text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
