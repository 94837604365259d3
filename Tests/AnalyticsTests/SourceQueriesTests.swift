import Service
import Testing

extension OnAWard {
    /// Files about where readings come from and what is odd about them.
    struct SourceQueriesTests {
        @Test(arguments: [6, 24])
        func `volume per facility and sector`(hours: Int64) throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.facilityVolume, ["hours": "\(hours)"])
            let groups = Dictionary(grouping: ward.window(hours: hours)) { reading in
                let origin = ward.origin(of: reading)
                return [origin.facility, origin.sector]
            }
            let rows = groups.sorted { isBefore($0.key, $1.key) }.map { place, readings -> [Cell] in
                [
                    .text(place[0]), .text(place[1]), .integer(readings.count),
                    .rounded(Double(readings.count) / Double(60 * hours), places: 2),
                    .integer(Set(readings.map(\.patient)).count),
                    .integer(Set(readings.compactMap { ward.origin(of: $0).device }).count),
                    .time(readings.map(\.at).max()),
                ]
            }
            expect(
                answer, columns: "facility_id sector_id readings per_minute patients devices latest_at", rows: rows)
        }

        @Test(arguments: [6, 24])
        func `suspect values per vital sign and facility`(hours: Int64) throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.suspectValues, ["hours": "\(hours)"])
            var rows: [[Cell]] = []
            for vital in Vital.allCases {
                let odd = ward.window(hours: hours).filter { $0.suspect & 1 << vital.rawValue != 0 }
                let groups = Dictionary(grouping: odd) { [ward.origin(of: $0).facility] }
                rows += groups.sorted { isBefore($0.key, $1.key) }.map { facility, readings in
                    [
                        .text(vital.column), .text(facility[0]), .integer(readings.count),
                        .integer(Set(readings.map(\.patient)).count),
                        .integer(Set(readings.compactMap(\.origin)).count),
                        .real(readings.compactMap { $0[vital] }.min()), .real(readings.compactMap { $0[vital] }.max()),
                        .time(readings.map(\.at).max()),
                    ]
                }
            }
            expect(
                answer, columns: "vital facility_id suspect_values patients devices lowest highest latest_at",
                rows: rows)
        }

        @Test func `corrections by device and hour, of a reading that is gone too`() throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.corrections)
            let recent = ward.corrections.filter { $0.at >= Ward.anchor - Ward.day && $0.at < Ward.anchor }
            let groups = Dictionary(grouping: recent) { correction -> [String?] in
                let reading = ward.readings.first { $0.patient == correction.patient && $0.at == correction.at }
                let origin = reading.map { ward.origin(of: $0) } ?? Origin()
                return [
                    ShownTime.text(correction.at / Ward.hour * Ward.hour), origin.facility, origin.sector,
                    origin.device,
                ]
            }
            let rows = groups.sorted { isBefore($0.key, $1.key) }.map { place, corrections -> [Cell] in
                place.map { .text($0) }
                    + [.integer(corrections.count), .integer(Set(corrections.map(\.patient)).count)]
                    + Vital.allCases.map { vital in .integer(corrections.count { $0.vitals[vital.rawValue] != nil }) }
                    + [.integer(0), .integer(0)]
            }
            let vitals = Vital.allCases.map(\.column).joined(separator: " ")
            expect(
                answer,
                columns:
                    "hour facility_id sector_id device_id corrections patients \(vitals) "
                    + "consciousness supplemental_oxygen",
                rows: rows)
            #expect(recent.count > 30)
        }

        @Test(arguments: [1, 6])
        func `readings that came after newer ones of their partition`(hours: Int64) throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.lateArrivals, ["hours": "\(hours)"])
            var rows: [[Cell]] = []
            let partitions = Dictionary(grouping: ward.window(hours: hours), by: \.partition)
            for (partition, readings) in partitions.sorted(by: { $0.key < $1.key }) {
                var newest = Int64.min
                var behind: [Int64] = []
                for reading in readings.sorted(by: { $0.offset < $1.offset }) {
                    newest = max(newest, reading.at)
                    behind.append(newest - reading.at)
                }
                guard let most = behind.max(), most > 0 else { continue }
                rows.append(
                    [.integer(partition), .integer(readings.count)]
                        + [0, 1_000, 60_000, 600_000].map { least in .integer(behind.count { $0 > least }) }
                        + [.rounded(Double(most) / 1_000, places: 3)])
            }
            expect(
                answer,
                columns: "source_partition readings late over_1_second over_1_minute over_10_minutes most_seconds",
                rows: rows)
        }

        /// The server's order: nulls last.
        private func isBefore(_ left: [String?], _ right: [String?]) -> Bool {
            for (one, other) in zip(left, right) where one != other {
                guard let one else { return false }
                guard let other else { return true }
                return one < other
            }
            return false
        }
    }
}
