/// Collects what flags, variables and files give, and decides which of them counts.
struct SettingLevels {
    /// In the order in which they win.
    enum Level: Int, CaseIterable {
        case flags, variables, file
    }

    private struct Given {
        let value: String
        let source: SettingSource
        /// Whether the value is the path of a file that holds the real one.
        let isPath: Bool
    }

    private let catalog: SettingsCatalog
    private var given: [[String: Given]] = [[:], [:], [:]]

    init(catalog: SettingsCatalog) { self.catalog = catalog }

    /// Whether a variable or a line of that name means something here.
    func isKnown(_ name: String) -> Bool { base(of: name) != nil }

    /// Whether a setting has that flag. Case counts, as in all flags.
    func isKnownFlag(_ flag: String) -> Bool {
        let isSpelledRight = flag.lowercased() == flag && !flag.utf8.contains(UInt8(ascii: "_"))
        guard flag.hasPrefix("--"), isSpelledRight else { return false }
        let bare = flag.dropFirst(2)
        let mayHoldDots = bare.hasPrefix("kafka-config-")
        guard mayHoldDots || !bare.utf8.contains(UInt8(ascii: ".")) else { return false }
        return isKnown(SettingName.variable(ofFlag: bare))
    }

    /// Takes a value down. Within a level the later one of a name counts; NAME beside NAME_FILE is refused.
    mutating func give(
        _ name: String, _ value: String, _ source: SettingSource, at level: Level
    ) throws(SettingsError) {
        guard let (base, isPath) = base(of: name) else { return }
        if let other = given[level.rawValue][base], other.isPath != isPath {
            throw SettingsError(base, source, "it is given here and by \(other.source); allowed is one of the two")
        }
        given[level.rawValue][base] = Given(value: value, source: source, isPath: isPath)
    }

    /// Decides, reads the files that are named, and judges every value that counts.
    func resolve(
        _ line: CommandLineReader.Line, readFile: (String) throws(SystemError) -> [UInt8]
    ) throws(SettingsError) -> ResolvedSettings {
        var values: [String: ResolvedSettings.Value] = [:]
        for setting in catalog.settings {
            var value = ResolvedSettings.Value(text: setting.defaultValue, source: .defaultValue)
            if let given = winner(setting.name) {
                value = try content(setting.name, given, readFile)
                guard setting.kind.accepts(value.text) else {
                    let isSecret = setting.secrecy != .none || value.source.isSecretFile
                    throw .refused(
                        setting.name, value.source, value: value.text, isSecret: isSecret, kind: setting.kind)
                }
            }
            values[setting.name] = value
        }
        var properties: [ResolvedSettings.KafkaProperty] = []
        for name in Set(given.flatMap { $0.keys }).sorted() {
            guard let property = SettingName.kafkaProperty(name), let given = winner(name) else { continue }
            let value = try content(name, given, readFile)
            properties.append(.init(name: property, value: value.text, variable: name, source: value.source))
        }
        return ResolvedSettings(
            command: line.command.name, declarations: catalog.settings, values: values,
            ownFlags: try ownFlags(line), declaredFlags: line.command.flags,
            positional: try positional(line), kafka: properties)
    }

    /// The setting that a name means, and whether it is the form with `_FILE`.
    private func base(of name: String) -> (name: String, isPath: Bool)? {
        if catalog.setting(name) != nil { return (name, false) }
        var base = name
        let isPath = name.hasSuffix(SettingName.fileSuffix)
        if isPath { base.removeLast(SettingName.fileSuffix.count) }
        if isPath, catalog.setting(base) != nil { return (base, true) }
        guard catalog.takesKafkaProperties, SettingName.isVariable(base), SettingName.kafkaProperty(base) != nil
        else { return nil }
        return (base, isPath)
    }

    private func winner(_ name: String) -> Given? { given.lazy.compactMap { $0[name] }.first }

    private func content(
        _ name: String, _ given: Given, _ readFile: (String) throws(SystemError) -> [UInt8]
    ) throws(SettingsError) -> ResolvedSettings.Value {
        var text = given.value
        var source = given.source
        if given.isPath {
            guard !given.value.isEmpty else {
                throw SettingsError(name + SettingName.fileSuffix, source, "allowed is the path of a file")
            }
            var bytes: [UInt8]
            do throws(SystemError) { bytes = try readFile(given.value) } catch {
                throw SettingsError(name + SettingName.fileSuffix, source, "\(error)")
            }
            if bytes.last == UInt8(ascii: "\n") {
                bytes.removeLast()
                if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
            }
            source = .secretFile(given.value, namedBy: given.source)
            guard let content = String(validating: bytes, as: UTF8.self) else {
                throw SettingsError(name, source, "the file does not hold UTF-8 text")
            }
            text = content
        }
        // C libraries would read only what stands before it.
        guard !text.utf8.contains(0) else { throw SettingsError(name, source, "the value holds a zero byte") }
        return ResolvedSettings.Value(text: text, source: source)
    }

    private func ownFlags(_ line: CommandLineReader.Line) throws(SettingsError) -> [String: ResolvedSettings.Value] {
        var values: [String: ResolvedSettings.Value] = [:]
        for flag in line.command.flags {
            let written = "--\(flag.name)"
            if let text = line.ownFlags[flag.name] {
                guard flag.kind.accepts(text) else {
                    throw .refused(written, nil, value: text, isSecret: false, kind: flag.kind)
                }
                values[flag.name] = .init(text: text, source: .flag(written))
            } else if let text = flag.defaultValue {
                values[flag.name] = .init(text: text, source: .defaultValue)
            } else if flag.isRequired {
                throw SettingsError(written, nil, "the flag is missing; allowed is \(flag.kind.allowed)")
            }
        }
        return values
    }

    private func positional(_ line: CommandLineReader.Line) throws(SettingsError) -> [String] {
        let declared = line.command.positional
        guard line.positional.count <= declared.count else {
            let names = declared.isEmpty ? "none" : declared.map(\.name).joined(separator: " ")
            throw SettingsError(line.positional[declared.count], nil, "an argument too many; allowed is \(names)")
        }
        for (index, declaration) in declared.enumerated() {
            guard index < line.positional.count else {
                guard declaration.isRequired else { break }
                throw SettingsError(
                    declaration.name, nil, "the argument is missing; allowed is \(declaration.kind.allowed)")
            }
            guard declaration.kind.accepts(line.positional[index]) else {
                throw .refused(
                    declaration.name, nil, value: line.positional[index], isSecret: false, kind: declaration.kind)
            }
        }
        return line.positional
    }
}
