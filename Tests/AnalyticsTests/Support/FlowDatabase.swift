import Postgres
import Schema
import Service
import TestSupport
import Testing

/// The root of the tests of patient flow in SQL: one private server around all of them.
@Suite(.flowServer) enum OnAFlowServer {}

/// A database with the product's schema and hand-made events.
///
/// Events are lines: `visit time event sector`, and where it is told `>destination` and `acuity=n`, in the order of the
/// log. Times are of Monday 2 March 2026 UTC, or `MM-DD HH:mm` with an underscore between: `03-04_09:00`. A visit is
/// the facility `north`'s unless it says `south/visit`. The ids of events ascend with the lines.
struct FlowDatabase {
    @TaskLocal static var server: PrivateServer?

    let url: String

    /// A database of its own, with these events.
    init(_ lines: String = "") throws {
        let server = try #require(Self.server)
        let name = "flow_" + UUIDBytes.random().text.split(separator: "-").joined()
        var connection = try Connection.open(server.connectionURL(), applicationName: "tests")
        try connection.execute("CREATE DATABASE \(name) TEMPLATE flow_template")
        url = server.connectionURL(database: name)
        try add(lines)
    }

    /// Appends events to the log.
    func add(_ lines: String) throws {
        var connection = try Connection.open(url, applicationName: "tests")
        for line in lines.split(separator: "\n") where !line.allSatisfy({ $0 == " " }) {
            try connection.execute(Self.statement(line.split(separator: " ").map(String.init)))
        }
    }

    /// Runs statements.
    func execute(_ sql: String) throws {
        var connection = try Connection.open(url, applicationName: "tests")
        try connection.execute(sql)
    }

    /// The rows of a query, their values divided by blanks, absent ones a dash.
    func table(_ sql: String, role: String? = nil) throws -> [String] {
        var connection = try Connection.open(url, applicationName: "tests")
        if let role { try connection.execute("SET ROLE \(role)") }
        let result = try connection.query(sql)
        return (0..<result.rowCount).map { row in
            (0..<result.columnCount).map { result.isNull(row, $0) ? "-" : result.text(row, $0) }
                .joined(separator: " ")
        }
    }

    /// Writes what the oracle expects into the service's tables, with the frontier and a ledger that agree.
    func store(minutes: String = "{5,60}") throws {
        try execute(
            """
            INSERT INTO silver.patient_visit (facility_id, visit_id, sector_id, patient_id, acuity, impossible,
                revision, arrival_at, triage_at, treatment_start_at, departure_at, last_event_at, present_until,
                wait_minutes, disposition)
            SELECT * FROM ops.expected_visits();
            INSERT INTO gold.occupancy_window (facility_id, sector_id, window_minutes, window_start, arrivals,
                transfers_in, transfers_out, treatment_starts, departures, left_without_being_seen, census_start,
                census_end, census_max, census_mean, waiting_end, waiting_max, in_treatment_end, boarding_end,
                wait_mean_minutes, wait_p50_minutes, wait_p90_minutes, longest_current_wait_minutes, capacity,
                occupancy_rate, four_hour_share, revision)
            SELECT w.*, coalesce(r.revision, 0)
            FROM ops.expected_windows('\(minutes)') AS w
            LEFT JOIN ops.expected_revisions('\(minutes)') AS r
                USING (facility_id, sector_id, window_minutes, window_start);
            INSERT INTO gold.flow_state (facility_id, version, frontier, source_partition)
            SELECT facility_id, 1, max(occurred_at), 0 FROM silver.patient_flow_event GROUP BY facility_id;
            """)
    }

    private static func statement(_ words: [String]) -> String {
        let names = words[0].split(separator: "/").map(String.init)
        let facility = names.count > 1 ? names[0] : "north"
        let time = words[1].split(separator: "_").map(String.init)
        let at = time.count > 1 ? "2026-\(time[0]) \(time[1])Z" : "2026-03-02 \(words[1])Z"
        let rest = words.dropFirst(4)
        let destination = rest.first { $0.hasPrefix(">") }.map { "'\($0.dropFirst())'" } ?? "NULL"
        let acuity = rest.first { $0.hasPrefix("acuity=") }.map { String($0.dropFirst(7)) } ?? "NULL"
        return """
            INSERT INTO silver.patient_flow_event (event_id, facility_id, sector_id, visit_id, event, to_sector_id,
                acuity, occurred_at, source_partition, source_offset)
            SELECT lpad(to_hex(count(*)), 32, '0')::uuid, '\(facility)', '\(words[3])', '\(names.last ?? "")',
                '\(words[2])', \(destination), \(acuity), '\(at)', 0, count(*)
            FROM silver.patient_flow_event
            """
    }
}

/// Starts the server around a suite, with the database that all others are copies of.
struct FlowServerTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let server = try PrivateServer(
            settings: [("max_connections", "40"), ("timezone", "UTC")], isDurable: false)
        defer { server.remove() }
        try Self.makeTemplate(server)
        try await FlowDatabase.$server.withValue(server) { try await function() }
    }

    private static func makeTemplate(_ server: PrivateServer) throws {
        try server.createDatabase("flow_template")
        var connection = try Connection.open(
            server.connectionURL(database: "flow_template"), applicationName: "tests")
        let migrations = Schema.migrations.map { Migration(number: $0.number, name: $0.name, sql: $0.sql) }
        _ = try Migrator(migrations).migrate(&connection)
    }
}

extension Trait where Self == FlowServerTrait {
    static var flowServer: Self { Self() }
}
