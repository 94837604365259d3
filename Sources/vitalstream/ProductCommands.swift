internal import Service

/// The commands of `vitalstream`: their flags, arguments, the settings that matter to them, examples.
enum ProductCommands {
    /// All of them, in the order of help.
    static let all =
        [serve, migrate, check, verify, demo, broker, healthcheck] + deadLetters + offsets + data + [evaluate]

    private static let toKafka = ["KAFKA_BOOTSTRAP_SERVERS", "KAFKA_GROUP_ID", "VITALS_TOPIC", "KAFKA_CONFIG_*"]
    private static let toDatabase = ["DATABASE_URL", "LOG_LEVEL", "LOG_FORMAT"]

    /// Reason codes of dead letters, in the order in which they apply.
    private static let reasons = [
        "empty_payload", "oversize", "malformed_json", "not_an_object", "missing_field", "wrong_type",
        "unknown_event", "invalid_patient_id", "invalid_timestamp", "timestamp_in_future",
        "temperature_fahrenheit_suspected", "out_of_range", "pressure_inverted", "no_vital_sign",
    ]

    private static let serve = CommandDeclaration(
        "serve", summary: "Read the topics and write the database, until SIGTERM or SIGINT.",
        details: "Without a database or a broker it waits for them. /healthz and /readyz tell how it is.",
        examples: [
            CommandExample("vitalstream serve", "with a broker on localhost:9092 and libpq's own PG* variables"),
            CommandExample(
                "vitalstream serve --settings /etc/vitalstream.env --log-format json", "as a service of the system"),
            CommandExample(
                "DATABASE_URL_FILE=/run/secrets/database_url vitalstream serve --kafka-config-security-protocol ssl",
                "with a secret in a file, and TLS to the broker"),
        ])

    private static let migrate = CommandDeclaration(
        "migrate", summary: "Bring the database's schema up to date.", settings: toDatabase,
        examples: [
            CommandExample(
                "vitalstream migrate --database-url postgresql://owner@db.example/health_db",
                "as the owner of the schema, before serve runs without that right")
        ])

    private static let check = CommandDeclaration(
        "check", summary: "Judge settings, broker, topics, database and rights, each with a remedy.",
        details: "Prints every setting with its value and its place; secrets are hidden. Then a line for each finding: "
            + "encryption, log-in, certificates and how long they hold, clocks, topics, schema, rights, partitions, "
            + "room on the disk. Ends within 20 s, also when nobody answers; exit code 1 when something does not work.",
        flags: [FlagDeclaration("json", meaning: "Print one JSON object instead; docs/security.md lists its members.")],
        examples: [
            CommandExample("vitalstream check --settings site.env", "before serve is started with it"),
            CommandExample("vitalstream check --json", "for another program"),
        ])

    private static let verify = CommandDeclaration(
        "verify", summary: "Prove that the ledger adds up: every message is a row, a duplicate or a dead letter.",
        details: "Judges one snapshot and prints every check; exit code 1 when one does not hold. --against-log judges "
            + "every message that is still in the log under today's VALIDATION_MAX_FUTURE_SECONDS and "
            + "MAX_MESSAGE_BYTES, so give it those of serve, applies them in offset order and compares all rows, their "
            + "history and the dead letters. It holds about 80 bytes a row in memory. Rows are named by partition and "
            + "offset, never by patient.",
        flags: [
            FlagDeclaration("against-log", meaning: "Read the topics again, fold them, and compare every row.")
        ],
        settings: toKafka + toDatabase
            + ["PATIENT_FLOW_TOPIC", "VALIDATION_MAX_FUTURE_SECONDS", "MAX_MESSAGE_BYTES"],
        examples: [
            CommandExample("vitalstream verify", "from the books alone, while serve goes on"),
            CommandExample("vitalstream verify --against-log", "from the messages themselves, as far as they are kept"),
        ])

    private static let demo = CommandDeclaration(
        "demo", summary: "Run all of it here: a private database, an embedded broker, producers, a live table.",
        details: "Ends on Ctrl-C, or after DEMO_SECONDS of readings: stops the producers, waits until all is stored, "
            + "holds their counts against the ledger and runs verify. Code 0 only if all adds up. Leaves no process "
            + "behind, no file outside its directory, and in it only the logs.",
        flags: [
            FlagDeclaration(
                "directory", kind: .text(), valueName: "DIR", default: ".demo", meaning: "Where its files go."),
            FlagDeclaration(
                "rate", kind: .integer(1...100_000), valueName: "N", default: "2000", meaning: "Readings a second."),
            FlagDeclaration("keep", meaning: "Keep the database's files until the next demo."),
        ],
        settings: ["DEMO_SECONDS", "LANES"],
        examples: [CommandExample("DEMO_SECONDS=30 vitalstream demo", "for half a minute")])

    private static let broker = CommandDeclaration(
        "broker", summary: "Run the embedded broker, which keeps all in memory, and print its address.",
        details: "It is the mock cluster of librdkafka: no disk, 5 MiB and 100,000 message sets a partition, no TLS, "
            + "no transactions. For trials and tests only.",
        flags: [
            FlagDeclaration(
                "partitions", kind: .integer(1...64), valueName: "N", default: "4",
                meaning: "Partitions of each topic."),
            FlagDeclaration(
                "brokers", kind: .integer(1...8), valueName: "N", default: "1", meaning: "Brokers of the cluster."),
        ],
        settings: ["VITALS_TOPIC", "PATIENT_FLOW_TOPIC", "LOG_LEVEL", "LOG_FORMAT"],
        examples: [CommandExample("vitalstream broker --partitions 4", "until SIGTERM or SIGINT")])

    private static let healthcheck = CommandDeclaration(
        "healthcheck", summary: "Ask a running serve for its health; exit code 0 when it is well.",
        flags: [FlagDeclaration("ready", meaning: "Ask whether it is ready (/readyz) instead of alive (/healthz).")],
        settings: ["HTTP_HOST", "HTTP_PORT"],
        examples: [CommandExample("vitalstream healthcheck --ready", "as a container's health check")])

    private static let deadLetterFilters = [
        FlagDeclaration(
            "topic", kind: .name(mostBytes: 249), valueName: "TOPIC", meaning: "Only those of this topic."),
        FlagDeclaration("reason", kind: .choice(reasons), valueName: "CODE", meaning: "Only those of this reason."),
    ]

    private static let deadLetters = [
        CommandDeclaration(
            "dead-letter list", summary: "List messages that could not be used, the newest first.",
            details: "Payloads are not shown: they may name patients.",
            flags: deadLetterFilters + [
                FlagDeclaration(
                    "limit", kind: .integer(1...100_000), valueName: "N", default: "20", meaning: "At most so many.")
            ],
            settings: toDatabase,
            examples: [CommandExample("vitalstream dead-letter list --reason out_of_range --limit 50", "one kind only")]
        ),
        CommandDeclaration(
            "dead-letter show", summary: "Show one dead letter, its payload when asked.",
            details: "With --payload it prints patient data, as the only command: the payload goes to standard output "
                + "byte for byte, all else to standard error. Headers are shown in any case.",
            flags: [FlagDeclaration("payload", meaning: "Print the payload too, which may name a patient.")],
            positional: [
                PositionalDeclaration("TOPIC", kind: .name(mostBytes: 249), meaning: "The message's topic."),
                PositionalDeclaration("PARTITION", kind: .integer(0...2_147_483_647), meaning: "Its partition."),
                PositionalDeclaration("OFFSET", kind: .integer(0...Int64.max), meaning: "Its offset."),
            ],
            settings: toDatabase,
            examples: [CommandExample("vitalstream dead-letter show vitals 3 1042 --payload", "all of it")]),
        CommandDeclaration(
            "dead-letter retry", summary: "Judge dead letters again under today's settings, and store what passes.",
            details:
                "Takes letters that lie in the range of KAFKA_GROUP_ID, each under the lock of its partition, whose "
                + "lane then takes over again; serve may be running. What is stored never replaces another value. The "
                + "broker's timestamp is not kept with a letter: whether it is in the future is judged by the time at "
                + "which it was received. An oversize letter that was cut to its first 64 KiB cannot be judged.",
            flags: deadLetterFilters + [
                FlagDeclaration(
                    "limit", kind: .integer(1...1_000_000), valueName: "N", default: "10000",
                    meaning: "At most so many, the oldest first."),
                FlagDeclaration("yes", meaning: "Do it without asking."),
            ],
            settings: ["VALIDATION_MAX_FUTURE_SECONDS", "MAX_MESSAGE_BYTES", "KAFKA_GROUP_ID"] + toDatabase,
            examples: [
                CommandExample(
                    "vitalstream dead-letter retry --reason timestamp_in_future --validation-max-future-seconds off",
                    "after the clocks were found to be right")
            ]),
    ]

    private static let offsets = [
        CommandDeclaration(
            "offsets list", summary: "List each partition's place in the log and in the books.",
            settings: toKafka + toDatabase,
            examples: [CommandExample("vitalstream offsets list", "of this consumer group")]),
        CommandDeclaration(
            "offsets set", summary: "Move a partition to another offset, and book the jump.",
            details:
                "The way on after a topic was made anew or cut off under a stored offset. serve may be running: the "
                + "partition's lane is fenced and takes over again. Moved back, messages are read twice: it alters no "
                + "row; their dead letters are removed and come again. Those of a log that is gone are kept under the "
                + "topic name TOPIC.before-epoch-N.",
            flags: [
                FlagDeclaration(
                    "topic", kind: .name(mostBytes: 249), valueName: "TOPIC", isRequired: true, meaning: "The topic."),
                FlagDeclaration(
                    "partition", kind: .integer(0...2_147_483_647), valueName: "N", isRequired: true,
                    meaning: "The partition."),
                FlagDeclaration(
                    "to", kind: .integerOrWord(0...Int64.max, ["beginning", "end"]), valueName: "OFFSET",
                    isRequired: true, meaning: "The offset to go on at."),
                FlagDeclaration("yes", meaning: "Do it without asking."),
            ],
            settings: toKafka + toDatabase,
            examples: [
                CommandExample(
                    "vitalstream offsets set --topic vitals --partition 2 --to beginning", "read it all again")
            ]),
    ]
}
