import Postgres
import Service
import TestSupport
import Testing

/// Visits and windows, as they are in the database after each event, however the log was cut into transactions.
@Suite(.serialized, .ownThread, .databaseServer) struct FlowWindowTests {
    private static func windows(_ connection: inout Connection, minutes: Int = 5) throws -> [[String?]] {
        try connection.texts(
            """
            SELECT extract(epoch FROM window_start - timestamptz '2026-01-01 00:00Z')::integer / 60, arrivals,
                treatment_starts, departures, left_without_being_seen, census_start, census_end, census_max,
                census_mean, waiting_end, waiting_max, in_treatment_end, wait_mean_minutes, wait_p90_minutes,
                longest_current_wait_minutes, four_hour_share, revision
            FROM gold.occupancy_window WHERE window_minutes = \(minutes) ORDER BY 1
            """)
    }

    /// A digest of all that events make, closing times and versions apart; and windows in which nothing is, since one
    /// that a late event emptied stays where it was written before, and is never written in a larger batch.
    static func digest(_ laboratory: Laboratory) throws -> [String] {
        var connection = try laboratory.connect()
        let tables = [
            "SELECT * FROM silver.patient_flow_event", "SELECT * FROM silver.patient_visit",
            """
            SELECT (to_jsonb(w) - 'closed_at')::text FROM gold.occupancy_window AS w
            WHERE arrivals + transfers_in + transfers_out + treatment_starts + departures + left_without_being_seen
                + census_start + census_max > 0
            """,
            "SELECT facility_id, frontier FROM gold.flow_state", "SELECT * FROM gold.wait_prediction",
            "SELECT * FROM gold.prediction_outcome", "SELECT * FROM gold.sector_forecast",
            "SELECT facility_id, sector_id, kind, md5(state) FROM gold.model_state",
        ]
        return try tables.map { table in
            let digest = "count(*) || ' ' || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
            let found = try connection.texts("SELECT \(digest) FROM (\(table)) AS t")
            return found[0][0] ?? ""
        }
    }

    /// What the database's own recomputation finds different; nothing, as it must be.
    static func differences(_ laboratory: Laboratory, topic: String = "flow") throws -> [[String?]] {
        var connection = try laboratory.connect()
        return try connection.texts(
            """
            SELECT t::text FROM ops.visit_differences() AS t UNION ALL
            SELECT t::text FROM ops.window_differences('{5,60}') AS t UNION ALL
            SELECT t::text FROM ops.revision_differences('{5,60}', '\(topic)') AS t LIMIT 9
            """)
    }

    @Test func `windows and visits say what happened, and a late cancellation takes a visit back`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 1)
            let flow = try FlowTopic(laboratory.broker, "flow")
            let service = try laboratory.serve(log, flow)
            try flow.send([
                SentEvent(1, "v1", "arrival", at: 0, acuity: 2), SentEvent(2, "v2", "arrival", at: 2),
                SentEvent(3, "v1", "treatment_start", at: 4), SentEvent(4, "v2", "left_without_being_seen", at: 6),
                SentEvent(5, "v1", "departure", at: 8),
            ])
            try laboratory.awaitFlow(flow)
            var connection = try laboratory.connect()
            #expect(
                try Self.windows(&connection) == [
                    ["0", "2", "1", "0", "0", "0", "2", "2", "1.6", "1", "2", "1", "4", "4", "3", nil, "0"],
                    ["5", "0", "0", "1", "1", "2", "0", "2", "0.8", "0", "1", "0", nil, nil, nil, "1", "0"],
                ])
            #expect(try Self.windows(&connection, minutes: 60).map { $0[1] } == ["2"])
            try flow.send([SentEvent(6, "v2", "cancelled", at: 7)])
            try laboratory.awaitFlow(flow)
            #expect(
                try Self.windows(&connection) == [
                    ["0", "1", "1", "0", "0", "0", "1", "1", "1", "0", "1", "1", "4", "4", nil, nil, "1"],
                    ["5", "0", "0", "1", "0", "1", "0", "1", "0.6", "0", "0", "0", nil, nil, nil, "1", "0"],
                ])
            let visits = try connection.texts(
                """
                SELECT visit_id, acuity, disposition, revision, impossible, wait_minutes,
                    departure_at - arrival_at, present_until IS NULL FROM silver.patient_visit ORDER BY 1
                """)
            #expect(
                visits == [
                    ["v1", "2", "departed", "3", "0", "4", "00:08:00", "f"],
                    ["v2", nil, "cancelled", "3", "0", nil, "00:04:00", "t"],
                ])
            #expect(try Self.differences(laboratory).isEmpty)
            try service.stop()
        }
    }

    @Test func `capacities count from when they are valid, for windows stored before and after`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 1)
            let flow = try FlowTopic(laboratory.broker, "flow")
            let service = try laboratory.serve(log, flow)
            try flow.send([SentEvent(1, "v1", "arrival", at: 0), SentEvent(2, "v1", "triage", at: 11)])
            try laboratory.awaitFlow(flow)
            var connection = try laboratory.connect()
            func rates() throws -> [String] {
                try connection.texts(
                    """
                    SELECT coalesce(capacity::text, '-') || ':' || coalesce(occupancy_rate::text, '-')
                    FROM gold.occupancy_window WHERE window_minutes = 5 ORDER BY window_start
                    """
                ).compactMap { $0[0] }
            }
            #expect(try rates() == ["-:-", "-:-", "-:-"])
            try connection.execute(
                """
                INSERT INTO silver.sector_capacity VALUES
                    ('north', 'emergency', timestamptz '2026-01-01 00:05Z', 4),
                    ('north', 'emergency', timestamptz '2026-01-01 00:10Z', 0)
                """)
            #expect(try rates() == ["-:-", "4:0.25", "0:-"])
            try connection.execute("UPDATE silver.sector_capacity SET capacity = 2 WHERE capacity = 0")
            try flow.send([SentEvent(3, "v1", "treatment_start", at: 16)])
            try laboratory.awaitFlow(flow)
            #expect(try rates() == ["-:-", "4:0.25", "2:0.5", "2:0.5"])
            try connection.execute("DELETE FROM silver.sector_capacity WHERE capacity = 4")
            #expect(try rates() == ["-:-", "-:-", "2:0.5", "2:0.5"])
            try connection.execute("TRUNCATE silver.sector_capacity")
            #expect(try rates() == ["-:-", "-:-", "-:-", "-:-"])
            try service.stop()
        }
    }

    /// Batch limits, lanes and kills, all into databases of their own: the same bits in each.
    @Test(arguments: [UInt64(9), UInt64.random(in: 1..<1_000_000)])
    func `a random stream gives the same events, visits and windows however it is cut, and after kills`(
        seed: UInt64
    ) throws {
        let broker = try MockBroker()
        try broker.createTopic("vitals", partitions: 1)
        let log = SentLog(topic: "vitals", partitions: 1, bootstrapServers: broker.bootstrapServers)
        let flow = try FlowTopic(broker, "flow", partitions: 2)
        var stream = FlowStream(seed: seed)
        for (place, told) in stream.events(visits: 60, facilities: ["north", "söuth"]).sorted(by: { $0.key < $1.key })
            .enumerated()
        {
            try flow.send(told.value, to: place)
        }
        var digests: [[String]] = []
        for (rows, lanes, kills) in [("65536", "1", 0), ("7", "2", 0), ("20", "1", 4), ("1", "1", 0)] {
            try Laboratory.open(broker) { laboratory in
                let group = "rows-\(rows)-\(kills)"
                let settings = [
                    "BATCH_MAX_ROWS": rows, "LANES": lanes, "KAFKA_CONFIG_SESSION_TIMEOUT_MS": "4000",
                ]
                for kill in 0..<kills {
                    let service = try laboratory.serve(log, flow, name: "life-\(kill)", group: group, settings)
                    let target = try laboratory.flowPosition(flow, group: group) + 50
                    try eventually("some way into its work") {
                        try laboratory.flowPosition(flow, group: group) >= min(target, Int64(flow.count))
                    }
                    try service.kill()
                }
                let service = try laboratory.serve(log, flow, group: group, settings)
                try laboratory.awaitFlow(flow, group: group)
                digests.append(try Self.digest(laboratory))
                let differences = try Self.differences(laboratory)
                #expect(differences.isEmpty, "seed \(seed), \(group): \(differences)")
                try service.stop()
                // The whole topic once more: nothing is new, and nothing changes.
                let again = try laboratory.serve(log, flow, name: "again", group: group + "-again", settings)
                try laboratory.awaitFlow(flow, group: group + "-again")
                #expect(try Self.digest(laboratory) == digests.last, "seed \(seed), read again")
                try again.stop()
            }
        }
        for digest in digests { #expect(digest == digests[0], "seed \(seed)") }
    }

    /// The arrival comes last, when the patient has left through another sector: the predictor takes them for one who
    /// waits, and says so at later windows' ends.
    @Test(arguments: ["1", "65536"])
    func `every prediction about a visit whose wait is known has its outcome`(rows: String) throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 1)
            let flow = try FlowTopic(laboratory.broker, "flow")
            try flow.send([
                SentEvent(1, "v1", "treatment_start", at: 5),
                SentEvent(6, "v1", "transfer", at: 5, toSector: "ward"),
                SentEvent(2, sector: "ward", "v1", "departure", at: 9),
                SentEvent(3, "v2", "arrival", at: 10), SentEvent(4, "v1", "arrival", at: 2),
                SentEvent(5, "v2", "triage", at: 31),
            ])
            let service = try laboratory.serve(log, flow, ["BATCH_MAX_ROWS": rows])
            try laboratory.awaitFlow(flow)
            var connection = try laboratory.connect()
            let told = try connection.texts(
                """
                SELECT p.visit_id, count(*) > 1, count(o.visit_id) = count(*), count(o.visit_id),
                    min(o.actual_minutes) FROM gold.wait_prediction AS p
                LEFT JOIN gold.prediction_outcome AS o USING (visit_id, facility_id, prediction_ts, kind)
                GROUP BY 1 ORDER BY 1
                """)
            #expect(told.first?[1] == "t" && told.first?[2] == "t" && told.first?[4] == "3")
            #expect(told.last?[0] == "v2" && told.last?[3] == "0")
            try service.stop()
        }
    }

    @Test func `two lanes that write one facility, as after a topic has grown, leave what its events make`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 1)
            let flow = try FlowTopic(laboratory.broker, "flow", partitions: 2)
            var stream = FlowStream(seed: 21)
            let told = stream.events(visits: 120, facilities: ["north"])["north"] ?? []
            for partition in 0...1 {
                let half = told.enumerated().filter { $0.offset % 2 == partition }.map(\.element)
                try flow.send(half, to: partition)
            }
            let service = try laboratory.serve(log, flow, ["LANES": "2", "BATCH_MAX_ROWS": "5"])
            try laboratory.awaitFlow(flow)
            #expect(try Self.differences(laboratory).isEmpty)
            var connection = try laboratory.connect()
            let books = try connection.texts(
                """
                SELECT sum(inserted) = (SELECT count(*) FROM silver.patient_flow_event), sum(inserted + duplicate),
                    sum(consumed) FROM ops.partition_progress WHERE topic = 'flow'
                """)
            #expect(books == [["t", "\(flow.count)", "\(flow.count)"]])
            try service.stop()
        }
    }

    @Test func `windows close by the watermark, and where nothing comes by the time waited`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 1)
            let flow = try FlowTopic(laboratory.broker, "flow")
            let settings = ["ALLOWED_LATENESS_SECONDS": "300", "FLOW_IDLE_SECONDS": "3600"]
            let service = try laboratory.serve(log, flow, settings)
            try flow.send([SentEvent(1, "v1", "arrival", at: 0), SentEvent(2, "v1", "departure", at: 10)])
            try laboratory.awaitFlow(flow)
            var connection = try laboratory.connect()
            func open() throws -> [[String?]] {
                try connection.texts(
                    """
                    SELECT extract(epoch FROM window_start - timestamptz '2026-01-01 00:00Z')::integer / 60
                    FROM gold.occupancy_window WHERE window_minutes = 5 AND closed_at IS NULL ORDER BY 1
                    """)
            }
            // 10 minutes less 5: the window that ended then is over.
            #expect(try open() == [["5"], ["10"]])
            try flow.send([SentEvent(3, "v2", "arrival", at: 1)])
            try laboratory.awaitFlow(flow)
            #expect(try open() == [["5"], ["10"]], "a late event opens a window, and the watermark closes it at once")
            try service.stop()

            // Event time stands still; after a second of silence it goes on by the time waited, not to the wall clock.
            try connection.execute("UPDATE gold.flow_state SET watermark = timestamptz '2026-01-01 00:09:58Z'")
            let waiting = try laboratory.serve(
                log, flow, name: "waiting", settings.merging(["FLOW_IDLE_SECONDS": "1"]) { $1 })
            try eventually("the next window is closed") { try open() == [["10"]] }
            #expect(
                try connection.texts(
                    "SELECT watermark >= timestamptz '2026-01-01 00:10Z', watermark < timestamptz '2026-01-01 00:12Z' "
                        + "FROM gold.flow_state") == [["t", "t"]])
            try waiting.stop()
        }
    }
}
