import Kafka
import Postgres
import Service
import TestSupport
import Testing

/// Patient flow through the whole service: events become rows exactly once, in the transaction that moves the offset.
@Suite(.serialized, .ownThread, .databaseServer) struct FlowTests {
    @Test func `events are stored once, repeats are duplicates, bad ones dead letters, and the books add up`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 1)
            let flow = try FlowTopic(laboratory.broker, "flow")
            let arrival = SentEvent(1, "v1", "arrival", at: 0, acuity: 3)
            let moved = SentEvent(3, "v1", "transfer", at: 9, toSector: "ward")
            try flow.send([arrival, SentEvent(2, "v1", "treatment_start", at: 5.5), moved, arrival])
            try flow.send([
                (nil, SentEvent(4, "vé'1", "arrival", at: 1).json), ("north", nil), ("north", "{"),
                ("north", SentEvent(5, "v1", "nap", at: 1).json),
                ("north", SentEvent(6, "v1", "transfer", at: 1).json),
                ("north", SentEvent(7, "v1", "arrival", at: 1, acuity: 6).json), ("north", moved.json),
            ])
            try log.send([SentReading(1, WallClock.nowMilliseconds(), ["heartRate": 70])])
            let service = try laboratory.serve(log, flow)
            try laboratory.awaitFlow(flow)
            try laboratory.awaitPosition(log)
            var connection = try laboratory.connect()
            let rows = try connection.texts(
                """
                SELECT right(event_id::text, 1), facility_id, sector_id, visit_id, event, to_sector_id, acuity,
                    extract(epoch FROM occurred_at - timestamptz '2026-01-01 00:00Z')::integer,
                    right(patient_id::text, 1), source_partition, source_offset
                FROM silver.patient_flow_event ORDER BY source_offset
                """)
            #expect(
                rows == [
                    ["1", "north", "emergency", "v1", "arrival", nil, "3", "0", "1", "0", "0"],
                    ["2", "north", "emergency", "v1", "treatment_start", nil, nil, "330", "2", "0", "1"],
                    ["3", "north", "emergency", "v1", "transfer", "ward", nil, "540", "3", "0", "2"],
                    ["4", "north", "emergency", "vé'1", "arrival", nil, nil, "60", "4", "0", "4"],
                ])
            let letters = try connection.texts(
                "SELECT \"offset\", reason FROM bronze.dead_letter WHERE topic = 'flow' ORDER BY 1")
            #expect(
                letters == [
                    ["5", "empty_payload"], ["6", "malformed_json"], ["7", "unknown_event"], ["8", "missing_field"],
                    ["9", "out_of_range"],
                ])
            let books = """
                SELECT consumed, inserted, duplicate, rejected, merged + corrected + stale + gaps
                FROM ops.partition_progress WHERE topic = 'flow' AND consumer_group =
                """
            #expect(try connection.texts(books + " 'lab'") == [["11", "4", "2", "5", "0"]])
            try service.stop()

            // Another group reads the same messages: nothing is new.
            let again = try laboratory.serve(log, flow, name: "again", group: "again")
            try laboratory.awaitFlow(flow, group: "again")
            #expect(try connection.texts(books + " 'again'") == [["11", "0", "6", "5", "0"]])
            #expect(try connection.texts("SELECT count(*) FROM silver.patient_flow_event") == [["4"]])
            try again.stop()
        }
    }

    @Test func `a topic of patient flow that is not there makes nobody unready, and is read as soon as it is`() throws {
        let broker = try MockBroker()
        try Laboratory.open(broker) { laboratory in
            let log = try laboratory.topic(partitions: 1)
            let flow = try FlowTopic(broker, "flow")
            broker.cluster.setTopic(flow.name, error: 3)
            try log.send([SentReading(1, WallClock.nowMilliseconds(), ["heartRate": 70])])
            let service = try laboratory.serve(log, flow)
            try laboratory.awaitPosition(log)
            try service.awaitReady()
            try service.awaitLine("no topic of patient flow")
            #expect(try service.records().allSatisfy { $0.level != "warning" && $0.level != "error" })
            broker.cluster.setTopic(flow.name, error: 0)
            try flow.send([SentEvent(1, "v1", "arrival", at: 0)])
            try laboratory.awaitFlow(flow)
            try service.stop()
        }
    }
}
