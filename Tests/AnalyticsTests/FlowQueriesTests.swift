import Service
import Testing

extension OnAFlowServer {
    /// Files about patient flow, over a day whose answers were worked out by hand.
    ///
    /// ```
    ///  UTC    20:00    22:30       2:30      6:00      9:00  10:00  10:30     11:00, now
    ///  e  ed  |waiting, gone unseen at 23:30
    ///  a  ed           |treated at 22:50
    ///                              |gone, after 240 minutes
    ///  b  ed                                 |treated at 6:30, a boarder since 10:30 .......
    ///  g  hall                                         |waiting ...........................
    ///  c  ed                                                  |treated at 10:40
    ///     ward                                                            |since 10:50 ....
    ///  d  ed                                                         |waiting .............
    /// ```
    struct FlowQueriesTests {
        private static let day = """
            f 03-01_10:00 arrival ed acuity=1
            f 03-01_15:00 departure ed
            e 03-01_20:00 arrival ed acuity=5
            a 03-01_22:30 arrival ed acuity=3
            a 03-01_22:50 treatment_start ed
            e 03-01_23:30 left_without_being_seen ed
            a 02:30 departure ed
            b 06:00 arrival ed acuity=2
            b 06:30 treatment_start ed
            g 09:00 arrival hall
            c 10:00 arrival ed acuity=4
            d 10:30 arrival ed acuity=5
            c 10:40 treatment_start ed
            c 10:50 transfer ed >ward
            d 11:00 triage ed
            """

        private static let predictions = """
            INSERT INTO silver.facility VALUES ('north', 'Europe/Amsterdam');
            INSERT INTO silver.sector_capacity VALUES
                ('north', 'ed', '2026-01-01', 4), ('north', 'ward', '2026-01-01', 30),
                ('north', 'ward', '2026-02-01', 20), ('south', 'ed', '2026-01-01', 99);
            INSERT INTO gold.wait_prediction (facility_id, model_version, visit_id, sector_id, prediction_ts, kind,
                predicted_minutes, lower50, upper50, lower80, upper80, lower90, upper90)
            SELECT 'north', '1', p.* FROM (VALUES
                ('a', 'ed', timestamptz '2026-03-01 22:30Z', 'arrival', 25, 18, 24, 10, 40, 5, 50),
                ('b', 'ed', '2026-03-02 06:00Z', 'arrival', 20, 15, 25, 12, 29, 10, 29),
                ('c', 'ed', '2026-03-02 10:00Z', 'arrival', 45, 41, 50, 35, 60, 30, 70),
                ('d', 'ed', '2026-03-02 10:30Z', 'arrival', 35, 30, 40, 20, 60, 10, 90),
                ('d', 'ed', '2026-03-02 10:55Z', 'refresh', 38, 30, 40, 28, 60, 26, 80)) AS p;
            INSERT INTO gold.prediction_outcome (facility_id, model_version, visit_id, sector_id, prediction_ts, kind,
                predicted_minutes, actual_minutes, error_minutes, inside90)
            SELECT p.facility_id, p.model_version, p.visit_id, p.sector_id, p.prediction_ts, p.kind,
                p.predicted_minutes, v.wait_minutes, p.predicted_minutes - v.wait_minutes,
                v.wait_minutes BETWEEN p.lower90 AND p.upper90
            FROM gold.wait_prediction AS p JOIN silver.patient_visit AS v USING (facility_id, visit_id)
            WHERE v.wait_minutes IS NOT NULL;
            INSERT INTO gold.sector_forecast
            SELECT 'north', 'ed', f.at, f.a1, f.al, f.au, f.a4, 0, 2, 9, 8, 10, f.o1, f.ol, f.ou, 3, 2, 4, 9, 8, 10, '1'
            FROM (VALUES
                (timestamptz '2026-03-02 09:00Z', 1.5, 0, 3, 9, 2, 1, 3),
                ('2026-03-02 06:20Z', 2, 1, 3, 1, 1, 1, 1)) AS f (at, a1, al, au, a4, o1, ol, ou);
            """

        private func ask(_ question: String, _ variables: [String: String] = [:]) throws -> Answer {
            let flow = try FlowDatabase(Self.day)
            try flow.store()
            try flow.execute(Self.predictions)
            let answer = try Psql.run(flow.url, file: question, variables, options: "-c role=vitalstream_analyst")
            #expect(answer.errors == "")
            return answer
        }

        @Test func `the board shows each sector now`() throws {
            let answer = try ask(Question.flowBoard.path)
            #expect(
                answer.columns.joined(separator: " ")
                    == "facility_id sector_id at present waiting in_treatment boarding longest_wait arrived started "
                    + "gone capacity occupancy predicted_wait lower90 upper90")
            #expect(
                answer.rows.map { $0.joined(separator: "|") } == [
                    // c came at 10:00, an hour ago to the minute.
                    "north|ed|2026-03-02 11:00:00+00|2|1|1|1|30.0|1|1|0|4|0.50|35.0|10.0|90.0",
                    "north|hall|2026-03-02 11:00:00+00|1|1|0|0|120.0|0|0|0|||||",
                    "north|ward|2026-03-02 11:00:00+00|1|0|1|0||0|0|0|20|0.05|||",
                ])
            #expect(
                try ask(Question.flowBoard.path, ["facility": "south"]).reason
                    == "Nobody has reported any patient flow in facility south.")
        }

        @Test func `today begins at the facility's own midnight`() throws {
            let answer = try ask(Question.flowToday.path)
            #expect(
                zip(answer.column("sector_id"), answer.column("local_hour")).map { "\($0) \($1)" } == [
                    "ed 00:00", "ed 01:00", "ed 02:00", "ed 03:00", "ed 07:00", "ed 08:00", "ed 09:00", "ed 10:00",
                    "ed 11:00", "ed 12:00", "hall 10:00", "hall 11:00", "hall 12:00", "ward 11:00", "ward 12:00",
                ])
            #expect(
                answer.columns.joined(separator: " ")
                    == "facility_id sector_id local_hour arrivals started departed unseen census_mean census_max "
                    + "waiting_max boarding wait_p50 wait_p90 longest_wait four_hours")
            // a all the time, e for half of it; then c and d come and c is treated and leaves for the ward.
            #expect(answer.rows.first?.joined(separator: "|") == "north|ed|00:00|0|0|0|1|1.5|2|1|0||||1.000")
            #expect(answer.rows[8].joined(separator: "|") == "north|ed|11:00|2|1|0|0|2.3|3|2|1|40.0|40.0|30.0|")
        }

        @Test func `four hours are counted by the facility's own day`() throws {
            let answer = try ask(Question.fourHours.path)
            #expect(
                answer.columns.joined(separator: " ")
                    == "facility_id local_day gone within share unseen stay_p50 stay_p90")
            #expect(
                answer.rows.map { $0.joined(separator: "|") } == [
                    "north|2026-03-02|2|2|1.000|1|210.0|240.0", "north|2026-03-01|1|0|0.000|0|300.0|300.0",
                ])
            #expect(try ask(Question.fourHours.path, ["days": "1"]).rows.count == 1)
        }

        @Test func `the longest waits come first, each with its newest prediction`() throws {
            let answer = try ask(Question.longestWaits.path)
            #expect(
                answer.columns.joined(separator: " ")
                    == "facility_id sector_id visit_id acuity arrival_at waited predicted lower90 upper90 predicted_at")
            #expect(
                answer.rows.map { $0.joined(separator: "|") } == [
                    "north|hall|g||2026-03-02 09:00:00+00|120.0||||",
                    "north|ed|d|5|2026-03-02 10:30:00+00|30.0|38.0|26.0|80.0|2026-03-02 10:55:00+00",
                ])
            #expect(try ask(Question.longestWaits.path, ["rows": "1"]).column("visit_id") == ["g"])
        }

        @Test func `crowding is NEDOCS where beds are known, of sectors that patients arrive at`() throws {
            let answer = try ask(Question.crowding.path)
            #expect(
                answer.columns.joined(separator: " ")
                    == "facility_id sector_id at nedocs level present beds boarding hospital_beds longest_boarding_h "
                    + "last_wait_h")
            // -20 + 85.8 · 2/4 + 600 · 1/24 + 0.93 · 0.5 + 5.64 · 40/60
            #expect(
                answer.rows.map { $0.joined(separator: "|") } == [
                    "north|ed|2026-03-02 11:00:00+00|52.1|busy|2|4|1|24|0.50|0.67",
                    "north|hall|2026-03-02 11:00:00+00|||1||0|24|0.00|0.00",
                ])
        }

        // -20 + 42.9 + 4 + 13.4 + 5.58 + 2.82
        @Test(arguments: [
            ("10, 20, 2, 300, 1, 6, 0.5", "48.7"), ("0, 20, 0, 300, 0, 0, 0", "-20.0"), ("9, 0, 0, 300, 0, 0, 0", "-"),
            ("9, 20, 0, NULL, 0, 0, 0", "-"),
        ])
        func `NEDOCS by hand`(parts: String, score: String) throws {
            #expect(try FlowDatabase().table("SELECT round(gold.nedocs(\(parts))::numeric, 1)") == [score])
        }

        @Test func `NEDOCS has six names`() throws {
            let names = "SELECT DISTINCT gold.nedocs_level(s) FROM generate_series(-20, 200, 20) AS s"
            #expect(try FlowDatabase().table("SELECT count(*) FROM (\(names)) AS n") == ["6"])
            let ends = "SELECT gold.nedocs_level(20), gold.nedocs_level(180.1), gold.nedocs_level(NULL)"
            #expect(try FlowDatabase().table(ends) == ["not busy dangerously overcrowded -"])
        }

        @Test func `predictions are scored by day and over seven days`() throws {
            let answer = try ask(Question.predictionQuality.path)
            #expect(
                answer.columns.joined(separator: " ")
                    == "facility_id sector_id day n mae bias within50 within80 within90 mae_7d bias_7d within90_7d")
            // Waits of 20, 30 and 40 minutes, predicted as 25, 20 and 45.
            #expect(
                answer.rows.map { $0.joined(separator: "|") } == [
                    "north|ed|2026-03-02|2|7.50|-2.50|0.000|0.500|0.500|6.67|0.00|0.667",
                    "north|ed|2026-03-01|1|5.00|5.00|1.000|1.000|1.000|5.00|5.00|1.000",
                ])
            #expect(try ask(Question.predictionQuality.path, ["kind": "refresh"]).reason != nil)
        }

        @Test func `forecasts are held against the hour they were made for, once it is over`() throws {
            let answer = try ask(Question.forecastQuality.path)
            #expect(
                answer.columns.joined(separator: " ")
                    == "facility_id sector_id day hours n arrivals_mae arrivals_bias arrivals_within90 occupancy_mae "
                    + "occupancy_bias occupancy_within90")
            // Hour 1 of 6:20 and of 9:00: nobody came where 2 and 1.5 were said. Hour 4 of 6:20 begins at 9:20.
            #expect(
                answer.rows.map { $0.joined(separator: "|") } == [
                    "north|ed|2026-03-02|1|2|1.75|1.75|0.500|0.50|0.50|1.000",
                    "north|ed|2026-03-02|4|1|0.00|0.00|1.000|1.00|1.00|1.000",
                ])
        }

        /// Of 100 patients each, 50 and then 10 had acuity 4, the others 3; errors went from 0 to 5 minutes.
        @Test func `drift is what the stability index and the shift say`() throws {
            let flow = try FlowDatabase("a 03-20_00:00 arrival ed")
            try flow.store()
            try flow.execute(
                """
                INSERT INTO gold.wait_prediction (facility_id, model_version, visit_id, sector_id, acuity,
                    prediction_ts, kind, predicted_minutes, lower50, upper50, lower80, upper80, lower90, upper90)
                SELECT 'north', '1', 'v' || n, 'ed', CASE WHEN n % 100 < CASE WHEN n < 100 THEN 50 ELSE 10 END
                        THEN 4 ELSE 3 END,
                    CASE WHEN n < 100 THEN timestamptz '2026-03-01 12:00Z' ELSE '2026-03-18 12:00Z' END,
                    'arrival', 30, 0, 0, 0, 0, 0, 0
                FROM generate_series(0, 199) AS n;
                INSERT INTO gold.prediction_outcome (facility_id, model_version, visit_id, sector_id, acuity,
                    prediction_ts, kind, predicted_minutes, actual_minutes, error_minutes, inside90)
                SELECT facility_id, model_version, visit_id, sector_id, acuity, prediction_ts, kind, 30,
                    CASE WHEN prediction_ts < '2026-03-10' THEN 30 ELSE 25 END,
                    CASE WHEN prediction_ts < '2026-03-10' THEN 0 ELSE 5 END, true
                FROM gold.wait_prediction
                """)
            let answer = try Psql.run(flow.url, file: Question.predictionDrift.path)
            #expect(
                answer.columns.joined(separator: " ")
                    == "facility_id feature earlier recent earlier_mean recent_mean shift psi")
            // Of acuity 0.396 · ln(0.5/0.104) + 0.396 · ln(0.896/0.5); of waits 2 · 0.990 · ln(0.995/0.005).
            #expect(
                answer.rows.map { $0.joined(separator: "|") } == [
                    "north|actual_minutes|100|100|30.00|25.00|-5.00|10.5016",
                    "north|acuity|100|100|3.50|3.10|-0.40|0.8531",
                    "north|error_minutes|100|100|0.00|5.00|5.00|0.0000",
                    "north|hour_of_day|100|100|12.00|12.00|0.00|0.0000",
                    "north|predicted_minutes|100|100|30.00|30.00|0.00|0.0000",
                ])
        }
    }
}
