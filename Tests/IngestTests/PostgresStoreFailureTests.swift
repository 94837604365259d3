import Ingest
import Kafka
import Postgres
import Service
import Testing
import VitalSigns

extension OnAServer {
    /// Letters, origins, ownership, and what the store says when the server refuses.
    struct PostgresStoreFailureTests {
        private let ours = UUIDBytes(high: 0x1111_1111_1111_4111, low: 0x8111_1111_1111_1111)
        private let theirs = UUIDBytes(high: 0x2222_2222_2222_4222, low: 0x8222_2222_2222_2222)

        private func reading(_ patient: UInt64 = 1, heartRate: Float = 60, offset: Int64 = 0) -> Reading {
            var reading = Reading()
            (reading.patientLow, reading.time, reading.presence) = (patient, 1_767_225_600_000, 1)
            (reading.values[0], reading.offset) = (heartRate, offset)
            return reading
        }

        private func letter(
            _ batch: Batch, _ offset: Int64, _ payload: [UInt8]?, reason: RejectReason = .malformedJSON,
            headers: String = ""
        ) {
            let detail = Array(reason.code.utf8)
            detail.withUnsafeBufferPointer { detail in
                func add(_ payload: UnsafeRawBufferPointer?) {
                    batch.deadLetters.append(
                        position: TopicPartitionOffset(topic: "vitals", partition: 0, offset: offset), reason: reason,
                        receivedAtMilliseconds: 1_767_225_600_123, detail: detail, payload: payload
                    ) { $0 += Array(headers.utf8) }
                }
                if let payload { payload.withUnsafeBytes { add($0) } } else { add(nil) }
            }
        }

        @Test func `letters are kept as they are, once`() throws {
            let lab = try StoreLab()
            var taken = try #require(lab.start(owner: ours))
            let headers = "[" + HeaderTextTests.table.map(\.json).joined(separator: ",") + "]"
            let long = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
            for round in 0..<2 {
                let planned = PlannedBatch([reading(9, offset: Int64(round))])
                planned.planAll(in: lab)
                letter(planned.batch, 1, nil, reason: .emptyPayload)
                letter(planned.batch, 2, [], reason: .emptyPayload)
                letter(planned.batch, 3, [0, 0xFF, 0x27, 0x5C], headers: headers)
                // Longer than a piece of COPY data.
                letter(planned.batch, 4, long)
                planned.advance(taken, owner: ours, rejected: 4)
                // The second time as another group would: the same letters.
                #expect(lab.run { $0.commit(planned.batch, planned.plan) } == .finished)
                taken.nextOffset += 5
            }
            #expect(try lab.value("SELECT count(*) FROM bronze.dead_letter") == "4")
            #expect(
                try lab.value(
                    """
                    SELECT string_agg(concat_ws(' ', topic, partition, "offset", reason, detail,
                        coalesce(octet_length(payload), -1), md5(payload), headers IS NULL,
                        extract(epoch FROM received_at)), ',' ORDER BY "offset") FROM bronze.dead_letter
                        WHERE "offset" < 4
                    """)
                    == "vitals 0 1 empty_payload empty_payload -1 t 1767225600.123000,"
                    + "vitals 0 2 empty_payload empty_payload 0 d41d8cd98f00b204e9800998ecf8427e t 1767225600.123000,"
                    + "vitals 0 3 malformed_json malformed_json 4 \(try lab.value("SELECT md5('\\x00ff275c'::bytea)")) "
                    + "f 1767225600.123000")
            #expect(
                try lab.value("SELECT octet_length(payload) FROM bronze.dead_letter WHERE \"offset\" = 4") == "200000")
            #expect(
                try lab.value("SELECT get_byte(payload, 199999) FROM bronze.dead_letter WHERE \"offset\" = 4") == "63")
            #expect(
                try lab.value(
                    "SELECT (headers -> 0 ->> 1) || jsonb_array_length(headers) FROM bronze.dead_letter "
                        + "WHERE headers IS NOT NULL") == "abc\(HeaderTextTests.table.count)")
        }

        @Test func `a header the server takes for no JSON is a data error, and nothing of the batch is stored`() throws
        {
            let lab = try StoreLab()
            let taken = try #require(lab.start(owner: ours))
            let planned = PlannedBatch([reading()])
            planned.planAll(in: lab)
            letter(planned.batch, 1, [], headers: "[\"\\ud800\"]")
            planned.advance(taken, owner: ours, rejected: 1)
            let outcome = lab.run { $0.commit(planned.batch, planned.plan) }
            guard case .failed(.data(let state)) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(state.hasPrefix("22"))
            try expectNothingStored(lab)
            // The session is as good as before.
            let good = PlannedBatch([reading()])
            good.planAll(in: lab)
            good.advance(taken, owner: ours)
            #expect(lab.run { $0.commit(good.batch, good.plan) } == .finished)
        }

        private func expectNothingStored(_ lab: StoreLab) throws {
            #expect(try lab.value("SELECT count(*) FROM silver.vital_reading") == "0")
            #expect(try lab.value("SELECT count(*) FROM bronze.dead_letter") == "0")
            #expect(try lab.value("SELECT sum(consumed) FROM ops.partition_progress") == "0")
        }

        @Test func `who lost the partition is fenced before anything is copied`() throws {
            let lab = try StoreLab()
            let taken = try #require(lab.start(owner: ours))
            let planned = PlannedBatch([reading()])
            planned.planAll(in: lab)
            planned.advance(taken, owner: ours)
            #expect(lab.start(owner: theirs)?.epoch == 2)
            #expect(lab.run { $0.commit(planned.batch, planned.plan) } == .failed(.fenced))
            try expectNothingStored(lab)
            #expect(lab.run { $0.readOwnership(of: [taken.partition]) } == .finished)
            #expect(
                lab.ownerships == [PartitionOwnership(partition: taken.partition, epoch: 2, owner: theirs)])
            let unknown = TopicPartition(topic: "vitals", partition: 5)
            #expect(lab.run { $0.readOwnership(of: [unknown]) } == .finished)
            #expect(lab.ownerships.isEmpty)
        }

        @Test func `books that do not add up need a person`() throws {
            let lab = try StoreLab()
            let taken = try #require(lab.start(owner: ours))
            let planned = PlannedBatch([reading()])
            planned.planAll(in: lab)
            planned.advance(taken, owner: ours)
            planned.batch.advances[0].next += 1
            guard case .failed(.refused) = lab.run({ $0.commit(planned.batch, planned.plan) }) else {
                Issue.record("a ledger that does not add up was taken")
                return
            }
            try expectNothingStored(lab)
        }

        @Test func `a key that is there after all, or a row that is not as read, is a conflict`() throws {
            let lab = try StoreLab()
            var taken = try #require(lab.start(owner: ours))
            let first = PlannedBatch([reading()])
            first.planAll(in: lab)
            first.advance(taken, owner: ours)
            #expect(lab.run { $0.commit(first.batch, first.plan) } == .finished)
            taken.nextOffset += 1
            let again = PlannedBatch([reading(offset: 1)])
            again.planAllNew()
            again.advance(taken, owner: ours)
            #expect(
                lab.run { $0.commit(again.batch, again.plan) } == .failed(.conflict(sqlState: "23505")))
            let change = PlannedBatch([reading(heartRate: 61, offset: 1)])
            change.planAll(in: lab)
            try lab.direct.execute("UPDATE silver.vital_reading SET origin_id = 3")
            change.advance(taken, owner: ours)
            #expect(
                lab.run { $0.commit(change.batch, change.plan) } == .failed(.conflict(sqlState: "VS002")))
            change.batch.reset()
            change.batch.readingCount = 1
            change.planAll(in: lab)
            change.advance(taken, owner: ours)
            #expect(lab.run { $0.commit(change.batch, change.plan) } == .finished)
            #expect(try lab.value("SELECT concat_ws(' ', heart_rate, origin_id) FROM silver.vital_reading") == "61 3")
        }

        @Test func `a server that ends the session is away`() throws {
            let lab = try StoreLab()
            let taken = try #require(lab.start(owner: ours))
            #expect(lab.isConnected)
            try lab.direct.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lane'")
            guard case .failed(.away) = lab.run({ $0.readOwnership(of: [taken.partition]) }) else {
                Issue.record("a dead session answered")
                return
            }
            #expect(!lab.isConnected)
            guard case .failed(.away) = lab.run({ $0.readOwnership(of: [taken.partition]) }) else {
                Issue.record("no session answered")
                return
            }
            #expect(lab.run { $0.connect() } == .finished)
            #expect(lab.run { $0.readOwnership(of: [taken.partition]) } == .finished)
        }

        @Test func `a schema that is too old needs a person, none is waited for, and both say what to do`() throws {
            let old = try StoreLab(requiredMigration: StoreLab.newestMigration + 1)
            guard case .failed(.refused(let text)) = old.run({ $0.connect() }) else {
                Issue.record("a schema that is too old was taken")
                return
            }
            #expect(text.contains("run vitalstream migrate"))
            #expect(!old.isConnected)
            let none = try StoreLab(migrated: false)
            // None at all may be about to be made: it is waited for, with the same advice.
            guard case .failed(.away(let reason)) = none.run({ $0.connect() }) else {
                Issue.record("a database without a schema was taken")
                return
            }
            #expect(reason.contains("run vitalstream migrate"))
            #expect(!none.isConnected)
        }

        @Test func `origins get one id each, whichever of their names are absent`() throws {
            let lab = try StoreLab()
            lab.start(owner: ours)
            #expect(lab.run { $0.resolveOrigins(OriginTableTests.names) } == .finished)
            let first = lab.originIDs
            #expect(Set(first).count == first.count && first.allSatisfy { $0 > 0 })
            let mixed = OriginTableTests.names.reversed() + [OriginNames(facility: "new", sector: nil, device: "'")]
            #expect(lab.run { $0.resolveOrigins(mixed) } == .finished)
            #expect(Array(lab.originIDs.dropLast().reversed()) == first)
            #expect(try lab.value("SELECT count(*) FROM silver.origin") == "\(first.count + 1)")
        }

        @Test func `the newest row is the newest at or after a time`() throws {
            let lab = try StoreLab()
            let taken = try #require(lab.start(owner: ours))
            let rows = (0..<5).map { index in
                var row = reading(7, offset: Int64(index))
                row.time += Int64(index) * 86_400_000
                return row
            }
            let planned = PlannedBatch(rows)
            planned.planAll(in: lab)
            planned.advance(taken, owner: ours)
            #expect(lab.run { $0.commit(planned.batch, planned.plan) } == .finished)
            let asked = [rows[0].time, rows[4].time, rows[4].time + 1].map {
                ReadingKey(patientHigh: 0, patientLow: 7, time: $0)
            }
            #expect(lab.run { $0.fetchNewest(of: asked) } == .finished)
            #expect(lab.newest.map { $0?.time } == [rows[4].time, rows[4].time, nil])
            let nobody = [ReadingKey(patientHigh: 9, patientLow: 9, time: 1)]
            #expect(lab.run { $0.fetchNewest(of: nobody) } == .finished)
            #expect(lab.newest.map { $0 == nil } == [true])
        }

        @Test func `a frozen session that holds the ledger's row is ended`() throws {
            let lab = try StoreLab()
            let taken = try #require(lab.start(owner: ours))
            var frozen = try Connection.open(lab.url, applicationName: "frozen")
            try frozen.execute("BEGIN; UPDATE ops.partition_progress SET updated_at = now()")
            #expect(lab.run { $0.endBlockers(of: [taken.partition]) } == .finished)
            #expect(lab.start(owner: theirs)?.epoch == 2)
            #expect(throws: PostgresError.self) { try frozen.execute("SELECT 1") }
        }
    }
}
