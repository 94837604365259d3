import Postgres
import Service
import Testing

extension OnAWard {
    /// Files that list readings and patients as they are stored.
    struct PatientQueriesTests {
        private let vitals = Vital.allCases.map(\.column).joined(separator: " ")

        @Test func `the query of health_records answers to the letter, for the last hour of the wall clock`() throws {
            let server = try #require(WardServer.current)
            // A database of its own, since these readings move with the clock. The edges are a minute away.
            let name = "now_db"
            var expected: [String: [Float]] = [:]
            try server.makeDatabase(name) { connection in
                let now = try connection.query("SELECT (extract(epoch FROM now()) * 1000)::bigint").int64(0, 0)
                var readings: [StoredReading] = []
                for patient in 0..<4 {
                    for minutes in [1, 7, 58, 59, 62, 90, 1_500] as [Int64] {
                        var reading = StoredReading(patient: patient, at: now - minutes * Ward.minute, vitals: [])
                        reading.vitals = [Float(60 + minutes), 37.5, patient == 2 ? nil : 95, nil, nil, nil]
                        readings.append(reading)
                        if minutes < 60, patient < 3 {
                            expected[server.ward.patients[patient], default: []].append(Float(60 + minutes))
                        }
                    }
                }
                readings.removeAll { $0.patient == 3 && $0.at > now - Ward.hour }
                let filler = WardFiller(ward: server.ward)
                try connection.execute("SELECT silver.make_partitions(current_date - 3, current_date + 1)")
                try filler.copy(&connection, "silver.vital_reading", readings.map(filler.row))
            }
            let answer = try Psql.run(
                server.server.connectionURL(database: name), file: Question.lastHourAverages.path)
            #expect(answer.title == "Averages per patient over the last hour")
            #expect(
                answer.columns.joined(separator: " ")
                    == "patient_id avg_heart_rate avg_temperature avg_oxygen total_readings")
            #expect(Set(answer.column("patient_id")) == Set(expected.keys))
            for row in answer.rows {
                let rates = try #require(expected[row[0]])
                #expect(Double(row[1]) == rates.mean)
                #expect(Double(row[2]) == 37.5)
                #expect(row[3] == (row[0] == server.ward.patients[2] ? "" : "95"))
                #expect(row[4] == "\(rates.count)")
            }
        }

        @Test func `the query of health_records stands in its file as in the contract`() throws {
            let text = try FileSystem.readText(Question.lastHourAverages.path)
            #expect(
                text.contains(
                    """
                    SELECT patient_id, AVG(heart_rate) as avg_heart_rate, AVG(temperature) as avg_temperature,
                           AVG(oxygen_saturation) as avg_oxygen, COUNT(*) as total_readings
                    FROM health_records
                    WHERE timestamp >= extract(epoch from now() - interval '1 hour') * 1000
                    GROUP BY patient_id;

                    """))
        }

        @Test(arguments: [2, 24])
        func `the last reading of each patient`(hours: Int64) throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.lastReadings, ["hours": "\(hours)"])
            let rows = ward.byPatient(ward.window(hours: hours)).compactMap { patient in
                patient.readings.last.map {
                    [.text(patient.id), .time($0.at)] + values($0) + from(ward.origin(of: $0))
                }
            }
            expect(
                answer,
                columns:
                    "patient_id recorded_at \(vitals) consciousness supplemental_oxygen facility_id "
                    + "sector_id device_id",
                rows: rows)
            let few = try Psql.ask(.lastReadings, ["hours": "\(hours)", "rows": "3"])
            #expect(few.rows == Array(answer.rows.prefix(3)))
            #expect(try Psql.ask(.lastReadings, ["hours": "\(hours)", "rows": "all"]).rows == answer.rows)
        }

        @Test(arguments: [0, 5, 7])
        func `a patient's readings, newest first`(patient: Int) throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.patientReadings, ["patient": ward.patients[patient], "rows": "all"])
            let rows = ward.window(hours: 6).reversed().filter { $0.patient == patient }.map { reading in
                [.time(reading.at)] + values(reading) + [.integer(reading.suspect)] + from(ward.origin(of: reading))
            }
            expect(
                answer,
                columns:
                    "recorded_at \(vitals) consciousness supplemental_oxygen suspect facility_id sector_id device_id",
                rows: rows)
            #expect(answer.title.hasPrefix("Readings of patient \(ward.patients[patient]), 2020-03-01 06:00:00 to "))
        }

        @Test func `without a patient the first of the time asked for is taken`() throws {
            let ward = try #require(WardServer.current).ward
            let first = try #require(ward.byPatient(ward.window(hours: 6)).first?.id)
            #expect(try Psql.ask(.patientReadings).title.hasPrefix("Readings of patient \(first)"))
            #expect(try Psql.ask(.dailyMeans).title.hasPrefix("Daily means of patient "))
        }

        @Test(arguments: [15, 8])
        func `gaps in a patient's series, the one that lasts included`(minutes: Int64) throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.seriesGaps, ["patient": ward.patients[4], "minutes": "\(minutes)"])
            expect(
                answer, columns: "patient_id last_before first_after minutes lasts",
                rows: gaps(ward, of: ward.patients[4], minutes: minutes))
            let silent = try Psql.ask(.seriesGaps, ["patient": ward.patients[2], "minutes": "\(minutes)"])
            expect(
                silent, columns: "patient_id last_before first_after minutes lasts",
                rows: gaps(ward, of: ward.patients[2], minutes: minutes))
            #expect(silent.column("lasts").last == "t")
            let everybody = try Psql.ask(.seriesGaps, ["patient": "all", "minutes": "\(minutes)"])
            let all = ward.byPatient(ward.window(hours: 24)).flatMap { gaps(ward, of: $0.id, minutes: minutes) }
            expect(everybody, columns: "patient_id last_before first_after minutes lasts", rows: all)
        }

        @Test func `a gap of exactly the asked length counts, a millisecond less does not`() throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.seriesGaps, ["patient": ward.patients[4], "minutes": "15", "hours": "2"])
            #expect(answer.column("last_before").first == ShownTime.text(Ward.anchor - 2 * Ward.hour))
            #expect(!answer.column("last_before").contains(ShownTime.text(Ward.anchor - 105 * Ward.minute)))
        }

        @Test(arguments: [15, 60])
        func `who fell silent, longest first`(minutes: Int64) throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.silentPatients, ["minutes": "\(minutes)"])
            var silent: [(at: Int64, id: String, row: [Cell])] = []
            for (id, readings) in ward.byPatient(ward.window(hours: 24)) {
                guard let last = readings.last, last.at <= Ward.anchor - minutes * Ward.minute else { continue }
                let silence = Double(Ward.anchor - last.at) / 60_000
                silent.append(
                    (
                        last.at, id,
                        [.text(id), .time(last.at), .rounded(silence, places: 1)] + from(ward.origin(of: last))
                    ))
            }
            expect(
                answer, columns: "patient_id last_at silent_minutes facility_id sector_id device_id",
                rows: silent.sorted { ($0.at, $0.id) < ($1.at, $1.id) }.map(\.row))
        }

        private func values(_ reading: StoredReading) -> [Cell] {
            reading.vitals.map { .real($0) } + [
                .text(reading.consciousness), .text(reading.oxygen.map { $0 ? "t" : "f" }),
            ]
        }

        private func from(_ origin: Origin) -> [Cell] {
            [.text(origin.facility), .text(origin.sector), .text(origin.device)]
        }

        private func gaps(_ ward: Ward, of id: String, minutes: Int64) -> [[Cell]] {
            let times = ward.window(hours: 24).filter { ward.patients[$0.patient] == id }.map(\.at)
            var rows: [[Cell]] = []
            for (index, at) in times.enumerated() {
                let next = index + 1 < times.count ? times[index + 1] : nil
                let length = (next ?? Ward.anchor) - at
                guard length >= minutes * Ward.minute else { continue }
                rows.append([
                    .text(id), .time(at), .time(next), .rounded(Double(length) / 60_000, places: 1),
                    .text(next == nil ? "t" : "f"),
                ])
            }
            return rows
        }
    }
}
