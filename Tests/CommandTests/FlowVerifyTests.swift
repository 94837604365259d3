import TestSupport
import Testing

/// Something that must not be stored of patient flow, and the check that has to notice it.
struct BrokenFlow: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let sql: String
    /// What standard error says.
    let check: String
    /// What is named on standard output.
    let finding: String

    init(_ name: String, _ sql: String, check: String, finding: String) {
        testDescription = name
        self.sql = sql
        self.check = check
        self.finding = finding
    }

    private static let visits = "visits other than their events make them (expected 0, is 1)"
    private static let windows = "windows other than the events make them (expected 0, is 1)"

    static let all = [
        BrokenFlow(
            "a visit is gone", "DELETE FROM silver.patient_visit WHERE visit_id = 'visit-7'", check: visits,
            finding: "visit of north whose id has the md5 \(FlowWorld.hash)...: missing"),
        BrokenFlow(
            "a visit too many",
            "INSERT INTO silver.patient_visit SELECT 'visit-9', facility_id, sector_id, patient_id, acuity, "
                + "impossible, revision, arrival_at, triage_at, treatment_start_at, departure_at, last_event_at, "
                + "present_until, wait_minutes, disposition FROM silver.patient_visit WHERE visit_id = 'visit-7'",
            check: visits, finding: "without an event"),
        BrokenFlow(
            "a visit's wait is another",
            "UPDATE silver.patient_visit SET wait_minutes = 20.000001 WHERE visit_id = 'visit-7'",
            check: visits, finding: "visit of north whose id has the md5 \(FlowWorld.hash)...: wait_minutes"),
        BrokenFlow(
            "a census is another",
            "UPDATE gold.occupancy_window SET census_end = 2 WHERE window_minutes = 60 AND sector_id = 'ed' "
                + "AND arrivals = 1",
            check: windows, finding: "window of north/ed, 60 min from 2026-03-02T09:00Z: census_end"),
        BrokenFlow(
            "a window is gone", "DELETE FROM gold.occupancy_window WHERE window_minutes = 60 AND sector_id = 'hall'",
            check: windows, finding: "window of north/hall, 60 min from 2026-03-02T10:00Z: missing"),
        BrokenFlow(
            "a window that nothing makes",
            "INSERT INTO gold.occupancy_window SELECT facility_id, 'attic', window_minutes, window_start, 1, 0, 0, 0, "
                + "0, 0, 0, 1, 1, 1, 1, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL "
                + "FROM gold.occupancy_window WHERE window_minutes = 60 AND sector_id = 'hall'",
            check: windows, finding: "window of north/attic, 60 min from 2026-03-02T10:00Z: not zero"),
        BrokenFlow(
            "a revision is another",
            "UPDATE gold.occupancy_window SET revision = 2 WHERE window_minutes = 60 AND arrivals = 1 "
                + "AND sector_id = 'ed'",
            check: "revisions other than the late events make them (expected 0, is 1)",
            finding: "window of north/ed, 60 min from 2026-03-02T09:00Z: revision 2, by the events 1"),
        BrokenFlow(
            "an event is gone",
            "DELETE FROM silver.patient_flow_event WHERE event = 'triage'; "
                + "UPDATE silver.patient_visit SET revision = revision - 1, triage_at = NULL, acuity = NULL "
                + "WHERE visit_id = 'visit-7'",
            check: "rows of patient_flow_event = inserted - dropped (expected 5, is 4)",
            finding: "compared with 4 events"),
        BrokenFlow(
            "two events claim one place",
            "UPDATE silver.patient_flow_event SET source_offset = 1 WHERE source_offset = 2",
            check: "events that share a place in the log (expected 0, is 1)", finding: "compared with 5 events"),
    ]
}

/// A database in which patient flow is stored as it must be: five events of two visits, one of them late.
enum FlowWorld {
    /// The beginning of the md5 of `visit-7`.
    static let hash = "add4248124f3"

    static func make() throws -> World {
        let world = try World.copy()
        try world.execute(
            """
            INSERT INTO silver.patient_flow_event (event_id, facility_id, sector_id, visit_id, event, acuity,
                occurred_at, source_partition, source_offset)
            SELECT gen_random_uuid(), 'north', e.sector, e.visit, e.event, e.acuity, e.at, 0, e.place
            FROM (VALUES
                ('visit-7', 'arrival', 'ed', NULL::smallint, timestamptz '2026-03-02 09:00Z', 0),
                ('visit-7', 'triage', 'ed', 3, '2026-03-02 09:10Z', 1),
                ('visit-7', 'treatment_start', 'ed', NULL, '2026-03-02 09:20Z', 2),
                ('visit-8', 'arrival', 'hall', NULL, '2026-03-02 10:30Z', 3),
                ('visit-7', 'departure', 'ed', NULL, '2026-03-02 09:40Z', 4)
            ) AS e (visit, event, sector, acuity, at, place);
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
            FROM ops.expected_windows('{5,60}') AS w
            LEFT JOIN ops.expected_revisions('{5,60}') AS r
                USING (facility_id, sector_id, window_minutes, window_start);
            INSERT INTO ops.partition_progress
                (consumer_group, topic, partition, first_offset, next_offset, consumed, inserted)
            VALUES ('commands', 'patient-flow', 0, 0, 5, 5, 5)
            """)
        return world
    }
}

extension CommandSuite {
    @Suite struct FlowVerifyTests {
        @Test func `visits and windows are recomputed, and agree`() throws {
            let run = try FlowWorld.make().run("verify")
            #expect(run.code == 0, "\(run.text)")
            #expect(run.output.contains("of 5 and 60 minutes compared with 5 events"), "\(run.output)")
            #expect(!run.text.contains("visit-7"))
        }

        @Test(arguments: BrokenFlow.all) func `verify notices`(_ broken: BrokenFlow) throws {
            let world = try FlowWorld.make()
            try world.execute(broken.sql)
            let run = try world.run("verify")
            #expect(run.code == 1, "\(run.text)")
            #expect(run.errors.contains(broken.check), "\(run.errors)")
            #expect(run.output.contains(broken.finding), "\(run.output)")
            #expect(!run.text.contains("visit-"), "names a visit")
        }

        @Test func `at most five of each kind are named`() throws {
            let world = try FlowWorld.make()
            try world.execute("UPDATE gold.occupancy_window SET census_max = 9")
            let run = try world.run("verify")
            #expect(run.output.split(separator: "\n").count { $0.hasPrefix("differs: window of ") } == 5)
        }

        @Test func `only the lengths of the settings are judged`() throws {
            let world = try FlowWorld.make()
            try world.execute("UPDATE gold.occupancy_window SET census_max = 9 WHERE window_minutes = 5")
            #expect(try world.run("verify").code == 1)
            #expect(try world.run("verify --window-minutes 60").code == 0)
            #expect(try world.run("verify --window-minutes 60,120").errors.contains("windows other than"))
        }

        @Test func `revisions are not judged where the order of the events is not known, and that is said`() throws {
            let world = try FlowWorld.make()
            try world.execute(
                """
                UPDATE gold.occupancy_window SET revision = 7;
                UPDATE ops.partition_progress SET first_offset = 3, gaps = -3 WHERE topic = 'patient-flow'
                """)
            let run = try world.run("verify")
            #expect(run.code == 0, "\(run.text)")
            #expect(run.output.contains("note: revisions of 1 facilities not compared"), "\(run.output)")
        }
    }
}
