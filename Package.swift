// swift-tools-version: 6.3
import PackageDescription

/// Every Swift target: language mode 6, warnings are errors, no import leaks by accident.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Targets that touch C memory mark each unsafe use as such.
let strictAndSafe: [SwiftSetting] = strict + [.strictMemorySafety()]

/// The commit that `--version` names: from git, or from the variable where there is no repository (an image's build).
let commit =
    Context.environment["VITALSTREAM_COMMIT"] ?? Context.gitInformation.map { String($0.currentCommit.prefix(12)) }
    ?? "unknown"

let package = Package(
    name: "vitalstream",
    products: [
        .executable(name: "vitalstream", targets: ["vitalstream"]),
        .executable(name: "vitalstream-bench", targets: ["vitalstream-bench"]),
        .executable(name: "vitals-producer", targets: ["vitals-producer"]),
        .executable(name: "duplicate-vitals-producer", targets: ["duplicate-vitals-producer"]),
        .executable(name: "patient-flow-producer", targets: ["patient-flow-producer"]),
    ],
    targets: [
        // C libraries of the system, as modules.
        .systemLibrary(name: "CRdKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // Shims: what Swift cannot import.
        .target(name: "CPosix", cSettings: [.define("VITALSTREAM_COMMIT", to: "\"\(commit)\"")]),
        // Empty but under ThreadSanitizer, which does not see the C11 threads that librdkafka uses.
        .target(name: "CRdKafkaThreads"),
        .target(
            name: "CSimdJSON",
            cxxSettings: [.unsafeFlags(["-O2"])],
            linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "CMicroHTTPD", linkerSettings: [.linkedLibrary("microhttpd")]),

        // What any long-running program needs; none of it knows a vital sign.
        .target(name: "Service", dependencies: ["CPosix"], swiftSettings: strictAndSafe),
        .target(name: "Kafka", dependencies: ["Service", "CRdKafka", "CRdKafkaThreads"], swiftSettings: strictAndSafe),
        .target(name: "Postgres", dependencies: ["Service", "CLibPQ"], swiftSettings: strictAndSafe),
        .target(name: "HTTP", dependencies: ["Service", "CMicroHTTPD"], swiftSettings: strictAndSafe),

        // The trade itself.
        .target(name: "VitalSigns", dependencies: ["CSimdJSON"], swiftSettings: strictAndSafe),
        .target(name: "PatientFlow", dependencies: ["VitalSigns", "CSimdJSON"], swiftSettings: strictAndSafe),
        .target(
            name: "Ingest", dependencies: ["Service", "Kafka", "Postgres", "VitalSigns", "PatientFlow", "WaitTime"],
            swiftSettings: strictAndSafe),
        .target(name: "WaitTime", swiftSettings: strict),
        .target(name: "API", dependencies: ["HTTP"], swiftSettings: strict),
        .target(
            name: "Schema", path: "sql", exclude: ["README.md", "analytics", "psql"], sources: ["Schema.swift"],
            resources: [.embedInCode("migrations")], swiftSettings: strict),
        .executableTarget(
            name: "vitalstream",
            dependencies: [
                "Service", "Kafka", "Postgres", "HTTP", "VitalSigns", "WaitTime", "Ingest", "API", "Schema",
                "ProducerSupport",
            ],
            swiftSettings: strict),

        // Simulators that feed it.
        .target(
            name: "Simulation", path: "producers/Simulation", swiftSettings: strict),
        .target(
            name: "ProducerSupport", dependencies: ["Simulation", "Kafka", "Service", "CZlib"],
            path: "producers/ProducerSupport", swiftSettings: strict),
        .executableTarget(
            name: "vitals-producer", dependencies: ["ProducerSupport", "Service"],
            path: "producers/vitals-producer", swiftSettings: strict),
        .executableTarget(
            name: "duplicate-vitals-producer", dependencies: ["ProducerSupport", "Service"],
            path: "producers/duplicate-vitals-producer", swiftSettings: strict),
        .executableTarget(
            name: "patient-flow-producer", dependencies: ["ProducerSupport", "Service"],
            path: "producers/patient-flow-producer", swiftSettings: strict),

        // Measures the whole.
        .executableTarget(
            name: "vitalstream-bench",
            dependencies: ["Service", "Kafka", "Postgres", "HTTP", "API", "VitalSigns", "Ingest"], path: "bench",
            exclude: ["floor.py"], swiftSettings: strict),

        // Tests: one folder per target, mirroring its files.
        .target(name: "CMallocCounter", path: "Tests/Support/CMallocCounter"),
        .target(
            name: "TestSupport", dependencies: ["Service"], path: "Tests/Support/TestSupport", swiftSettings: strict),
        .target(
            name: "LaneLaboratory", dependencies: ["Ingest", "VitalSigns", "Kafka", "Service", "TestSupport"],
            path: "Tests/Support/LaneLaboratory", swiftSettings: strict),
        .target(
            name: "ChaosLaboratory", dependencies: ["Kafka", "Postgres", "Schema", "Service", "TestSupport"],
            path: "Tests/Support/ChaosLaboratory", swiftSettings: strict),
        .executableTarget(
            name: "vitalstream-lab", dependencies: ["ChaosLaboratory", "LaneLaboratory", "Service"],
            path: "Tests/Laboratory", swiftSettings: strict),
        .testTarget(name: "ServiceTests", dependencies: ["Service"], swiftSettings: strict),
        .testTarget(name: "KafkaTests", dependencies: ["Kafka", "Service", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "Service", "Schema"], swiftSettings: strict),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP", "API", "Service", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "VitalSignsTests", dependencies: ["VitalSigns", "CMallocCounter", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "PatientFlowTests", dependencies: ["PatientFlow", "VitalSigns", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "WaitTimeTests", dependencies: ["WaitTime"], swiftSettings: strict),
        .testTarget(
            name: "IngestTests",
            dependencies: [
                "Ingest", "VitalSigns", "PatientFlow", "WaitTime", "Kafka", "Postgres", "Service", "Schema",
                "CMallocCounter", "LaneLaboratory", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "LaneSimulationTests", dependencies: ["LaneLaboratory", "Service", "TestSupport"],
            path: "Tests/Simulation", swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["Service", "Kafka", "Postgres", "HTTP", "TestSupport", "ChaosLaboratory"],
            swiftSettings: strict),
        .testTarget(name: "BenchTests", dependencies: ["Service", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SecurityTests", dependencies: ["Kafka", "Postgres", "Service", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandTests", dependencies: ["Kafka", "Postgres", "Service", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "AnalyticsTests", dependencies: ["Postgres", "Service", "Schema", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "SimulationTests", dependencies: ["Simulation", "VitalSigns"], swiftSettings: strict),
        .testTarget(
            name: "ProducerSupportTests",
            dependencies: ["ProducerSupport", "Simulation", "Kafka", "Service", "CZlib", "TestSupport"],
            swiftSettings: strict),
    ]
)
