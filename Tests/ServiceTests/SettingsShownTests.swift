import Service
import Testing

/// Help, the docs' page, `check`'s table, and what they must not show.
@Suite struct SettingsShownTests {
    private func shown(_ arguments: [String]) throws -> String {
        guard case .show(let text) = try TrialProgram.catalog.interpret(arguments: arguments, environment: [:]) else {
            Issue.record("nothing to show for \(arguments)")
            return ""
        }
        return text
    }

    @Test(arguments: [["--help"], ["-h"], ["help"], ["--bogus", "--help"], ["--help", "--lanes"]])
    func `help of the program lists commands, settings and examples`(arguments: [String]) throws {
        let text = try shown(arguments)
        for declared in TrialProgram.catalog.commands { #expect(text.contains("  \(declared.name) ")) }
        for setting in TrialProgram.catalog.settings { #expect(text.contains("  \(setting.flag) ")) }
        #expect(text.contains("--kafka-config-..."))
        #expect(text.contains("--settings FILE"))
        #expect(text.contains("Default: number of cores."))
        #expect(text.contains("Examples:\n  trial serve\n"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test(arguments: [
        ["letter", "show", "--help"], ["letter", "show", "vitals", "-h"], ["help", "letter", "show"],
        ["--http-port", "1", "letter", "show", "--help"],
    ])
    func `help of a command shows its own flags, arguments and examples`(arguments: [String]) throws {
        let text = try shown(arguments)
        #expect(text.hasPrefix("trial letter show - Show a letter.\n\n"))
        #expect(text.contains("\nUsage: trial letter show TOPIC [OFFSET] [FLAGS]\n"))
        #expect(text.contains("--to PLACE"))
        #expect(text.contains("Required."))
        #expect(text.contains("Examples:\n  trial letter show vitals 3 --to end\n      one\n"))
    }

    @Test func `help of a command shows only the settings that matter to it`() throws {
        let text = try shown(["letter", "list", "--help"])
        #expect(text.contains("--database-url"))
        #expect(!text.contains("--http-port") && !text.contains("--kafka-config-..."))
        #expect(text.contains("--limit N"))
        #expect(text.contains("Default: 20."))
    }

    @Test func `help of a group lists its commands`() throws {
        let text = try shown(["letter", "--help"])
        #expect(text.contains("letter list") && text.contains("letter show") && !text.contains("serve"))
    }

    @Test func `the version is one line`() throws {
        #expect(try shown(["serve", "--version"]) == "trial 1.2.3\n")
    }

    @Test func `a question for help behind the end of flags is an argument`() throws {
        #expect(throws: SettingsError.self) { try shown(["serve", "--", "--help"]) }
    }

    @Test func `the docs' page names every setting, command, flag and example`() throws {
        let text = try shown(["--help=markdown"])
        #expect(text == TrialProgram.catalog.markdown())
        for setting in TrialProgram.catalog.settings { #expect(text.contains("| `\(setting.name)` | ")) }
        for command in TrialProgram.catalog.commands {
            #expect(text.contains("### `trial \(command.name)"))
            for flag in command.flags { #expect(text.contains("| `--\(flag.name)")) }
            for example in command.examples { #expect(text.contains("- `\(example.line)`: \(example.meaning)")) }
        }
        #expect(text.contains("Example: `postgresql://db.example/x`."))
        #expect(text.contains("KAFKA_CONFIG_SECURITY_PROTOCOL=sasl_ssl"))
    }

    @Test func `the table shows every setting with its place and no secret`() throws {
        let files = [
            "/run/group": "hidden-group\n", "/run/url": "postgresql://u:hidden-url@db/x", "/pw": "hidden-word",
        ]
        let settings = try TrialProgram.resolve(
            ["serve", "--database-url", "postgresql://u:hidden-pass@db/x"],
            [
                "API_KEY": "hidden-key", "PIN": "7331", "KAFKA_CONFIG_SASL_PASSWORD": "hidden-sasl",
                "KAFKA_CONFIG_SSL_KEY_LOCATION_FILE": "/pw", "KAFKA_CONFIG_DEBUG": "all",
                "KAFKA_GROUP_ID_FILE": "/run/group",
            ], files: files)
        let table = settings.table()
        func row(_ name: String) -> SettingRow? { table.first { $0.name == name } }
        #expect(table.count == TrialProgram.catalog.settings.count + 3)
        #expect(row("DATABASE_URL")?.value == "postgresql://u:***@db/x")
        #expect(row("DATABASE_URL")?.source == "flag --database-url")
        #expect(row("KAFKA_GROUP_ID")?.value == "***")
        #expect(row("KAFKA_GROUP_ID")?.source == "file /run/group, named by variable KAFKA_GROUP_ID_FILE")
        #expect(row("KAFKA_CONFIG_DEBUG")?.value == "all")
        #expect(row("LANES") == table.first { $0.source == "default" && $0.name == "LANES" })
        let text = settings.tableText()
        #expect(!text.contains("hidden") && !text.contains("7331"))
        #expect(text.contains("API_KEY                        "))
        #expect(text.split(separator: "\n").count == table.count)
    }
}

@Suite struct SecretMaskTests {
    @Test(arguments: [
        ("", ""),
        ("health_db", "health_db"),
        ("postgresql://db.example/health_db", "postgresql://db.example/health_db"),
        ("postgres://u@h:5432,i:5433/d?sslmode=require", "postgres://u@h:5432,i:5433/d?sslmode=require"),
        ("postgresql://u:pw@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:p@ss/wo?rd@h/d", "postgresql://u:***@h/d"),  // not encoded as it should be
        ("postgresql://u:\u{301}pw@h/d", "postgresql://u:***@h/d"),  // a combining mark after the colon
        ("postgresql://h/d?user=u&password=pw&options=x", "postgresql://h/d?user=u&password=***&options=x"),
        ("postgresql://h/d?pass%77ord=pw", "postgresql://h/d?pass%77ord=***"),
        ("postgresql:///d?sslpassword=pw", "postgresql:///d?sslpassword=***"),
        ("host=h password=pw dbname=d", "host=h password=*** dbname=d"),
        ("host=h password = 'p w' dbname=d", "host=h password=*** dbname=d"),
        (#"password='it\'s pw' host=h"#, "password=*** host=h"),
        (#"password=p\ w host='a b'"#, "password=*** host='a b'"),
        ("host=h password='pw", "***"),  // a quote that is not closed
        ("host=h pw here", "***"),
        ("PASSWORD=pw", "PASSWORD=***"),
        ("dbname='postgresql://u:pw@h/d' host=h", "dbname=postgresql://u:***@h/d host=h"),
        ("password\u{301}=pw x", "***"),
    ])
    func `a connection string is shown without its passwords`(text: String, shown: String) {
        #expect(SecretMask.connectionString(text) == shown)
        #expect(!SecretMask.connectionString(text).contains("pw"))
    }

    @Test func `secret properties of librdkafka are known by their names`() {
        let secret = [
            "sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem", "sasl.oauthbearer.config",
            "sasl.oauthbearer.client.secret",
        ]
        for name in secret { #expect(SecretMask.isSecretKafkaProperty(name)) }
        for name in ["sasl.username", "security.protocol", "ssl.key.location", "ssl.ca.pem"] {
            #expect(!SecretMask.isSecretKafkaProperty(name))
        }
    }
}
