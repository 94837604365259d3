import Testing

extension OnAFlowServer {
    /// Timelines whose visits and windows were worked out by hand.
    struct OracleTests {
        private static let counts = """
            SELECT sector_id, to_char(window_start, 'HH24:MI') AS at, arrivals, transfers_in, transfers_out,
                treatment_starts, departures, left_without_being_seen, census_start, census_end, census_max,
                round(census_mean::numeric, 3) AS mean, waiting_end, waiting_max, in_treatment_end, boarding_end
            FROM ops.expected_windows('{60}') ORDER BY 1, 2
            """

        private static let waits = """
            SELECT sector_id, to_char(window_start, 'HH24:MI') AS at, wait_mean_minutes, wait_p50_minutes,
                wait_p90_minutes, longest_current_wait_minutes, four_hour_share
            FROM ops.expected_windows('{60}') ORDER BY 1, 2
            """

        private static let visits = """
            SELECT visit_id, sector_id, acuity, disposition, impossible, revision, wait_minutes,
                to_char(departure_at, 'HH24:MI'), to_char(present_until, 'MM-DD_HH24:MI')
            FROM ops.expected_visits() ORDER BY 1
            """

        /// ```
        ///            9:00     9:15     9:30             10:00          10:20
        ///  a   ed    |waiting |treated |
        ///      ward                    |treated                        |
        ///  b   ed         |waiting since 9:10 .............................
        /// ```
        @Test func `two patients, a transfer and a departure`() throws {
            let flow = try FlowDatabase(
                """
                a 09:00 arrival ed
                b 09:10 arrival ed
                a 09:15 treatment_start ed
                a 09:30 transfer ed >ward
                a 10:20 departure ward
                """)
            #expect(
                try flow.table(Self.counts) == [
                    // sector start, in: a ti to ts d l, census: start end max mean, waiting end max, treated, boarding
                    "ed 09:00 2 0 1 1 0 0 0 1 2 1.333 1 2 0 0",
                    "ed 10:00 0 0 0 0 0 0 1 1 1 1.000 1 1 0 0",
                    "ward 09:00 0 1 0 0 0 0 0 1 1 0.500 0 0 1 0",
                    "ward 10:00 0 0 0 0 1 0 1 0 1 0.333 0 0 0 0",
                ])
            #expect(
                try flow.table(Self.waits) == [
                    "ed 09:00 15 15 15 50 -", "ed 10:00 - - - 110 -", "ward 09:00 - - - - -", "ward 10:00 - - - - 1",
                ])
            #expect(
                try flow.table(Self.visits) == [
                    "a ward - departed 0 4 15 10:20 03-02_10:20", "b ed - in_progress 0 1 - - 05-01_09:10",
                ])
        }

        /// ```
        ///        9:30          10:00          10:30
        ///  a     |-------------|                        leaves at the very start of a window
        ///  b                   |-----------------...    comes at that instant
        ///  c                   ||                       comes and leaves at that instant
        /// ```
        @Test func `a window begins with its first instant and ends before its last`() throws {
            let flow = try FlowDatabase(
                """
                a 09:30 arrival ed
                a 10:00 departure ed
                b 10:00 arrival ed
                c 10:00 arrival ed
                c 10:00 departure ed
                """)
            #expect(
                try flow.table(Self.counts) == [
                    "ed 09:00 1 0 0 0 0 0 0 1 1 0.500 1 1 0 0", "ed 10:00 2 0 0 0 2 0 1 1 1 1.000 1 1 0 0",
                ])
        }

        @Test func `whoever leaves at a window's start leaves a row there, and so does a sector that is only named`()
            throws
        {
            let flow = try FlowDatabase(
                """
                a 09:30 arrival ed
                a 10:00 departure desk
                b 10:05 triage hall
                """)
            #expect(
                try flow.table(Self.counts) == [
                    "desk 10:00 0 0 0 0 0 0 0 0 0 0.000 0 0 0 0", "ed 09:00 1 0 0 0 0 0 0 1 1 0.500 1 1 0 0",
                    "ed 10:00 0 0 0 0 1 0 1 0 0 0.000 0 0 0 0", "hall 10:00 0 0 0 0 0 0 0 0 0 0.000 0 0 0 0",
                ])
            #expect(try flow.table(Self.visits).last == "b hall - in_progress 16 1 - - -")
        }

        /// ```
        ///       8:50 9:00                12:00    13:00   13:30
        ///  a    |w   |treated in ed ..............|board  |
        ///  b    |w   |treated in ed .....|hall ...........|
        /// ```
        @Test func `a boarder is still where treatment began 240 minutes ago, that instant included`() throws {
            let flow = try FlowDatabase(
                """
                a 08:50 arrival ed
                b 08:50 arrival ed
                a 09:00 treatment_start ed
                b 09:00 treatment_start ed
                b 12:00 transfer ed >hall
                a 13:30 departure ed
                b 13:30 departure hall
                """)
            let boarding = """
                SELECT sector_id, to_char(window_start, 'HH24:MI'), in_treatment_end, boarding_end
                FROM ops.expected_windows('{60}') WHERE window_start >= '2026-03-02 11:00Z' ORDER BY 1, 2
                """
            #expect(
                try flow.table(boarding) == [
                    "ed 11:00 2 0", "ed 12:00 1 1", "ed 13:00 0 0", "hall 12:00 1 0", "hall 13:00 0 0",
                ])
        }

        @Test func `waits are ranked, never interpolated, and four hours include the last millisecond`() throws {
            let flow = try FlowDatabase(
                """
                a 10:00 arrival ed
                b 10:00 arrival ed
                c 10:00 arrival ed
                d 10:00 arrival ed
                a 10:10 treatment_start ed
                b 10:20 treatment_start ed
                c 10:30 treatment_start ed
                d 10:40 treatment_start ed
                a 14:00 departure ed
                b 14:00:00.001 departure ed
                """)
            #expect(try flow.table(Self.waits).first == "ed 10:00 25 20 40 - -")
            #expect(try flow.table(Self.waits).last == "ed 14:00 - - - - 0.5")
        }

        @Test func `a treatment beats leaving unseen, and leaving unseen a departure`() throws {
            let flow = try FlowDatabase(
                """
                a 09:00 arrival ed acuity=4
                a 09:30 left_without_being_seen ed
                b 09:00 arrival ed
                b 09:20 departure ed
                b 09:50 left_without_being_seen ed
                a 10:10 treatment_start ed acuity=3
                """)
            #expect(
                try flow.table(Self.visits) == [
                    "a ed 3 in_progress 0 3 70 - 05-01_10:10", "b ed - left_without_being_seen 0 3 - 09:20 03-02_09:20",
                ])
            #expect(
                try flow.table(Self.counts) == [
                    "ed 09:00 2 0 0 0 0 1 0 1 2 1.333 1 2 0 0", "ed 10:00 0 0 0 1 0 0 1 1 1 1.000 0 1 1 0",
                ])
        }

        @Test func `a cancelled visit was never there, but its sectors were named`() throws {
            let flow = try FlowDatabase(
                """
                a 09:00 arrival ed
                a 10:10 treatment_start lab
                a 12:00 cancelled desk
                """)
            #expect(
                try flow.table(Self.counts).map { $0.split(separator: " ").prefix(2).joined(separator: " ") } == [
                    "desk 12:00", "ed 09:00", "lab 10:00",
                ])
            #expect(try flow.table(Self.counts).allSatisfy { $0.hasSuffix(" 0 0 0 0 0 0 0 0 0 0.000 0 0 0 0") })
            #expect(try flow.table(Self.visits) == ["a lab - cancelled 0 3 70 - -"])
        }

        @Test func `at one instant the greatest event id decides where a patient is`() throws {
            let flow = try FlowDatabase(
                """
                a 09:00 arrival hall
                a 09:00 triage ed
                a 09:10 transfer ed >x
                a 09:10 transfer x >ward
                """)
            #expect(
                try flow.table(Self.counts) == [
                    "ed 09:00 1 0 1 0 0 0 0 0 1 0.167 0 1 0 0", "hall 09:00 0 0 0 0 0 0 0 0 0 0.000 0 0 0 0",
                    "ward 09:00 0 1 0 0 0 0 0 1 1 0.833 1 1 0 0", "x 09:00 0 0 0 0 0 0 0 0 0 0.000 0 0 0 0",
                ])
        }

        @Test func `impossible orders are flagged, and counted from the arrival on`() throws {
            let flow = try FlowDatabase(
                """
                a 09:00 arrival ed
                a 08:00 triage ed
                a 08:10 treatment_start ed
                a 08:05 departure ed
                """)
            #expect(try flow.table(Self.visits) == ["a ed - departed 15 4 0 08:05 03-02_09:00"])
            #expect(
                try flow.table(Self.counts) == [
                    "ed 08:00 0 0 0 0 0 0 0 0 0 0.000 0 0 0 0", "ed 09:00 1 0 0 1 1 0 0 0 0 0.000 0 0 0 0",
                ])
        }

        @Test func `60 days of silence end a visit without a departure, and 366 days end any`() throws {
            let flow = try FlowDatabase(
                """
                a 03-02_00:00 arrival ed
                b 03-02_00:00 arrival ward
                b 04-20_00:00 triage ward
                b 06-10_00:00 triage ward
                c 07-01_00:00 arrival lab
                """)
            let days = """
                SELECT sector_id, to_char(max(window_start), 'MM-DD'), min(census_end), sum(departures)
                FROM ops.expected_windows('{1440}') GROUP BY 1 ORDER BY 1
                """
            #expect(try flow.table(days) == ["ed 04-30 1 0", "lab 07-01 1 0", "ward 07-01 1 0"])
            try flow.execute(
                """
                UPDATE silver.patient_flow_event SET occurred_at = '2025-03-01Z'
                WHERE visit_id = 'b' AND event = 'arrival'
                """)
            let until = "SELECT to_char(present_until, 'YYYY-MM-DD') FROM ops.expected_visits() WHERE visit_id = 'b'"
            #expect(try flow.table(until) == ["2026-03-02"])
            // Named on two days since, but not there.
            #expect(try flow.table(days).last == "ward 06-10 0 0")
        }

        @Test func `the capacity in force at a window's start counts`() throws {
            let flow = try FlowDatabase(
                """
                a 09:00 arrival ed
                b 11:30 arrival ed
                """)
            try flow.execute(
                """
                INSERT INTO silver.sector_capacity (facility_id, sector_id, valid_from, capacity) VALUES
                    ('north', 'ed', '2026-03-02 10:00Z', 4), ('north', 'ed', '2026-03-02 10:30Z', 0),
                    ('north', 'ward', '2026-03-01', 9)
                """)
            let rates = """
                SELECT to_char(window_start, 'HH24:MI'), capacity, occupancy_rate
                FROM ops.expected_windows('{60}') ORDER BY 1
                """
            #expect(try flow.table(rates) == ["09:00 - -", "10:00 4 0.25", "11:00 0 -"])
        }

        @Test func `facilities know nothing of each other's visits and frontiers`() throws {
            let flow = try FlowDatabase(
                """
                a 09:00 arrival ed
                south/a 08:10 arrival ed
                south/a 08:20 departure ed
                a 11:10 triage ed
                """)
            let rows = """
                SELECT facility_id, to_char(window_start, 'HH24:MI'), arrivals, departures
                FROM ops.expected_windows('{60}') ORDER BY 1, 2
                """
            #expect(
                try flow.table(rows) == [
                    "north 09:00 1 0", "north 10:00 0 0", "north 11:00 0 0", "south 08:00 1 1",
                ])
        }
    }
}
