internal import Kafka
internal import Postgres

/// What is stored of patient flow, against what the database makes of the stored events by itself: visits, windows and
/// revisions are recomputed in SQL, which shares nothing with the code that wrote them.
struct VerifyFlow {
    /// A comparison: how many rows differ, and the first of them by name.
    struct Difference {
        var count: Int64 = 0
        var named: [String] = []
    }

    /// At most so many rows are named a comparison.
    static let mostNamed = 5

    /// Lengths of windows that are compared.
    let minutes: [Int]
    /// Rows of `silver.patient_flow_event`.
    var events: Int64 = 0
    /// Of those, how many retention has booked as dropped.
    var dropped: Int64 = 0
    /// Messages of the topic that the ledger has booked as new events, all groups together.
    var inserted: Int64 = 0
    /// Places in the log that more than one event claims.
    var sharedPlaces: Int64 = 0
    var visitCount: Int64 = 0
    var windowCount: Int64 = 0
    var visits = Difference()
    var windows = Difference()
    var revisions = Difference()
    /// Facilities whose revisions cannot be judged.
    var unorderedFacilities: Int64 = 0
    /// Predictions whose outcome is not what the visit's wait makes it, missing and superfluous ones included.
    var outcomes: Int64 = 0

    /// Recomputes and compares. The caller's transaction is the snapshot.
    /// - Complexity: about two and a half minutes for a million events, in the server.
    static func read(
        _ connection: inout Connection, ledger: [LedgerRow], topic: String, minutes: [Int]
    ) throws(PostgresError) -> VerifyFlow {
        var flow = VerifyFlow(minutes: minutes)
        let lengths = "{" + minutes.map(String.init).joined(separator: ",") + "}"
        flow.inserted = ledger.reduce(0) { $0 + ($1.partition.topic == topic ? $1.classes.inserted : 0) }
        let counts = try connection.query(
            """
            SELECT (SELECT count(*) FROM silver.patient_flow_event), \
            (SELECT coalesce(sum(dropped_rows), 0)::bigint FROM ops.retention_run \
            WHERE table_name = 'silver.patient_flow_event'), \
            (SELECT count(*) FROM (SELECT FROM silver.patient_flow_event \
            GROUP BY source_partition, source_offset HAVING count(*) > 1) AS d), \
            (SELECT count(*) FROM silver.patient_visit), \
            (SELECT count(*) FROM gold.occupancy_window WHERE window_minutes = ANY ($1::integer[]))
            """, [lengths])
        flow.events = counts.int64(0, 0)
        flow.dropped = counts.int64(0, 1)
        flow.sharedPlaces = counts.int64(0, 2)
        flow.visitCount = counts.int64(0, 3)
        flow.windowCount = counts.int64(0, 4)
        guard flow.events + flow.visitCount + flow.windowCount > 0 else { return flow }
        try flow.compare(&connection, lengths, topic)
        return flow
    }

    private mutating func compare(
        _ connection: inout Connection, _ lengths: String, _ topic: String
    ) throws(PostgresError) {
        visits = try Self.difference(
            &connection,
            """
            SELECT count(*) OVER (), 'visit of ' || facility_id || ' whose id has the md5 ' || visit_hash || '...: ' \
            || difference FROM ops.visit_differences() ORDER BY facility_id, visit_hash
            """, [])
        let window = """
            'window of ' || facility_id || '/' || sector_id || ', ' || window_minutes || ' min from ' \
            || to_char(window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') || ': '
            """
        let order = "ORDER BY window_minutes, window_start, facility_id, sector_id"
        windows = try Self.difference(
            &connection,
            "SELECT count(*) OVER (), \(window) || difference FROM ops.window_differences($1::integer[]) \(order)",
            [lengths])
        revisions = try Self.difference(
            &connection,
            """
            SELECT count(*) OVER (), \(window) || 'revision ' || stored || ', by the events ' || expected \
            FROM ops.revision_differences($1::integer[], $2) \(order)
            """, [lengths, topic])
        outcomes = try connection.query(
            """
            SELECT (SELECT count(*) FROM gold.wait_prediction AS p \
            LEFT JOIN silver.patient_visit AS v USING (visit_id, facility_id) \
            LEFT JOIN gold.prediction_outcome AS o USING (visit_id, facility_id, prediction_ts, kind) \
            WHERE CASE WHEN v.disposition <> 'cancelled' THEN v.wait_minutes END \
            IS DISTINCT FROM o.actual_minutes) \
            + (SELECT count(*) FROM gold.prediction_outcome AS o WHERE NOT EXISTS (SELECT \
            FROM gold.wait_prediction AS p WHERE p.visit_id = o.visit_id AND p.facility_id = o.facility_id \
            AND p.prediction_ts = o.prediction_ts AND p.kind = o.kind))
            """
        ).int64(0, 0)
        unorderedFacilities = try connection.query(
            "SELECT count(*) FROM ops.unordered_facilities($1)", [topic]
        ).int64(0, 0)
    }

    private static func difference(
        _ connection: inout Connection, _ sql: String, _ parameters: [String]
    ) throws(PostgresError) -> Difference {
        let result = try connection.query("\(sql) LIMIT \(mostNamed)", parameters)
        guard result.rowCount > 0 else { return Difference() }
        return Difference(
            count: result.int64(0, 0), named: (0..<result.rowCount).map { TableText.printable(result.text($0, 1)) })
    }

    /// The equations.
    func checks() -> [VerifyCheck] {
        var checks = [
            VerifyCheck(
                scope: "all groups", name: "rows of patient_flow_event = inserted - dropped",
                expected: inserted - dropped, actual: events)
        ]
        for (name, count) in [
            ("events that share a place in the log", sharedPlaces),
            ("visits other than their events make them", visits.count),
            ("windows other than the events make them", windows.count),
            ("revisions other than the late events make them", revisions.count),
            ("outcomes other than the waits make them", outcomes),
        ] {
            checks.append(VerifyCheck(scope: "patient flow", name: name, expected: 0, actual: count))
        }
        return checks
    }

    /// The first rows that differ.
    var findings: [String] { visits.named + windows.named + revisions.named }

    /// What was compared, and what was not.
    var notes: [String] {
        guard events + visitCount + windowCount > 0 else { return [] }
        let lengths = minutes.map(String.init).joined(separator: " and ")
        var notes = [
            "\(visitCount.grouped) visits and \(windowCount.grouped) windows of \(lengths) minutes compared with "
                + "\(events.grouped) events"
        ]
        if unorderedFacilities > 0 {
            notes.append(
                "revisions of \(unorderedFacilities.grouped) facilities not compared: the order in which their events "
                    + "were read is not known (several partitions or groups, a jump back, a retried dead letter)")
        }
        return notes
    }
}
