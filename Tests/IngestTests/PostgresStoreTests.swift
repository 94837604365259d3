import Ingest
import Kafka
import Postgres
import Service
import Testing
import VitalSigns

extension OnAServer {
    /// What a lane writes comes back as it was, on a real server.
    struct PostgresStoreTests {
        private let ours = UUIDBytes(high: 0x1111_1111_1111_4111, low: 0x8111_1111_1111_1111)
        private let theirs = UUIDBytes(high: 0x2222_2222_2222_4222, low: 0x8222_2222_2222_2222)

        /// Every pattern of presence, with extremes of every field.
        private func readings() -> [Reading] {
            let extremes: [[Float]] = [
                [0, 300], [10, 50], [0, 100], [0, 120], [0, 400], [0, 300],
            ]
            return (1...255 as ClosedRange<UInt64>).map { pattern in
                var reading = Reading()
                reading.patientHigh = pattern == 255 ? .max : pattern &* 0x0101_0101_0101_0101
                reading.patientLow = pattern == 255 ? .max : pattern == 1 ? 0 : ~pattern
                reading.time = [1, 253_402_300_799_999, 946_684_800_000, 1_767_225_600_123][Int(pattern % 4)]
                reading.presence = UInt8(pattern)
                for index in 0..<6 where pattern & (1 << UInt64(index)) != 0 {
                    let ends = extremes[index]
                    // The least step above an end, and values that no decimal of few digits has.
                    reading.values[index] = [ends[0], ends[1], ends[0].nextUp, ends[1] / 3][Int(pattern / 4 % 4)]
                }
                if pattern & 64 != 0 { reading.categorical |= UInt8(1 + pattern % 5) }
                if pattern & 128 != 0, pattern % 3 != 0 { reading.categorical |= Reading.supplementalOxygenValue }
                (reading.partition, reading.offset) = pattern % 2 == 0 ? (0, .max - Int64(pattern)) : (65_535, 0)
                reading.origin = [0, 1, .max][Int(pattern % 3)]
                return reading
            }
        }

        private func bytes(_ reading: Reading) -> [UInt8] { withUnsafeBytes(of: reading) { Array($0) } }

        private func key(_ reading: Reading) -> ReadingKey {
            ReadingKey(patientHigh: reading.patientHigh, patientLow: reading.patientLow, time: reading.time)
        }

        @Test func `every field, pattern of absence and extreme comes back bit for bit`() throws {
            let lab = try StoreLab()
            let rows = readings()
            let taken = try #require(lab.start(owner: ours))
            let other = try #require(lab.start(partition: 65_535, owner: theirs))
            let planned = PlannedBatch(rows)
            planned.planAll(in: lab)
            planned.advance(taken, owner: ours)
            planned.advance(other, owner: theirs)
            #expect(lab.run { $0.commit(planned.batch, planned.plan) } == .finished)
            #expect(lab.run { $0.fetchStored(rows.map { key($0) }) } == .finished)
            #expect(lab.stored.map { bytes($0) } == rows.map { bytes($0) })
            #expect(lab.run { $0.fetchNewest(of: rows.map { key($0) }) } == .finished)
            #expect(lab.newest.map { $0.map { bytes($0) } } == rows.map { bytes($0) })
            // As the database itself says it.
            for row in rows {
                let uuid = UUIDBytes(high: row.patientHigh, low: row.patientLow).text
                let text = try lab.value(
                    """
                    SELECT concat_ws(' ', (extract(epoch FROM recorded_at) * 1000)::bigint, suspect, source_partition,
                        source_offset, coalesce(origin_id, 0), coalesce(heart_rate, -1),
                        coalesce(consciousness, '-'), coalesce(supplemental_oxygen::text, '-'))
                    FROM silver.vital_reading WHERE patient_id = '\(uuid)'
                    """)
                let suspect = Limits.suspectMask(values: row.values, presence: row.presence)
                let heart = row.presence & 1 != 0 ? row.values[0] : -1
                let letter = row.presence & 64 != 0 ? ["-", "A", "C", "V", "P", "U"][Int(row.categorical & 7)] : "-"
                let oxygen = row.presence & 128 != 0 ? (row.categorical & 8 != 0 ? "true" : "false") : "-"
                let words = text.split(separator: " ")
                #expect(
                    words.prefix(5).joined(separator: " ")
                        == "\(row.time) \(suspect) \(row.partition) \(row.offset) \(row.origin)")
                #expect(words.count == 8 && Float(words[5]) == heart && words[6] == letter && words[7] == oxygen)
            }
        }

        @Test func `changes and what they replaced are written in the same transaction as the books`() throws {
            let lab = try StoreLab()
            var taken = try #require(lab.start(owner: ours, low: 10))
            #expect(taken.epoch == 1 && taken.nextOffset == 10 && taken.lastMessageHash == nil)
            var rows = readings().filter { $0.partition == 0 }
            for index in rows.indices {
                rows[index].offset = Int64(10 + index)
                rows[index].origin = 0
            }
            let first = PlannedBatch(rows)
            first.planAll(in: lab)
            first.advance(taken, owner: ours)
            #expect(lab.run { $0.commit(first.batch, first.plan) } == .finished)
            taken.nextOffset += Int64(rows.count)
            // Every row again, with every vital sign there and most of another value, and an origin.
            let again = rows.map { row in
                var reading = row
                reading.offset += 1_000
                reading.presence = 0xFF
                reading.categorical = 0b0000_1101 ^ (row.categorical & 8)
                for index in 0..<6 { reading.values[index] = 50 }
                reading.origin = 7
                return reading
            }
            let second = PlannedBatch(again)
            second.planAll(in: lab)
            #expect(second.plan.changes.count == rows.count)
            second.advance(taken, owner: ours, gaps: 3, hash: .min)
            #expect(lab.run { $0.commit(second.batch, second.plan) } == .finished)
            let expected = zip(rows, again).map { row, message in
                var merged = row
                _ = merged.apply(message)
                return bytes(merged)
            }
            #expect(lab.run { $0.fetchStored(rows.map { key($0) }) } == .finished)
            #expect(lab.stored.map { bytes($0) } == expected)
            try expectHistory(of: rows, replacedBy: again, in: lab)
            let books = try lab.value(
                """
                SELECT concat_ws(' ', consumer_group, epoch, first_offset, next_offset, gaps, high_watermark,
                    last_message_hash, consumed, inserted, merged + corrected)
                FROM ops.partition_progress
                """)
            let count = rows.count
            #expect(
                books
                    == "\(StoreLab.group) 1 10 \(10 + 2 * count + 3) 3 1000 \(Int64.min) \(2 * count) \(count) \(count)"
            )
        }

        private func expectHistory(of rows: [Reading], replacedBy messages: [Reading], in lab: StoreLab) throws {
            var expected: Set<String> = []
            for (row, message) in zip(rows, messages) {
                let bits = row.disagreements(with: message)
                guard bits != 0 else { continue }
                func number(_ index: Int) -> String { bits & (1 << UInt8(index)) != 0 ? "\(row.values[index])" : "-" }
                let letter = bits & 64 != 0 ? ["-", "A", "C", "V", "P", "U"][Int(row.categorical & 7)] : "-"
                let oxygen = bits & 128 != 0 ? (row.categorical & 8 != 0 ? "true" : "false") : "-"
                expected.insert(
                    ([UUIDBytes(high: row.patientHigh, low: row.patientLow).text, "\(row.time)"]
                        + (0..<6).map { number($0) } + [letter, oxygen, "\(message.offset)"]).joined(separator: " "))
            }
            let found = try lab.direct.query(
                """
                SELECT patient_id::text, (extract(epoch FROM recorded_at) * 1000)::bigint, heart_rate, temperature,
                    oxygen_saturation, respiratory_rate, systolic_pressure, diastolic_pressure, consciousness,
                    supplemental_oxygen::text, replaced_by_offset
                FROM silver.vital_reading_history
                """, [])
            var lines: Set<String> = []
            for row in 0..<found.rowCount {
                let words = (0..<11).map { column in
                    if found.isNull(row, column) { return "-" }
                    let text = found.text(row, column)
                    return (2..<8).contains(column) ? "\(Float(text) ?? -1)" : text
                }
                lines.insert(words.joined(separator: " "))
            }
            #expect(lines == expected)
        }

        @Test func `a large batch goes over in many pieces, in key order`() throws {
            let lab = try StoreLab()
            let taken = try #require(lab.start(owner: ours))
            let rows = (0..<16_384 as Range<UInt64>).map { index in
                var reading = Reading()
                reading.patientHigh = index &* 0x9E37_79B9_7F4A_7C15
                (reading.time, reading.offset) = (1_767_225_600_000 + Int64(index), Int64(index))
                (reading.presence, reading.values[0]) = (1, Float(index % 300))
                return reading
            }
            let planned = PlannedBatch(rows)
            planned.planAllNew()
            planned.advance(taken, owner: ours)
            #expect(lab.run { $0.commit(planned.batch, planned.plan) } == .finished)
            #expect(try lab.value("SELECT count(*) FROM silver.vital_reading") == "16384")
            #expect(lab.run { $0.fetchStored(rows.map { key($0) }) } == .finished)
            #expect(zip(lab.stored, rows).allSatisfy { bytes($0) == bytes($1) })
        }
    }
}
