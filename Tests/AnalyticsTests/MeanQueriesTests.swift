import Service
import Testing

extension OnAWard {
    /// Files that compute from vital signs over time.
    struct MeanQueriesTests {
        private let columns =
            "readings heart_rate heart_rates temperature temperatures oxygen_saturation oxygen_saturations "
            + "respiratory_rate respiratory_rates systolic_pressure systolic_pressures diastolic_pressure "
            + "diastolic_pressures"

        @Test(arguments: [6, 24])
        func `hourly means of all patients, with the number of values behind each`(hours: Int64) throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.hourlyMeans, ["hours": "\(hours)"])
            let groups = Dictionary(grouping: ward.window(hours: hours)) { $0.at / Ward.hour }
            let rows = groups.sorted { $0.key < $1.key }.map { [.time($0.key * Ward.hour)] + means($0.value) }
            expect(answer, columns: "hour \(columns)", rows: rows)
            #expect(answer.title.hasPrefix("Hourly means of all patients"))
        }

        @Test func `hourly means of one patient, in another time zone`() throws {
            let ward = try #require(WardServer.current).ward
            // Half an hour off, so that hours begin elsewhere.
            let answer = try Psql.ask(.hourlyMeans, ["patient": ward.patients[6], "zone": "Asia/Kolkata"])
            let half = Ward.hour / 2
            let groups = Dictionary(grouping: ward.window(hours: 6).filter { $0.patient == 6 }) {
                ($0.at - half) / Ward.hour
            }
            let rows = groups.sorted { $0.key < $1.key }.map { key, readings in
                let shown = ShownTime.text(key * Ward.hour + half + 11 * half).replacing("+00", with: "+05:30")
                return [.text(shown)] + means(readings)
            }
            expect(answer, columns: "hour \(columns)", rows: rows)
        }

        @Test func `daily means of one patient and of all`() throws {
            let ward = try #require(WardServer.current).ward
            for patient in [12, nil] {
                let some = ward.window(from: Ward.anchor - 7 * Ward.day)
                let groups = Dictionary(grouping: some.filter { patient == nil || $0.patient == patient }) {
                    ShownTime.day($0.at)
                }
                let answer = try Psql.ask(.dailyMeans, ["patient": patient.map { ward.patients[$0] } ?? "all"])
                let rows = groups.sorted { $0.key < $1.key }.map { [.text($0.key)] + means($0.value) }
                expect(answer, columns: "day \(columns)", rows: rows)
                #expect(answer.rows.count == 8)
            }
        }

        @Test(arguments: [Vital.heartRate, .temperature])
        func `the steepest changes of a vital sign`(vital: Vital) throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.rateOfChange, ["vital": vital.column, "rows": "all", "hours": "3"])
            #expect(
                answer.columns == ["patient_id", "from_at", "to_at", "from_value", "to_value", "change_per_minute"])
            var expected: [String: [Cell]] = [:]
            for (id, readings) in ward.byPatient(ward.window(hours: 3)) {
                let valued = readings.compactMap { reading in reading[vital].map { (reading.at, $0) } }
                for ((before, old), (after, new)) in zip(valued, valued.dropFirst())
                where old != new && after - before >= 10_000 {
                    let rate = (Double(new) - Double(old)) * 60_000 / Double(after - before)
                    expected["\(id) \(ShownTime.text(after))"] = [
                        .text(id), .time(before), .time(after), .real(old), .real(new), .rounded(rate, places: 2),
                    ]
                }
            }
            #expect(answer.rows.count == expected.count)
            for row in answer.rows {
                let wanted = try #require(expected["\(row[0]) \(row[2])"])
                #expect(zip(wanted, row).allSatisfy { $0.matches($1) }, "\(row) is not \(wanted)")
            }
            let steepness = answer.rows.compactMap { Double($0[5]) }.map(abs)
            #expect(steepness == steepness.sorted(by: >))
            #expect(
                try Psql.ask(.rateOfChange, ["vital": vital.column, "hours": "3"]).rows == Array(answer.rows.prefix(20))
            )
        }

        @Test(arguments: [(91, 10, 30), (95, 5, 10)])
        func `runs of low saturation`(limit: Int, minutes: Int, gapMinutes: Int) throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(
                .sustainedLowSaturation,
                ["at_most": "\(limit)", "minutes": "\(minutes)", "gap_minutes": "\(gapMinutes)"])
            let runs = runs(ward, .oxygenSaturation, minutes, gapMinutes) { $0 <= Float(limit) }
            expect(
                answer, columns: "patient_id first_low last_low minutes readings lowest mean",
                rows: runs.map { run in
                    head(run) + [.real(run.values.min()), .rounded(run.values.mean, places: 1)]
                })
        }

        @Test func `a run of exactly the asked length counts, an absent value does not end it, a long silence does`()
            throws
        {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.sustainedLowSaturation)
            let mine = answer.rows.filter { $0[0] == ward.patients[0] }.map { $0[1...4].joined(separator: " ") }
            let start = Ward.anchor - 290 * Ward.minute
            let late = Ward.anchor - 200 * Ward.minute
            #expect(
                mine == [
                    "\(ShownTime.text(late)) \(ShownTime.text(late + 50 * Ward.minute)) 50.0 3",
                    "\(ShownTime.text(start)) \(ShownTime.text(start + 10 * Ward.minute)) 10.0 2",
                ])
        }

        @Test(arguments: [("38.1", 60, 120), ("38.1", 50, 200), ("37.5", 10, 20)])
        func `runs of fever`(limit: String, minutes: Int, gapMinutes: Int) throws {
            let ward = try #require(WardServer.current).ward
            let least = try #require(Float(limit))
            let answer = try Psql.ask(
                .sustainedFever, ["at_least": limit, "minutes": "\(minutes)", "gap_minutes": "\(gapMinutes)"])
            let runs = runs(ward, .temperature, minutes, gapMinutes) { $0 >= least }
            expect(
                answer, columns: "patient_id first_at last_at minutes readings highest mean",
                rows: runs.map { run in
                    head(run) + [.real(run.values.max()), .rounded(run.values.mean, places: 2)]
                })
        }

        @Test(arguments: ["0.9", "0"])
        func `pulse pressure and shock index, highest first`(least: String) throws {
            let ward = try #require(WardServer.current).ward
            let threshold = try #require(Double(least))
            let answer = try Psql.ask(.pulsePressureShockIndex, ["shock_index": least])
            var rows: [(index: Double, row: [Cell])] = []
            for (id, readings) in ward.byPatient(ward.window(hours: 1)) {
                let indices = readings.compactMap { reading -> Float? in
                    guard let systolic = reading[.systolicPressure], systolic != 0 else { return nil }
                    return reading[.heartRate].map { $0 / systolic }
                }
                let pulses = readings.compactMap { reading in
                    reading[.systolicPressure].flatMap { systolic in reading[.diastolicPressure].map { systolic - $0 } }
                }
                guard let mean = indices.mean, mean >= threshold else { continue }
                rows.append(
                    (
                        mean,
                        [
                            .text(id), .integer(indices.count), .rounded(mean, places: 2),
                            .rounded(indices.max().map(Double.init), places: 2), .rounded(pulses.mean, places: 1),
                            .rounded(pulses.min().map(Double.init), places: 1),
                        ]
                    ))
            }
            expect(
                answer,
                columns:
                    "patient_id readings mean_shock_index highest_shock_index mean_pulse_pressure "
                    + "lowest_pulse_pressure",
                rows: rows.sorted { $0.index > $1.index }.map(\.row))
            #expect(answer.column("patient_id").first == ward.patients[7])
        }

        private func means(_ readings: [StoredReading]) -> [Cell] {
            [.integer(readings.count)]
                + Vital.allCases.flatMap { vital -> [Cell] in
                    let values = readings.compactMap { $0[vital] }
                    return [.rounded(values.mean, places: vital == .temperature ? 2 : 1), .integer(values.count)]
                }
        }

        private struct Run {
            var id: String
            var first: Int64
            var last: Int64
            var values: [Float]
        }

        private func head(_ run: Run) -> [Cell] {
            [
                .text(run.id), .time(run.first), .time(run.last),
                .rounded(Double(run.last - run.first) / 60_000, places: 1),
                .integer(run.values.count),
            ]
        }

        /// One reading after the other, as a nurse would follow them.
        private func runs(
            _ ward: Ward, _ vital: Vital, _ minutes: Int, _ gapMinutes: Int, _ counts: (Float) -> Bool
        ) -> [Run] {
            var runs: [Run] = []
            for (id, readings) in ward.byPatient(ward.window(hours: 6)) {
                var open: Run?
                for reading in readings {
                    guard let value = reading[vital] else { continue }
                    if let run = open, !counts(value) || reading.at - run.last > Int64(gapMinutes) * Ward.minute {
                        runs.append(run)
                        open = nil
                    }
                    guard counts(value) else { continue }
                    if open == nil { open = Run(id: id, first: reading.at, last: reading.at, values: []) }
                    open?.last = reading.at
                    open?.values.append(value)
                }
                if let open { runs.append(open) }
            }
            return runs.filter { $0.last - $0.first >= Int64(minutes) * Ward.minute }
                .sorted { ($1.last - $1.first, $0.id, $0.first) < ($0.last - $0.first, $1.id, $1.first) }
        }
    }
}
