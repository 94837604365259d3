import TestSupport
import Testing

extension OnAFlowServer {
    /// What has to hold for any stream, hostile ones included.
    struct OraclePropertyTests {
        /// Events of up to 14 visits of two facilities at a few instants, so that many fall together; most in the order
        /// of their times. Every kind in any place, now and then 61 days later.
        private func stream(_ seed: UInt64) throws -> FlowDatabase {
            var random = SeededNumbers(seed: seed)
            let kinds = [
                "arrival", "arrival", "arrival", "triage", "treatment_start", "treatment_start", "transfer", "transfer",
                "departure", "departure", "left_without_being_seen", "cancelled",
            ]
            let minutes = [1, 5, 30][random.below(3)]
            var events: [(time: Int, late: Int, text: String)] = []
            for visit in 0..<(4 + random.below(10)) {
                let facility = ["north", "south"][random.below(2)]
                let begin = random.below(40)
                for number in 0..<(1 + random.below(6)) {
                    let kind = number == 0 ? "arrival" : kinds[random.below(kinds.count)]
                    let time = (begin + random.below(20)) * minutes
                    let day = random.below(30) == 0 ? "05-03" : "03-02"
                    let clock = "\(pad(time / 60 % 24)):\(pad(time % 60))"
                    let sector = ["ed", "lab", "ward"][random.below(3)]
                    let destination = ["ed", "lab", "ward"][random.below(3)]
                    let more = kind == "transfer" ? " >\(destination)" : ""
                    let late = random.below(4) == 0 ? random.below(20) * minutes : 0
                    events.append(
                        (time, time + late, "\(facility)/v\(visit) \(day)_\(clock) \(kind) \(sector)\(more)"))
                }
            }
            return try FlowDatabase(events.sorted { $0.late < $1.late }.map(\.text).joined(separator: "\n"))
        }

        private func pad(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

        /// Streams that have people in them: of seed 3 everybody is cancelled or gone at once.
        private static let seeds: [UInt64] = [1, 2, 4, 5, 6]

        /// Every stay by itself against every window, where the oracle runs through the steps of a sector once.
        @Test(arguments: seeds) func `levels are what counting every stay gives`(seed: UInt64) throws {
            let flow = try stream(seed)
            let wrong = """
                WITH w AS (
                    SELECT *, round(date_part('epoch', window_start) * 1000)::bigint AS a,
                        round(date_part('epoch', window_start) * 1000)::bigint + window_minutes * 60000 AS b
                    FROM ops.expected_windows('{5,60}')
                ),
                s AS (SELECT *, least(to_ms, start, gone) AS waited_to FROM ops.flow_stay(false)),
                n AS (
                    SELECT w.facility_id, w.sector_id, w.window_minutes, w.window_start,
                        count(*) FILTER (WHERE s.from_ms < a AND a <= s.to_ms) AS census_start,
                        count(*) FILTER (WHERE s.from_ms < b AND b <= s.to_ms) AS census_end,
                        coalesce(sum(greatest(0, least(s.to_ms, b) - greatest(s.from_ms, a)))
                            FILTER (WHERE s.fold IS NOT NULL), 0) / (b - a) AS census_mean,
                        count(*) FILTER (WHERE s.from_ms < b AND b <= s.waited_to) AS waiting_end,
                        count(*) FILTER (WHERE greatest(s.from_ms, s.start) < b AND b <= s.to_ms
                            AND s.start < s.to_ms) AS in_treatment_end,
                        count(*) FILTER (WHERE s.start >= s.from_ms AND s.start < s.to_ms AND b <= s.to_ms
                            AND s.start <= b - 14400000) AS boarding_end,
                        max(b - s.arrival) FILTER (WHERE s.from_ms < b AND b <= s.waited_to) AS longest
                    FROM w
                    LEFT JOIN s ON s.facility_id = w.facility_id AND s.sector_id = w.sector_id
                    GROUP BY 1, 2, 3, 4, a, b
                )
                SELECT w.sector_id, w.window_minutes, w.window_start
                FROM w JOIN n USING (facility_id, sector_id, window_minutes, window_start)
                WHERE (w.census_start, w.census_end, w.waiting_end, w.in_treatment_end, w.boarding_end)
                        IS DISTINCT FROM (n.census_start, n.census_end, n.waiting_end, n.in_treatment_end,
                            n.boarding_end)
                    OR abs(w.census_mean - n.census_mean) > 1e-9
                    OR w.longest_current_wait_minutes IS DISTINCT FROM n.longest::double precision / 60000
                """
            #expect(try flow.table(wrong) == [])
            #expect(try flow.table("SELECT count(*) > 50 FROM ops.expected_windows('{5,60}')") == ["t"])
        }

        @Test(arguments: seeds) func `who was there and came is who left and is there`(seed: UInt64) throws {
            let flow = try stream(seed)
            // Whoever is counted in and out without a stay, and whom silence ends, are the two exceptions.
            try flow.execute(
                """
                DELETE FROM silver.patient_flow_event WHERE (facility_id, visit_id) IN (
                    SELECT facility_id, visit_id FROM ops.expected_visits()
                    WHERE present_until = arrival_at OR departure_at IS NULL)
                """)
            let wrong = """
                SELECT * FROM ops.expected_windows('{5,60}')
                WHERE census_end <> census_start + arrivals + transfers_in - transfers_out - departures
                    - left_without_being_seen
                """
            #expect(try flow.table(wrong) == [])
            #expect(try flow.table("SELECT sum(arrivals) > 0 FROM ops.expected_windows('{60}')") == ["t"])
        }

        @Test(arguments: seeds) func `an hour is its twelve windows of five minutes`(seed: UInt64) throws {
            let flow = try stream(seed)
            let wrong = """
                WITH w AS (SELECT *, date_trunc('hour', window_start) AS hour FROM ops.expected_windows('{5,60}')),
                f AS (
                    SELECT facility_id, sector_id, hour, sum(arrivals) AS arrivals, sum(transfers_in) AS transfers_in,
                        sum(transfers_out) AS transfers_out, sum(treatment_starts) AS treatment_starts,
                        sum(departures) AS departures, sum(left_without_being_seen) AS unseen,
                        max(census_max) AS census_max, max(waiting_max) AS waiting_max
                    FROM w WHERE window_minutes = 5 GROUP BY 1, 2, 3
                )
                SELECT h.sector_id, h.hour FROM w AS h
                LEFT JOIN f USING (facility_id, sector_id, hour)
                JOIN (SELECT facility_id, max(occurred_at) AS frontier FROM silver.patient_flow_event GROUP BY 1) AS t
                    USING (facility_id)
                WHERE h.window_minutes = 60 AND h.hour + interval '1 hour' <= t.frontier
                    AND (h.arrivals, h.transfers_in, h.transfers_out, h.treatment_starts, h.departures,
                        h.left_without_being_seen, h.census_max, h.waiting_max)
                    IS DISTINCT FROM (f.arrivals, f.transfers_in, f.transfers_out, f.treatment_starts, f.departures,
                        f.unseen, f.census_max, f.waiting_max)
                """
            #expect(try flow.table(wrong) == [])
        }

        @Test(arguments: seeds) func `the order of the log changes revisions and nothing else`(seed: UInt64) throws {
            let flow = try stream(seed)
            let digest = """
                SELECT (SELECT md5(string_agg(w::text, ' ' ORDER BY w::text)) FROM ops.expected_windows('{5,60}') AS w),
                    (SELECT md5(string_agg(v::text, ' ' ORDER BY v::text)) FROM ops.expected_visits() AS v)
                """
            let before = try flow.table(digest)
            try flow.execute("UPDATE silver.patient_flow_event SET source_offset = hashtext(event_id::text)")
            #expect(try flow.table(digest) == before)
        }
    }
}
