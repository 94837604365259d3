internal import Service

/// What the producer programs may be told.
enum ProducerSettings {
    /// The programs' version.
    static let version = "0.1.0"

    /// The settings of `vitals-producer`.
    static let vitals = SettingsCatalog(
        program: "vitals-producer", version: version, settings: settings(topic: vitalsTopic),
        command: CommandDeclaration(
            "", summary: "sends simulated vital signs, or the lines of a file, to Kafka",
            details: """
                Simulates patients at their bedsides, each reading new, with the patient's id as the key: baselines, \
                the time of day, slow variation, episodes of deterioration, sensors that drop out.
                With --file it sends the lines of an NDJSON file, plain or gzip, instead; the key is the line's \
                patientId, empty where a line has none.
                Ends with exact counts on standard output, and with code 0 only if every message was delivered. \
                Ctrl-C and SIGTERM end it in the same way.
                """,
            flags: pace(defaultRate: "100, or 0 with --file") + bedside + replay + output,
            examples: [
                CommandExample("vitals-producer --rate 2000 --duration 30s", "2,000 readings a second"),
                CommandExample("vitals-producer --rate 0 --count 1000000 --seed 7", "a million as fast as they go"),
                CommandExample(
                    "vitals-producer --file messages.ndjson.gz --repeat 2 --shuffle --seed 7",
                    "every line twice, in an order that the seed decides"),
            ]),
        foreignNames: serviceNames.union(["MAX_MESSAGE_BYTES", "PATIENT_FLOW_TOPIC"]))

    /// The settings of `duplicate-vitals-producer`.
    static let duplicateVitals = SettingsCatalog(
        program: "duplicate-vitals-producer", version: version,
        settings: settings(topic: vitalsTopic) + [longestMessage],
        command: CommandDeclaration(
            "", summary: "sends simulated vital signs with duplicates, corrections and bad input to Kafka",
            details: """
                As vitals-producer, and in chosen shares: exact and partial duplicates, merges (vital signs that a \
                reading lacked), corrections, late readings, readings of the future, malformed and oversize messages.
                Ends with exact counts of what it sent and of what the service's ledger must therefore say: the sums \
                of ops.partition_progress over all partitions, when nothing else was in the topic. No message is \
                stale, since what is sent later also stands later.
                """,
            flags: pace(defaultRate: "100") + bedside + shares + output,
            examples: [
                CommandExample(
                    "duplicate-vitals-producer --rate 2000 --duration 30s", "10 % duplicates, 1 % bad input and more"),
                CommandExample(
                    "duplicate-vitals-producer --rate 0 --count 200000 --duplicates 0.3 --corrections 0.1 --json",
                    "other shares, and the counts as one line of JSON"),
            ]),
        foreignNames: serviceNames.union(["PATIENT_FLOW_TOPIC"]))

    private static let vitalsTopic = SettingDeclaration(
        "VITALS_TOPIC", default: "vitals", kind: .name(mostBytes: 249), meaning: "Topic of the vital signs.")

    /// The settings of every program.
    static func settings(topic: SettingDeclaration) -> [SettingDeclaration] {
        [
            SettingDeclaration(
                "KAFKA_BOOTSTRAP_SERVERS", default: "localhost:9092", kind: .text(),
                meaning: "Brokers to ask first, as host:port, divided by commas.",
                example: "kafka-1:9092,kafka-2:9092"),
            topic,
            SettingDeclaration(
                "LOG_LEVEL", default: "info", kind: .choice(LogLevel.allCases.map(\.name)),
                meaning: "Least level of log lines; the progress line is one of info."),
            SettingDeclaration(
                "LOG_FORMAT", default: "text", kind: .choice(LogFormat.allCases.map(\.rawValue)),
                meaning: "Log lines as text or as JSON objects."),
        ]
    }

    private static let longestMessage = SettingDeclaration(
        "MAX_MESSAGE_BYTES", default: "8388608", kind: .integer(2_048...67_000_000),
        meaning: "What the service accepts; an oversize message is one byte longer.")

    /// Names of a settings file that belong to the service, which may share it.
    static let serviceNames: Set<String> = [
        "KAFKA_GROUP_ID", "DATABASE_URL", "MIGRATE", "VALIDATION_MAX_FUTURE_SECONDS", "LANES", "BATCH_MAX_ROWS",
        "BATCH_MAX_BYTES", "PATIENT_CACHE_ENTRIES", "STALE_LOOP_SECONDS", "HTTP_HOST", "HTTP_PORT", "DEMO_SECONDS",
    ].reduce(into: []) { $0.formUnion([$1, "\($1)_FILE"]) }

    private static func pace(defaultRate: String) -> [FlagDeclaration] {
        let rate = FlagDeclaration(
            "rate", kind: .number(0...10_000_000), valueName: "N",
            meaning: "Messages a second; 0: as fast as they are taken. Default: \(defaultRate).")
        return [rate] + limits
    }

    /// When a run ends, and its seed.
    static let limits = [
        FlagDeclaration(
            "count", kind: .integer(1...1_000_000_000_000), valueName: "N", meaning: "End after so many messages."),
        FlagDeclaration(
            "duration", kind: .duration(.milliseconds(1)...(.seconds(31_536_000))), valueName: "TIME",
            meaning: "End after so long a time."),
        FlagDeclaration(
            "seed", kind: .integer(0...9_007_199_254_740_991), valueName: "N",
            meaning: "Decides every random number; shown at the end. Default: another one each time."),
    ]

    private static let bedside = [
        FlagDeclaration(
            "patients", kind: .integer(1...1_000_000), valueName: "N", default: "1000", meaning: "Patients."),
        FlagDeclaration(
            "interval", kind: .duration(.milliseconds(1)...(.seconds(86_400))), valueName: "TIME",
            meaning: "With --rate 0: event time between two readings of the closest watched patients. Default: 1s."),
        FlagDeclaration(
            "start-time", kind: .text(), valueName: "TIME",
            meaning: "Event time of the first reading: now, 2026-01-31T09:00:00Z, or milliseconds since 1970. "
                + "Default: now; with --rate 0 so far back that the run ends now."),
        FlagDeclaration(
            "large-data-bytes", kind: .integer(0...67_000_000), valueName: "N", default: "0",
            meaning: "Length of the opaque field large_data."),
    ]

    private static let replay = [
        FlagDeclaration("file", kind: .text(), valueName: "FILE", meaning: "Send the lines of this file."),
        FlagDeclaration(
            "repeat", kind: .integer(1...1_000_000), valueName: "N", default: "1",
            meaning: "With --file: send the whole file so often."),
        FlagDeclaration("shuffle", meaning: "With --file: mix all lines and repeats, in memory."),
    ]

    private static let shares = [
        share("duplicates", "0.1", "messages that say nothing new"),
        share("merges", "0.01", "messages that add vital signs to an earlier reading"),
        share("corrections", "0.01", "messages that change an earlier reading"),
        share("late", "0.01", "new readings that come after newer ones of their patient"),
        share("future", "0.002", "messages dated more than a day ahead"),
        share("malformed", "0.008", "messages that cannot be used, in twenty ways"),
        share("oversize", "0", "messages longer than MAX_MESSAGE_BYTES"),
    ]

    static func share(_ name: String, _ value: String, _ meaning: String) -> FlagDeclaration {
        FlagDeclaration(
            name, kind: .number(0...1), valueName: "SHARE", default: value, meaning: "Share of \(meaning).")
    }

    static let output = [FlagDeclaration("json", meaning: "Print the counts as one line of JSON.")]
}
