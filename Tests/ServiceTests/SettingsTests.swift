import Service
import Testing

/// A small program with every kind of setting.
enum TrialProgram {
    static let catalog = SettingsCatalog(
        program: "trial", summary: "a program for tests", version: "1.2.3",
        settings: [
            SettingDeclaration("KAFKA_GROUP_ID", default: "trial", kind: .text(), meaning: "The group."),
            SettingDeclaration("VITALS_TOPIC", default: "vitals", kind: .name(mostBytes: 10), meaning: "The topic."),
            SettingDeclaration(
                "DATABASE_URL", default: "", kind: .text(mayBeEmpty: true), meaning: "The database.",
                secrecy: .connectionString, example: "postgresql://db.example/x"),
            SettingDeclaration(
                "API_KEY", default: "", kind: .text(mayBeEmpty: true), meaning: "A key.", secrecy: .secret),
            SettingDeclaration("PIN", default: "0", kind: .integer(0...9_999), meaning: "A pin.", secrecy: .secret),
            SettingDeclaration("HTTP_PORT", default: "8080", kind: .integer(0...65_535), meaning: "The port."),
            SettingDeclaration(
                "LANES", default: "2", defaultText: "number of cores", kind: .integer(1...256), meaning: "The lanes."),
            SettingDeclaration("MAX_FUTURE", default: "300", kind: .integerOrOff(0...900), meaning: "The future."),
            SettingDeclaration("SHARE", default: "0.5", kind: .number(0...1), meaning: "The share."),
            SettingDeclaration(
                "PAUSE", default: "30s", kind: .duration(.zero ... .seconds(3_600)), meaning: "The pause."),
            SettingDeclaration("MIGRATE", default: "on", kind: .truth, meaning: "Whether."),
            SettingDeclaration("LOG_LEVEL", default: "info", kind: .choice(["info", "error"]), meaning: "The level."),
        ],
        commands: [
            CommandDeclaration(
                "serve", summary: "Serve.", examples: [CommandExample("trial serve", "as it is")]),
            CommandDeclaration(
                "letter list", summary: "List letters.",
                flags: [
                    FlagDeclaration(
                        "limit", kind: .integer(1...100), valueName: "N", default: "20", meaning: "How many."),
                    FlagDeclaration("yes", meaning: "Without asking."),
                    FlagDeclaration(
                        "since", kind: .duration(.zero ... .seconds(90)), valueName: "TIME", meaning: "Since."),
                    FlagDeclaration("rate", kind: .number(0.5...10), valueName: "R", meaning: "The rate."),
                ],
                settings: ["DATABASE_URL"], examples: [CommandExample("trial letter list --limit 5", "a few")]),
            CommandDeclaration(
                "letter show", summary: "Show a letter.",
                flags: [
                    FlagDeclaration(
                        "to", kind: .integerOrWord(0...9, ["end"]), valueName: "PLACE", isRequired: true,
                        meaning: "Where.")
                ],
                positional: [
                    PositionalDeclaration("TOPIC", kind: .name(mostBytes: 9), meaning: "Which topic."),
                    PositionalDeclaration("OFFSET", kind: .integer(0...9), isRequired: false, meaning: "Which one."),
                ], examples: [CommandExample("trial letter show vitals 3 --to end", "one")]),
        ],
        foreignNames: ["OTHER_PROGRAMS"])

    /// Runs the catalog on a command line with files in memory.
    static func resolve(
        _ arguments: [String], _ environment: [String: String] = [:], files: [String: String] = [:]
    ) throws -> ResolvedSettings {
        let invocation = try catalog.interpret(arguments: arguments, environment: environment) {
            path throws(SystemError) in
            guard let text = files[path] else { throw SystemError(code: 2, operation: "open", subject: path) }
            return Array(text.utf8)
        }
        guard case .run(let settings) = invocation else { throw SettingsError("test", nil, "nothing to run") }
        return settings
    }

    /// The one line with which it stops.
    static func refusal(
        _ arguments: [String], _ environment: [String: String] = [:], files: [String: String] = [:]
    ) -> String {
        let error = #expect(throws: SettingsError.self) { try resolve(arguments, environment, files: files) }
        return error?.description ?? ""
    }
}

@Suite struct SettingsTests {
    @Test func `without anything given the defaults hold`() throws {
        let settings = try TrialProgram.resolve(["serve"])
        #expect(settings.command == "serve")
        #expect(settings.string("KAFKA_GROUP_ID") == "trial")
        #expect(settings.integer("HTTP_PORT") == 8_080)
        #expect(settings.optionalInteger("MAX_FUTURE") == 300)
        #expect(settings.number("SHARE") == 0.5)
        #expect(settings.duration("PAUSE") == .seconds(30))
        #expect(settings.flag("MIGRATE"))
        #expect(settings.source(of: "HTTP_PORT") == .defaultValue)
        #expect(settings.kafkaProperties.isEmpty)
        #expect(settings.positional.isEmpty)
    }

    @Test func `flags win over variables, variables over the file, the file over the default`() throws {
        let files = ["site.env": "# our site\n\n  KAFKA_GROUP_ID=file\nHTTP_PORT=1\nMIGRATE=off\nMAX_FUTURE=off\n"]
        let settings = try TrialProgram.resolve(
            ["serve", "--settings", "site.env", "--kafka-group-id", "flag"],
            ["KAFKA_GROUP_ID": "variable", "HTTP_PORT": "2", "HOME": "/root"], files: files)
        #expect(settings.string("KAFKA_GROUP_ID") == "flag")
        #expect(settings.source(of: "KAFKA_GROUP_ID") == .flag("--kafka-group-id"))
        #expect(settings.integer("HTTP_PORT") == 2)
        #expect(settings.source(of: "HTTP_PORT") == .variable("HTTP_PORT"))
        #expect(!settings.flag("MIGRATE"))
        #expect(settings.source(of: "MIGRATE") == .settingsFile("site.env", line: 5))
        #expect(settings.optionalInteger("MAX_FUTURE") == nil)
        #expect(settings.source(of: "SHARE") == .defaultValue)
    }

    @Test(arguments: [
        ["serve", "--http-port", "9"], ["serve", "--http-port=9"], ["--http-port", "9", "serve"],
        ["--http-port=1", "serve", "--http-port=9"],  // of a flag given twice the last counts
    ])
    func `a flag stands before or after its command, its value beside or behind it`(arguments: [String]) throws {
        #expect(try TrialProgram.resolve(arguments).integer("HTTP_PORT") == 9)
    }

    @Test func `a value may hold an equals sign, be empty, or begin with a dash`() throws {
        let settings = try TrialProgram.resolve(
            ["serve", "--kafka-group-id=a=b", "--database-url=", "--vitals-topic", "-x"])
        #expect(settings.string("KAFKA_GROUP_ID") == "a=b")
        #expect(settings.string("DATABASE_URL") == "")
        #expect(settings.string("VITALS_TOPIC") == "-x")
    }

    @Test func `any setting is read from a file that is named, one newline dropped`() throws {
        let files = [
            "/run/url": "postgresql://u:p@db/x\n", "/run/pem": "two\n\n", "/run/key": "key\n", "/run/crlf": "dos\r\n",
            "/run/bare": "bare",
            "site.env": "API_KEY_FILE=/run/key\n",
        ]
        let settings = try TrialProgram.resolve(
            ["serve", "--settings=site.env", "--kafka-group-id-file", "/run/bare"],
            [
                "DATABASE_URL_FILE": "/run/url", "VITALS_TOPIC_FILE": "/run/crlf",
                "KAFKA_CONFIG_SSL_KEY_PEM_FILE": "/run/pem",
            ], files: files)
        #expect(settings.string("API_KEY") == "key")
        #expect(settings.kafka.first?.value == "two\n", "one newline only, and properties may hold lines")
        #expect(settings.string("DATABASE_URL") == "postgresql://u:p@db/x")
        #expect(settings.string("KAFKA_GROUP_ID") == "bare")
        #expect(settings.string("VITALS_TOPIC") == "dos")
        let place = SettingSource.secretFile("/run/url", namedBy: .variable("DATABASE_URL_FILE"))
        #expect(settings.source(of: "DATABASE_URL") == place)
    }

    @Test func `a file that is overruled is not even read`() throws {
        let settings = try TrialProgram.resolve(
            ["serve", "--kafka-group-id", "flag"], ["KAFKA_GROUP_ID_FILE": "/gone"])
        #expect(settings.string("KAFKA_GROUP_ID") == "flag")
    }

    @Test func `any property of librdkafka is taken, from every place`() throws {
        let files = ["site.env": "KAFKA_CONFIG_SSL_CA_LOCATION=/ca\nKAFKA_CONFIG_DEBUG=file\n", "/pw": "secret\n"]
        let settings = try TrialProgram.resolve(
            [
                "serve", "--settings", "site.env", "--kafka-config-security-protocol", "ssl",
                "--kafka-config-fetch.message.max.bytes=9",
            ],
            [
                "KAFKA_CONFIG_DEBUG": "all", "KAFKA_CONFIG_SASL_PASSWORD_FILE": "/pw", "KAFKA_CONFIG_EMPTY": "",
                "KAFKA_CONFIG_": "not one", "KAFKA_HOME": "/opt/kafka",
            ], files: files)
        let expected = [
            ("debug", "all"), ("empty", ""), ("fetch.message.max.bytes", "9"), ("sasl.password", "secret"),
            ("security.protocol", "ssl"), ("ssl.ca.location", "/ca"),
        ]
        #expect(settings.kafkaProperties.elementsEqual(expected, by: ==))
        #expect(settings.kafka.first?.source == .variable("KAFKA_CONFIG_DEBUG"))
        #expect(settings.kafka.last?.variable == "KAFKA_CONFIG_SSL_CA_LOCATION")
    }

    @Test func `a command has flags and arguments of its own`() throws {
        let list = try TrialProgram.resolve(["letter", "list", "--yes", "--since", "1m", "--rate=2.5"])
        #expect(list.command == "letter list")
        #expect(list.integer("limit") == 20)
        #expect(list.flag("yes"))
        #expect(list.duration("since") == .seconds(60))
        #expect(list.number("rate") == 2.5)
        let bare = try TrialProgram.resolve(["letter", "list", "--limit", "7"])
        #expect(bare.integer("limit") == 7)
        #expect(!bare.flag("yes"))
        #expect(bare.optionalDuration("since") == nil && bare.optionalNumber("rate") == nil)
        let show = try TrialProgram.resolve(["letter", "show", "--to", "end", "vitals", "3"])
        #expect(show.positional == ["vitals", "3"])
        #expect(show.string("to") == "end" && show.optionalInteger("to") == nil)
        #expect(try TrialProgram.resolve(["letter", "show", "--to=4", "--", "-v-"]).positional == ["-v-"])
    }

    @Test func `names for other programs that share the file are passed over`() throws {
        let files = ["all.env": "OTHER_PROGRAMS=1\nHTTP_PORT=3\n"]
        #expect(try TrialProgram.resolve(["serve", "--settings=all.env"], files: files).integer("HTTP_PORT") == 3)
    }

    @Test func `of two settings files the later one counts`() throws {
        let files = ["a": "HTTP_PORT=1\nLANES=3\n", "b": "HTTP_PORT=2\n"]
        let settings = try TrialProgram.resolve(["serve", "--settings=a", "--settings=b"], files: files)
        #expect(settings.integer("HTTP_PORT") == 2 && settings.integer("LANES") == 3)
    }

    @Test func `a program without commands takes its flags at once`() throws {
        let catalog = SettingsCatalog(
            program: "producer", version: "1",
            settings: [SettingDeclaration("VITALS_TOPIC", default: "vitals", kind: .text(), meaning: "Where to.")],
            command: CommandDeclaration(
                "", summary: "Produce.",
                flags: [FlagDeclaration("rate", kind: .integer(1...9), valueName: "N", meaning: "How fast.")],
                examples: [CommandExample("producer --rate 5", "slowly")]),
            takesKafkaProperties: false)
        guard case .run(let settings) = try catalog.interpret(arguments: ["--rate", "5"], environment: [:]) else {
            Issue.record("nothing to run")
            return
        }
        #expect(settings.integer("rate") == 5)
        #expect(throws: SettingsError.self) { try catalog.interpret(arguments: ["serve"], environment: [:]) }
        #expect(throws: SettingsError.self) {
            try catalog.interpret(arguments: ["--kafka-config-debug=all"], environment: [:])
        }
    }
}
