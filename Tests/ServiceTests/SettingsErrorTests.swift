import Service
import Testing

/// Everything that stops a program says so in one line: what, where, and what is allowed.
@Suite struct SettingsErrorTests {
    @Test(
        arguments: [
            // A value out of range, at each of its places.
            (
                ["serve", "--http-port", "99999"], [:],
                #"HTTP_PORT (flag --http-port): "99999" is not allowed; allowed is a whole number from 0 to 65535"#
            ),
            (
                ["serve"], ["LOG_LEVEL": "loud"],
                #"LOG_LEVEL (variable LOG_LEVEL): "loud" is not allowed; allowed is info or error"#
            ),
            (
                ["serve", "--settings", "site.env"], [:],
                #"LANES (site.env:2): "0" is not allowed; allowed is a whole number from 1 to 256"#
            ),
            (
                ["serve"], ["LANES_FILE": "/secret"],
                "LANES (file /secret, named by variable LANES_FILE): the value is not allowed; "
                    + "allowed is a whole number from 1 to 256"
            ),
            // Every kind says what it wants.
            (["serve", "--kafka-group-id="], [:], "allowed is a text that is not empty"),
            (["serve", "--vitals-topic=^v"], [:], "allowed is 1 to 10 letters, digits, '.', '_' or '-'"),
            (["serve", "--vitals-topic=.."], [:], "allowed is 1 to 10 letters"),
            (["serve", "--max-future=901"], [:], "allowed is off or a whole number from 0 to 900"),
            (["serve", "--share=1.01"], [:], "allowed is a number from 0 to 1"),
            (["serve", "--share=nan"], [:], "allowed is a number from 0 to 1"),
            (["serve", "--share=0x1p-1"], [:], "allowed is a number from 0 to 1"),
            (["serve", "--pause=61m"], [:], "allowed is a time from 0s to 1h, such as 30s, 5m, 2h or 250ms"),
            (["serve", "--pause=5 s"], [:], "allowed is a time"),
            (["serve", "--pause=99999999999999999999d"], [:], "allowed is a time"),
            (["serve", "--migrate=maybe"], [:], "allowed is on or off"),
            (["serve", "--http-port=+0x1"], [:], "allowed is a whole number"),
            (["serve", "--http-port=９"], [:], "allowed is a whole number"),  // a full-width digit
            // Unknown names, with what may have been meant.
            (["serve", "--http-prot=1"], [:], "--http-prot: there is no such flag; did you mean --http-port?"),
            (["serve", "--HTTP-PORT=1"], [:], "there is no such flag"),
            (["serve", "--http_port=1"], [:], "there is no such flag"),
            (["serve", "-p"], [:], "-p: there is no such flag; allowed are those of trial serve --help"),
            (["serve", "--yes"], [:], "--yes: there is no such flag"),
            (["--yes", "letter", "list"], [:], "a command's own flags stand after it"),
            (["serve", "--kafka-config-=1"], [:], "there is no such flag"),
            (["sreve"], [:], "sreve: there is no such command; did you mean serve?; allowed is serve, letter"),
            (["letter"], [:], "letter: says not what to do; allowed is list, show"),
            ([], [:], "command: there is none; allowed is serve, letter; see trial --help"),
            (["--", "serve"], [:], "command: there is none"),
            // Values and arguments that are missing or too many.
            (["serve", "--http-port"], [:], "--http-port: the flag needs a value; allowed is a whole number"),
            (["serve", "--http-port", "--migrate=on"], [:], "--http-port: the flag needs a value"),
            (["serve", "--api-key-file"], [:], "allowed is the path of a file"),
            (["letter", "list", "--yes=on"], [:], "--yes: the flag takes no value"),
            (
                ["letter", "list", "--limit", "0"], [:],
                #"--limit: "0" is not allowed; allowed is a whole number from 1 to 100"#
            ),
            (
                ["letter", "show", "vitals"], [:],
                "--to: the flag is missing; allowed is end or a whole number from 0 to 9"
            ),
            (["letter", "show", "--to=end"], [:], "TOPIC: the argument is missing"),
            (["letter", "show", "--to=end", "v", "x"], [:], #"OFFSET: "x" is not allowed; allowed is a whole number"#),
            (["letter", "show", "--to=end", "v", "1", "2"], [:], "2: an argument too many; allowed is TOPIC OFFSET"),
            (["serve", "now"], [:], "now: an argument too many; allowed is none"),
            // Two forms of one setting at one place.
            (
                ["serve"], ["API_KEY": "a", "API_KEY_FILE": "/secret"],
                "API_KEY (variable API_KEY_FILE): it is given here and by variable API_KEY; allowed is one of the two"
            ),
            // Files that are not there.
            (
                ["serve"], ["API_KEY_FILE": "/gone"],
                "API_KEY_FILE (variable API_KEY_FILE): cannot open /gone: No such file"
            ),
            (["serve", "--api-key-file="], [:], "API_KEY_FILE (flag --api-key-file): allowed is the path of a file"),
            (
                ["serve", "--settings", "/gone"], [:],
                "settings file (flag --settings): cannot open /gone: No such file"
            ),
            (["serve"], ["KAFKA_CONFIG_SASL_PASSWORD_FILE": "/gone"], "KAFKA_CONFIG_SASL_PASSWORD_FILE (variable"),
        ] as [([String], [String: String], String)])
    func `a mistake stops the program`(arguments: [String], environment: [String: String], expected: String) {
        let files = ["site.env": "# first\nLANES=0\n", "/secret": "hidden\n"]
        let line = TrialProgram.refusal(arguments, environment, files: files)
        #expect(line.contains(expected), "\(line)")
        #expect(!line.contains("\n"))
        #expect(!line.contains("hidden"), "what stands in a secret's file is not told")
    }

    @Test(arguments: [
        ("HTTP_PROT=1", "HTTP_PROT (f.env:1): there is no such setting; did you mean HTTP_PORT?"),
        ("PGPASSWORD=x", "libpq's PG* variables belong into the environment"),
        ("\n\nHTTP_PORT", "settings file (f.env:3): allowed are lines NAME=value, empty ones, and # comments"),
        ("; a comment of systemd", "allowed are lines NAME=value"),
        ("http_port=1", "\"http_port\" is not a name"),
        ("HTTP_PORT =1", "is not a name"),
        ("export HTTP_PORT=1", "is not a name"),
        (
            "API_KEY=\"x\"",
            "API_KEY (f.env:1): the value begins with a quote, which docker and systemd read differently"
        ),
        ("API_KEY='x", "the value begins with a quote"),
        ("API_KEY= x", "begins or ends with a blank"),
        ("API_KEY=x\t", "begins or ends with a blank"),
        ("API_KEY=a\\b", "holds a backslash"),
        ("API_KEY=a\u{0}b", "is not UTF-8 text"),
        ("API_KEY=x\nAPI_KEY_FILE=/y", "it is given here and by f.env:1"),
        ("KAFKA_CONFIG_=x", "there is no such setting"),
    ])
    func `a line that is not clear stops the program`(content: String, expected: String) {
        let line = TrialProgram.refusal(["serve", "--settings", "f.env"], files: ["f.env": content])
        #expect(line.contains(expected), "\(line)")
        #expect(!line.contains("\n"))
    }

    @Test func `bytes that are not UTF-8 stop the program`() {
        let error = #expect(throws: SettingsError.self) {
            _ = try TrialProgram.catalog.interpret(arguments: ["serve", "--settings=f"], environment: [:]) {
                _ throws(SystemError) in
                Array("API_KEY=".utf8) + [0xFF, 0xFE]
            }
        }
        #expect(error?.description == "settings file (f:1): the line is not UTF-8 text")
    }

    @Test func `byte order mark, line ends of DOS and repeated names are read as docker and systemd do`() throws {
        let content = "\u{FEFF}HTTP_PORT=1\r\nHTTP_PORT=2\r\n\t# comment\r\nAPI_KEY=a=b#c d\r\nDATABASE_URL=\r\n"
        let settings = try TrialProgram.resolve(["serve", "--settings", "f"], files: ["f": content])
        #expect(settings.integer("HTTP_PORT") == 2)
        #expect(settings.source(of: "HTTP_PORT") == .settingsFile("f", line: 2))
        #expect(settings.string("API_KEY") == "a=b#c d")
        #expect(settings.string("DATABASE_URL") == "")
    }

    @Test func `a secret never stands in an error`() {
        let line = TrialProgram.refusal(["serve"], ["PIN": "hunter2"])
        #expect(line == "PIN (variable PIN): the value is not allowed; allowed is a whole number from 0 to 9999")
        #expect(!TrialProgram.refusal(["serve", "--database-url", "u:hunter2\n"]).contains("hunter2"))
    }

    @Test func `a value with control characters or without end stays one short line`() {
        let line = TrialProgram.refusal(["serve", "--lanes", "1\n2\u{1B}[2J" + String(repeating: "9", count: 10_000)])
        #expect(line.contains(#"1\n2\u001b[2J999"#))
        #expect(line.utf8.count < 400)
    }
}
