import Kafka
import Postgres
import Service
import TestSupport
import Testing

/// A value that validation let through and the database refuses: a defect, so the partition stops before it; no dead
/// letter, and no other partition waits for it.
@Suite(.serialized, .ownThread, .databaseServer) struct PoisonTests {
    @Test func `a message the database refuses stops its partition at its offset and the others go on`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 2)
            var connection = try laboratory.connect()
            // 22003 is numeric_value_out_of_range.
            try connection.execute(
                """
                CREATE FUNCTION laboratory.poison() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF new.source_partition = 0 AND new.source_offset = 700 THEN
                        RAISE EXCEPTION 'refused' USING ERRCODE = '22003', DETAIL = new.patient_id::text;
                    END IF;
                    RETURN new;
                END $$;
                CREATE TRIGGER poison BEFORE INSERT ON silver.vital_reading
                    FOR EACH ROW EXECUTE FUNCTION laboratory.poison()
                """)
            let now = WallClock.nowMilliseconds() - 3_600_000
            try log.send((0..<3_000).map { SentReading($0 % 40, now + Int64($0), ["heartRate": 70]) })
            let service = try laboratory.serve(log)
            let line = try service.awaitLine("partition stopped", within: .seconds(90))
            #expect(line.reason?.contains("offset 700 ") == true && line.reason?.contains("22003") == true, "\(line)")
            #expect(line.reason?.contains("vitalstream offsets") == true, "\(line)")
            try service.awaitNotReady("offset 700 ")
            func positions() throws -> [[String?]] {
                try connection.texts("SELECT next_offset FROM ops.partition_progress ORDER BY partition")
            }
            try eventually("partition 1 is read to its end") { try positions() == [["700"], ["1500"]] }
            try log.send((0..<10).map { SentReading(1, now + 90_000 + Int64($0), ["heartRate": 70]) })
            try eventually("partition 1 goes on") { try positions() == [["700"], ["1510"]] }
            #expect(try connection.texts("SELECT count(*) FROM bronze.dead_letter") == [["0"]])

            // The defect is mended: a restart goes on from there.
            try connection.execute("DROP TRIGGER poison ON silver.vital_reading")
            try service.stop()
            let next = try laboratory.serve(log, name: "mended")
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            try next.stop()
        }
    }
}
