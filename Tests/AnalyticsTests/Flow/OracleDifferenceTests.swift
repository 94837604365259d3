import Testing

/// A change to what the service has stored, and what the comparison says of it.
struct StoredChange: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let sql: String
    /// Visits, windows and revisions that differ.
    let differences: [String]

    init(_ sql: String, _ differences: [String]) {
        testDescription = sql
        self.sql = sql
        self.differences = differences
    }

    private static let atNine = "sector_id = 'ed' AND window_start = '2026-03-02 09:00Z' AND window_minutes = 60"

    static let all = [
        StoredChange("UPDATE gold.occupancy_window SET census_end = 7 WHERE \(atNine)", ["ed 60 09:00 census_end"]),
        // The next double above 2/3.
        StoredChange(
            "UPDATE gold.occupancy_window SET census_mean = census_mean + 1.2e-16 WHERE \(atNine)",
            ["ed 60 09:00 census_mean"]),
        StoredChange(
            "UPDATE gold.occupancy_window SET wait_p50_minutes = NULL, waiting_max = 0 WHERE \(atNine)",
            ["ed 60 09:00 wait_p50_minutes, waiting_max"]),
        StoredChange("DELETE FROM gold.occupancy_window WHERE \(atNine)", ["ed 60 09:00 missing"]),
        StoredChange(
            "UPDATE gold.occupancy_window SET sector_id = 'other' WHERE \(atNine)",
            [
                "ed 60 09:00 missing", "other 60 09:00 not zero, though nothing makes it",
                "other 60 09:00 revision 1 for 0",
            ]),
        StoredChange("UPDATE gold.occupancy_window SET revision = 4 WHERE \(atNine)", ["ed 60 09:00 revision 4 for 1"]),
        StoredChange("UPDATE gold.occupancy_window SET closed_at = now()", []),
        StoredChange("DELETE FROM silver.patient_visit WHERE visit_id = 'a'", ["visit 0cc175b9c0f1 missing"]),
        StoredChange(
            "UPDATE silver.patient_visit SET acuity = 1, disposition = 'cancelled' WHERE visit_id = 'a'",
            ["visit 0cc175b9c0f1 acuity, disposition"]),
        StoredChange(
            "UPDATE silver.patient_visit SET visit_id = 'b' WHERE visit_id = 'a'",
            ["visit 0cc175b9c0f1 missing", "visit 92eb5ffee6ae without an event"]),
    ]
}

extension OnAFlowServer {
    /// Comparing what is stored with what the events make.
    struct OracleDifferenceTests {
        private static let all = """
            SELECT 'visit ' || visit_hash || ' ' || difference FROM ops.visit_differences()
            UNION ALL
            SELECT sector_id || ' ' || window_minutes || to_char(window_start, ' HH24:MI ') || difference
            FROM ops.window_differences('{5,60}')
            UNION ALL
            SELECT sector_id || ' ' || window_minutes || to_char(window_start, ' HH24:MI ') || 'revision ' || stored
                || ' for ' || expected
            FROM ops.revision_differences('{5,60}', 'patient-flow')
            ORDER BY 1
            """

        private func stored() throws -> FlowDatabase {
            let flow = try FlowDatabase(
                """
                a 09:00 arrival ed acuity=3
                a 09:20 treatment_start ed
                c 10:30 arrival hall
                a 09:40 departure ed
                """)
            try flow.store()
            return flow
        }

        @Test func `nothing differs from itself`() throws {
            #expect(try stored().table(Self.all) == [])
        }

        @Test(arguments: StoredChange.all) func `a changed row is found`(change: StoredChange) throws {
            let flow = try stored()
            try flow.execute(change.sql)
            #expect(try flow.table(Self.all) == change.differences)
        }

        @Test func `a row that late events have emptied may stay, if it is empty`() throws {
            let flow = try stored()
            try flow.add("a 10:40 cancelled ed")
            try flow.execute("TRUNCATE silver.patient_visit, gold.flow_state, gold.occupancy_window")
            try flow.store()
            let emptied = """
                INSERT INTO gold.occupancy_window (facility_id, sector_id, window_minutes, window_start, arrivals,
                    transfers_in, transfers_out, treatment_starts, departures, left_without_being_seen, census_start,
                    census_end, census_max, census_mean, waiting_end, waiting_max, in_treatment_end, boarding_end,
                    capacity, occupancy_rate, revision)
                VALUES ('north', 'ed', 5, '2026-03-02 09:10Z', 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 2)
                """
            try flow.execute(emptied)
            // Leaving at 9:40 changed later windows; only the cancellation changed this one.
            #expect(try flow.table(Self.all) == ["ed 5 09:10 revision 2 for 1"])
            try flow.execute("UPDATE gold.occupancy_window SET revision = 1 WHERE capacity = 4")
            #expect(try flow.table(Self.all) == [])
            try flow.execute("UPDATE gold.occupancy_window SET waiting_max = 1 WHERE capacity = 4")
            #expect(try flow.table(Self.all) == ["ed 5 09:10 not zero, though nothing makes it"])
        }

        @Test func `the service's and the analyst's rights are enough`() throws {
            let flow = try stored()
            for role in ["vitalstream_service", "vitalstream_analyst"] {
                #expect(try flow.table(Self.all, role: role) == [])
            }
        }
    }
}
