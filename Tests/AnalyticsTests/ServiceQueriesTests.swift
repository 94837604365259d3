import Service
import Testing

extension OnAWard {
    /// Files about the service's own books.
    struct ServiceQueriesTests {
        @Test(arguments: [nil, "vitals", "patient-flow"])
        func `dead letters by reason and hour`(topic: String?) throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.deadLetters, topic.map { ["topic": $0] } ?? [:])
            let recent = ward.deadLetters.filter { letter in
                letter.receivedAt >= Ward.anchor - Ward.day && letter.receivedAt < Ward.anchor
                    && (topic == nil || letter.topic == topic)
            }
            let groups = Dictionary(grouping: recent) { letter in
                [ShownTime.text(letter.receivedAt / Ward.hour * Ward.hour), letter.topic, letter.reason]
            }
            let ordered = groups.sorted { left, right in
                (left.key[0], right.value.count, left.key[1], left.key[2])
                    < (right.key[0], left.value.count, right.key[1], right.key[2])
            }
            expect(
                answer, columns: "hour topic reason letters partitions",
                rows: ordered.map { key, letters in
                    key.map { .text($0) } + [.integer(letters.count), .integer(Set(letters.map(\.partition)).count)]
                })
        }

        @Test func `what became of the messages of each partition`() throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.duplicates)
            let rows = ward.progress.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }.map {
                row -> [Cell] in
                let share = row.consumed == 0 ? nil : 100 * Double(row.classes[3]) / Double(row.consumed)
                return [.text(row.group), .text(row.topic), .integer(row.partition), .integer(Int(row.consumed))]
                    + row.classes.map { .integer(Int($0)) } + [.rounded(share, places: 2)]
            }
            expect(
                answer,
                columns: "consumer_group topic partition consumed inserted merged corrected duplicate stale rejected "
                    + "duplicate_percent", rows: rows)
            #expect(try Psql.ask(.duplicates, ["group": "vitalstream"]).rows == answer.rows)
            #expect(try Psql.ask(.duplicates, ["group": "o'ther"]).reason == "The ledger knows no group o'ther.")
        }

        @Test func `lag per partition, furthest first, an unknown end before all`() throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.lag)
            #expect(
                answer.columns.joined(separator: " ")
                    == "consumer_group topic partition next_offset high_watermark lag epoch updated_at idle_seconds")
            let expected = ward.progress.map { row in
                (lag: row.highWatermark.map { max(0, $0 - row.next) }, row: row)
            }.sorted { left, right in
                (-(left.lag ?? .max), left.row.topic, left.row.partition) < (
                    -(right.lag ?? .max), right.row.topic, right.row.partition
                )
            }
            let shown = answer.rows.map { Array($0[1...5]) }
            let wanted = expected.map { lag, row -> [String] in
                let end = row.highWatermark.map { "\($0)" } ?? ""
                let behind = lag.map { "\($0)" } ?? ""
                return [row.topic, "\(row.partition)", "\(row.next)", end, behind]
            }
            #expect(shown == wanted)
            #expect(answer.column("idle_seconds").allSatisfy { Double($0).map { $0 >= 0 && $0 < 3_600 } == true })
        }

        @Test func `the ledger against the tables shows what differs`() throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.ledger)
            var rows: [[Cell]] = []
            for row in ward.progress.sorted(by: { ($0.topic, $0.partition) < ($1.topic, $1.partition) }) {
                let letters = ward.deadLetters.count { letter in
                    letter.topic == row.topic && letter.partition == row.partition
                        && letter.offset >= max(row.first, row.settledBefore) && letter.offset < row.next
                }
                let scope = "\(row.group) \(row.topic)[\(row.partition)]"
                rows += [
                    equation(
                        scope, "consumed = next_offset - first_offset - gaps", row.next - row.first - row.gaps,
                        row.consumed),
                    equation(scope, "consumed = the sum of the six classes", row.classes.reduce(0, +), row.consumed),
                    equation(
                        scope, "rejected = dead letters in the range", row.settledLetters + Int64(letters),
                        row.classes[5]),
                    equation(scope, "classes below zero", 0, Int64(row.classes.count { $0 < 0 })),
                ]
            }
            let inserted = ward.progress.reduce(0) { $0 + $1.classes[0] }
            let corrected = ward.progress.reduce(0) { $0 + $1.classes[2] }
            rows += [
                equation(
                    "all groups", "rows of vital_reading = inserted - dropped", inserted - ward.dropped[0],
                    Int64(ward.readings.count)),
                equation(
                    "all groups", "rows of vital_reading_history = corrected - dropped", corrected - ward.dropped[1],
                    Int64(ward.corrections.count)),
                equation("all groups", "rows of patient_flow_event = inserted - dropped", 0, 0),
            ]
            expect(answer, columns: "about equation expected actual verdict", rows: rows)
            #expect(answer.rows.filter { $0[4] == "DIFFERS" }.map { $0[0] } == ["vitalstream vitals[2]", "all groups"])
            #expect(try Psql.ask(.ledger, ["rows": "off"]).rows == Array(answer.rows.dropLast(3)))
        }

        @Test func `days in the default partition, and how far the others reach`() throws {
            let ward = try #require(WardServer.current).ward
            let answer = try Psql.ask(.defaultPartition)
            // Partitions reach from 2020-02-18 to 2020-03-04.
            let outside = ward.readings.filter { $0.at < 1_581_984_000_000 || $0.at >= 1_583_366_400_000 }
            let days = Dictionary(grouping: outside) { ShownTime.day($0.at) }
            expect(
                answer, columns: "day readings patients first_at last_at",
                rows: days.sorted { $0.key < $1.key }.map { day, readings in
                    [
                        .text(day), .integer(readings.count), .integer(Set(readings.map(\.patient)).count),
                        .time(readings.map(\.at).min()), .time(readings.map(\.at).max()),
                    ]
                })
            #expect(answer.title.contains("; 19 daily partitions reach to 20"))
            #expect(answer.title.hasSuffix(", 1 days ahead"))
        }

        private func equation(_ scope: String, _ name: String, _ expected: Int64, _ actual: Int64) -> [Cell] {
            [
                .text(scope), .text(name), .integer(Int(expected)), .integer(Int(actual)),
                .text(expected == actual ? "ok" : "DIFFERS"),
            ]
        }
    }
}
