import Postgres
import Service
import Testing

extension OnAWard {
    /// news2.sql.
    struct EarlyWarningTests {
        /// Published vectors are not copied into the project: NEWS2_VECTORS names their file.
        private static let vectors = HostProcess.environment["NEWS2_VECTORS"] ?? ""

        @Test(arguments: [1, 2])
        func `the score of each patient's newest complete set, highest first`(scale: Int) throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.news2, ["spo2_scale": "\(scale)", "at_least": "0", "hours": "3"])
            var rows: [(score: Int, row: [Cell])] = []
            for (id, readings) in ward.byPatient(ward.window(hours: 3)) {
                guard let newest = readings.last(where: isComplete), let points = points(newest, scale) else {
                    continue
                }
                let score = points.reduce(0, +)
                rows.append(
                    (
                        score,
                        [.text(id), .time(newest.at), .integer(score), .text(risk(points))]
                            + points.map { .integer($0) }
                    ))
            }
            // Patients stay in the order of their ids within a score.
            let ordered = rows.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
            expect(
                answer,
                columns:
                    "patient_id recorded_at score risk respiration saturation oxygen systolic pulse "
                    + "consciousness temperature",
                rows: ordered.map(\.element.row))
            let urgent = try Psql.ask(.news2, ["spo2_scale": "\(scale)", "at_least": "2", "hours": "3"])
            #expect(urgent.rows == answer.rows.filter { Int($0[2]).map { $0 >= 2 } == true })
        }

        @Test func `values between the chart's steps are rounded as the chart prints them`() throws {
            let sets: [([Float], Int)] = [
                // Respiration, saturation, systolic, pulse, temperature: all 0 but what is named.
                ([20.4, 96, 120, 70, 37], 0), ([20.5, 96, 120, 70, 37], 2), ([16, 95.5, 120, 70, 37], 0),
                ([16, 95.4, 120, 70, 37], 1), ([16, 96, 110.4, 70, 37], 1), ([16, 96, 110.5, 70, 37], 0),
                ([16, 96, 120, 90.4, 37], 0), ([16, 96, 120, 90.5, 37], 1), ([16, 96, 120, 70, 38.04], 0),
                ([16, 96, 120, 70, 38.06], 1), ([16, 96, 120, 70, 35.04], 3), ([16, 96, 120, 70, 36.06], 0),
            ]
            let rows = sets.enumerated().map { number, set in
                let (values, score) = set
                return Vector(
                    number: number, values: [values[3], values[4], values[1], values[0], values[2], 60],
                    consciousness: "A",
                    oxygen: false, scale: 1, score: score, risk: score == 3 ? "low-medium" : "low")
            }
            try judge(rows, database: "rounding_db")
        }

        @Test(.enabled(if: FileSystem.fileExists(vectors)), arguments: [1, 2])
        func `published vectors score as expected`(scale: Int) throws {
            let lines = try FileSystem.readText(Self.vectors).split(whereSeparator: \.isNewline).map(Self.fields)
            let header = try #require(lines.first)
            var vectors: [Vector] = []
            for (number, line) in lines.dropFirst().enumerated() {
                let field = Dictionary(uniqueKeysWithValues: zip(header, line))
                func value(_ name: String) throws -> Float { try #require(field[name].flatMap(Float.init), "\(line)") }
                guard field["spo2_scale"] == "\(scale)" else { continue }
                vectors.append(
                    Vector(
                        number: number,
                        values: [
                            try value("pulse"), try value("temp_c"), try value("spo2"), try value("rr"),
                            try value("sbp"),
                            nil,
                        ], consciousness: try #require(field["acvpu"]), oxygen: field["on_oxygen"] == "1", scale: scale,
                        score: Int(try value("rcp_table_total")), risk: try #require(field["rcp_band"])))
            }
            #expect(vectors.count >= 20)
            try judge(vectors, database: "vectors_\(scale)_db")
        }

        /// A set of observations and what it must score.
        private struct Vector {
            var number: Int
            var values: [Float?]
            var consciousness: String
            var oxygen: Bool
            var scale: Int
            var score: Int
            var risk: String
        }

        private func judge(_ vectors: [Vector], database: String) throws {
            let server = try #require(WardServer.current)
            var scores: [String: String] = [:]
            let rows = vectors.map { vector -> [String?] in
                let digits = String(vector.number + 1, radix: 16)
                let id = "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
                scores[id] = "\(vector.score) \(vector.risk)"
                return [id, "2020-03-01T11:30:00Z"] + vector.values.map { $0.map { "\($0)" } }
                    + [vector.consciousness, vector.oxygen ? "t" : "f", "0", "0", "\(vector.number)", nil]
            }
            try server.makeDatabase(database) { connection in
                try WardFiller(ward: server.ward).copy(&connection, "silver.vital_reading", rows)
            }
            let answer = try Psql.run(
                server.server.connectionURL(database: database), file: Question.news2.path,
                [
                    "until": "2020-03-01T12:00:00Z", "at_least": "0", "rows": "all",
                    "spo2_scale": "\(vectors.first?.scale ?? 1)",
                ])
            #expect(answer.rows.count == vectors.count)
            for row in answer.rows { #expect(scores[row[0]] == "\(row[2]) \(row[3])", "\(row)") }
        }

        /// The fields of a line of CSV.
        private static func fields(_ line: Substring) -> [String] {
            var fields = [""]
            var isQuoted = false
            for character in line {
                switch character {
                case "\"": isQuoted.toggle()
                case "," where !isQuoted: fields.append("")
                default: fields[fields.count - 1].append(character)
                }
            }
            return fields
        }

        private func isComplete(_ reading: StoredReading) -> Bool {
            reading.vitals[0...4].allSatisfy { $0 != nil } && reading.consciousness != nil && reading.oxygen != nil
        }

        /// Chart 1, read from the edges inwards: steps are the first values of the next score.
        private func points(_ reading: StoredReading, _ scale: Int) -> [Int]? {
            guard let pulse = reading[.heartRate], let temperature = reading[.temperature],
                let saturation = reading[.oxygenSaturation], let respiration = reading[.respiratoryRate],
                let systolic = reading[.systolicPressure], let oxygen = reading.oxygen
            else { return nil }
            func score(_ value: Float, _ steps: [(from: Float, points: Int)], below: Int) -> Int {
                steps.last { value >= $0.from }?.points ?? below
            }
            let whole = saturation.rounded()
            let two =
                whole >= 93 && !oxygen
                ? 0 : score(whole, [(84, 2), (86, 1), (88, 0), (93, 1), (95, 2), (97, 3)], below: 3)
            return [
                score(respiration.rounded(), [(9, 1), (12, 0), (21, 2), (25, 3)], below: 3),
                scale == 1 ? score(whole, [(92, 2), (94, 1), (96, 0)], below: 3) : two,
                oxygen ? 2 : 0,
                score(systolic.rounded(), [(91, 2), (101, 1), (111, 0), (220, 3)], below: 3),
                score(pulse.rounded(), [(41, 1), (51, 0), (91, 1), (111, 2), (131, 3)], below: 3),
                reading.consciousness == "A" ? 0 : 3,
                score((temperature * 10).rounded(), [(351, 1), (361, 0), (381, 1), (391, 2)], below: 3),
            ]
        }

        private func risk(_ points: [Int]) -> String {
            let score = points.reduce(0, +)
            return score >= 7 ? "high" : score >= 5 ? "medium" : points.contains(3) ? "low-medium" : "low"
        }
    }
}
