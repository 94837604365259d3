internal import HTTP
internal import Kafka
internal import Postgres
internal import Service
internal import VitalSigns

/// The settings of `vitalstream`, each declared once; docs/settings.md is made from them.
enum ProductSettings {
    /// The program's version.
    static let version = "0.1.0"

    /// What `--version` prints: the program's version and commit, and the libraries it runs on.
    static var versionText: String {
        let postgres = Connection.libraryVersion
        return """
            \(version) (commit \(HostProcess.buildCommit))
            librdkafka \(KafkaLibrary.version), libpq \(postgres / 10_000).\(postgres % 10_000), \
            libmicrohttpd \(Server.libraryVersion), simdjson \(SliceDecoder.libraryVersion)
            """
    }

    /// All that `vitalstream` may be told.
    static let catalog = SettingsCatalog(
        program: "vitalstream", summary: "vital signs from Kafka, exactly once into PostgreSQL", version: versionText,
        settings: kafka + database + validation + lanes + flow + observation, commands: ProductCommands.all)

    private static let kafka = [
        SettingDeclaration(
            "KAFKA_BOOTSTRAP_SERVERS", default: "localhost:9092", kind: .text(),
            meaning: "Brokers to ask first, as host:port, divided by commas.",
            example: "kafka-1:9092,kafka-2:9092"),
        SettingDeclaration(
            "KAFKA_GROUP_ID", default: "vitalstream", kind: .text(),
            meaning: "Consumer group. Processes of one group share the partitions; the ledger is kept per group."),
        SettingDeclaration(
            "VITALS_TOPIC", default: "vitals", kind: .name(mostBytes: 249), meaning: "Topic of the vital signs."),
        SettingDeclaration(
            "PATIENT_FLOW_TOPIC", default: "patient-flow", kind: .name(mostBytes: 249),
            meaning: "Topic of the patient-flow events."),
    ]

    private static let database = [
        SettingDeclaration(
            "DATABASE_URL", default: "", kind: .text(mayBeEmpty: true),
            meaning: "The database, as a libpq URI or keywords. What it leaves out, libpq's own PG* variables say; "
                + "a database that nobody names is health_db.",
            secrecy: .connectionString, example: "postgresql://vitalstream@db.example/health_db"),
        SettingDeclaration(
            "MIGRATE", default: "on", kind: .truth,
            meaning: "Whether serve migrates the database first. With nothing to migrate it needs no right to."),
    ]

    private static let validation = [
        SettingDeclaration(
            "VALIDATION_MAX_FUTURE_SECONDS", default: "300", kind: .integerOrOff(0...315_360_000),
            meaning: "A reading further ahead of the broker's timestamp is rejected; off for replays of shifted data."),
        SettingDeclaration(
            "MAX_MESSAGE_BYTES", default: "8388608", kind: .integer(64...268_435_456),
            meaning: "A longer message is rejected as oversize."),
    ]

    private static let lanes = [
        SettingDeclaration(
            "LANES", default: "\(min(256, HostProcess.processorCount))", defaultText: "number of cores",
            kind: .integer(1...256),
            meaning: "Threads that read and write, each with a consumer and a connection of its own."),
        SettingDeclaration(
            "BATCH_MAX_ROWS", default: "65536", kind: .integer(1...65_536),
            meaning: "A transaction holds at most this many messages."),
        SettingDeclaration(
            "BATCH_MAX_BYTES", default: "33554432", kind: .integer(65_536...1_073_741_824),
            meaning: "A transaction holds at most this many bytes of rows and rejects, and one message more."),
        SettingDeclaration(
            "PATIENT_CACHE_ENTRIES", default: "1048576", kind: .integer(1_024...67_108_864),
            meaning: "Patients remembered by the process, all lanes together; others are asked of the database."),
    ]

    private static let flow = [
        SettingDeclaration(
            "WINDOW_MINUTES", default: "5,60", kind: .integers(1...1_440),
            meaning: "Lengths of the windows of gold.occupancy_window; each begins at a whole multiple since 1970. To "
                + "be chosen before the first event: windows are not made for what is stored already."),
        SettingDeclaration(
            "ALLOWED_LATENESS_SECONDS", default: "600", kind: .integer(0...604_800),
            meaning: "A window is closed once an event of its partition is newer than its end by so much. A later "
                + "event still counts: it opens the window again."),
        SettingDeclaration(
            "FLOW_IDLE_SECONDS", default: "60", kind: .integer(1...86_400),
            meaning: "A partition of patient flow without messages for so long closes windows by the time it waits."),
    ]

    private static let observation = [
        SettingDeclaration(
            "HTTP_HOST", default: "0.0.0.0", kind: .text(), meaning: "Address on which health is served.",
            example: "127.0.0.1"),
        SettingDeclaration(
            "HTTP_PORT", default: "8080", kind: .integer(0...65_535),
            meaning: "Port on which health is served; 0 takes a free one."),
        SettingDeclaration(
            "STALE_LOOP_SECONDS", default: "30", kind: .integer(1...3_600),
            meaning: "/healthz fails when a lane's loop has not turned for so long; resolving a name may take 10 s."),
        SettingDeclaration(
            "LOG_LEVEL", default: "info", kind: .choice(LogLevel.allCases.map(\.name)),
            meaning: "Least level of the lines on standard error."),
        SettingDeclaration(
            "LOG_FORMAT", default: "text", kind: .choice(LogFormat.allCases.map(\.rawValue)),
            meaning: "Lines for people or JSON objects for programs."),
        SettingDeclaration(
            "DEMO_SECONDS", default: "0", kind: .integer(0...86_400),
            meaning: "demo ends after so many seconds; 0: on Ctrl-C."),
    ]
}
