import Postgres
import Schema
import Service
import Testing

/// The root of all tests here: one private server with the ward's database, made before the first test.
@Suite(.wardServer) enum OnAWard {}

/// A private server with two databases: one with the ward in it, one with nothing but the schema.
struct WardServer {
    @TaskLocal static var current: WardServer?

    static let seed: UInt64 = 20_200_301
    let server: PrivateServer
    let ward: Ward

    var wardURL: String { server.connectionURL(database: "health_db") }
    var emptyURL: String { server.connectionURL(database: "empty_db") }

    static func start() throws -> WardServer {
        // Small: machines that run tests have other things to do.
        let server = try PrivateServer(settings: [("max_connections", "40")], isDurable: false)
        do {
            let made = WardServer(server: server, ward: Ward(seed: seed))
            try made.makeDatabase("empty_db") { _ in }
            try made.makeDatabase("health_db") { connection in try WardFiller(ward: made.ward).fill(&connection) }
            return made
        } catch {
            server.remove()
            throw error
        }
    }

    /// Makes a database with the product's schema and fills it.
    func makeDatabase(_ name: String, fill: (inout Connection) throws -> Void) throws {
        try server.createDatabase(name)
        var connection = try Connection.open(server.connectionURL(database: name), applicationName: "tests")
        let migrations = Schema.migrations.map { Migration(number: $0.number, name: $0.name, sql: $0.sql) }
        _ = try Migrator(migrations).migrate(&connection)
        try fill(&connection)
    }
}

/// Starts the server around a suite.
struct WardServerTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let server = try WardServer.start()
        defer { server.server.remove() }
        try await WardServer.$current.withValue(server) { try await function() }
    }
}

extension Trait where Self == WardServerTrait {
    static var wardServer: Self { Self() }
}

/// Writes a ward into a database.
struct WardFiller {
    let ward: Ward

    func fill(_ connection: inout Connection) throws {
        try connection.execute(
            """
            SELECT silver.make_partitions('2020-02-18', '2020-03-04');
            SELECT silver.make_partitions(current_date - 1, current_date + 1)
            """)
        try copy(
            &connection, "silver.origin (origin_id, facility_id, sector_id, device_id)",
            ward.origins.enumerated().map { ["\($0 + 1)", $1.facility, $1.sector, $1.device] })
        try copy(&connection, "silver.vital_reading", ward.readings.map(row))
        try copy(
            &connection,
            "silver.vital_reading_history (patient_id, recorded_at, "
                + "\(Vital.allCases.map(\.column).joined(separator: ", ")), "
                + "replaced_by_partition, replaced_by_offset)",
            ward.corrections.map { correction in
                [ward.patients[correction.patient], time(correction.at)] + correction.vitals.map { $0.map { "\($0)" } }
                    + ["0", "\(correction.offset)"]
            })
        try copy(
            &connection, "bronze.dead_letter (topic, partition, \"offset\", reason, payload, received_at)",
            ward.deadLetters.map {
                [$0.topic, "\($0.partition)", "\($0.offset)", $0.reason, "\\\\x00", time($0.receivedAt)]
            })
        try copy(
            &connection,
            """
            ops.partition_progress (consumer_group, topic, partition, first_offset, next_offset, high_watermark, gaps, \
            inserted, merged, corrected, duplicate, stale, rejected, consumed, settled_before, settled_letters)
            """,
            ward.progress.map { row in
                [
                    row.group, row.topic, "\(row.partition)", "\(row.first)", "\(row.next)",
                    row.highWatermark.map { "\($0)" },
                ]
                    + ["\(row.gaps)"] + row.classes.map { "\($0)" }
                    + ["\(row.consumed)", "\(row.settledBefore)", "\(row.settledLetters)"]
            })
        try connection.execute(
            """
            INSERT INTO ops.retention_run (table_name, partition_name, range_from, range_to, dropped_rows)
            VALUES ('silver.vital_reading', 'vital_reading_20200101', '2020-01-01', '2020-01-02', \(ward.dropped[0])),
                ('silver.vital_reading_history', 'vital_reading_history', '2020-01-01', '2020-01-02',
                    \(ward.dropped[1]));
            """)
        try connection.execute("VACUUM ANALYZE")
    }

    /// COPY in text form; nil is NULL.
    func copy(_ connection: inout Connection, _ target: String, _ rows: [[String?]]) throws {
        let text = rows.map { $0.map { $0 ?? "\\N" }.joined(separator: "\t") + "\n" }.joined()
        let bytes = Array(text.utf8)
        try bytes.withUnsafeBytes { raw in
            try connection.copyIn("COPY \(target) FROM STDIN", raw)
        }
    }

    /// The columns of silver.vital_reading in their order.
    func row(_ reading: StoredReading) -> [String?] {
        [ward.patients[reading.patient], time(reading.at)] + reading.vitals.map { $0.map { "\($0)" } }
            + [
                reading.consciousness, reading.oxygen.map { $0 ? "t" : "f" }, "\(reading.suspect)",
                "\(reading.partition)", "\(reading.offset)", reading.origin.map { "\($0)" },
            ]
    }

    private func time(_ milliseconds: Int64) -> String { UTCText.timestamp(milliseconds: milliseconds) }
}
