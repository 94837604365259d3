import TestSupport
import Testing

/// Something that must not be, and what has to notice it.
struct BrokenState: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let sql: String
    /// Part of the line by which the books alone notice it; nil: they cannot.
    let books: String?
    /// Part of the line by which the log notices it.
    let log: String

    init(_ name: String, _ sql: String, books: String? = nil, log: String) {
        testDescription = name
        self.sql = sql
        self.books = books
        self.log = log
    }

    private static let first = "source_partition = 0 AND source_offset = 3"

    static let all = [
        BrokenState(
            "a row is gone", "DELETE FROM silver.vital_reading WHERE \(first)",
            books: "rows of vital_reading = inserted - dropped (expected 28, is 27)", log: "vital_reading: missing"),
        BrokenState(
            "a row too many",
            "INSERT INTO silver.vital_reading (patient_id, recorded_at, heart_rate, source_partition, source_offset) "
                + "VALUES (gen_random_uuid(), now(), 60, 0, 2)",
            books: "rows of vital_reading", log: "vital_reading: without a message"),
        BrokenState(
            "a value was changed", "UPDATE silver.vital_reading SET heart_rate = 62 WHERE \(first)",
            log: "vital_reading: not as the log has it"),
        BrokenState(
            "a value was changed in its last bit",
            "UPDATE silver.vital_reading SET oxygen_saturation = 97.30001 WHERE \(first)",
            log: "vital_reading: not as the log has it"),
        BrokenState(
            "a value was lost", "UPDATE silver.vital_reading SET respiratory_rate = NULL WHERE \(first)",
            log: "vital_reading: not as the log has it"),
        BrokenState(
            "a category was changed",
            "UPDATE silver.vital_reading SET consciousness = 'P' WHERE source_partition = 1 AND consciousness = 'A'",
            log: "vital_reading: not as the log has it"),
        BrokenState(
            "the source is another", "UPDATE silver.vital_reading SET source_offset = 2 WHERE \(first)",
            log: "vital_reading: not as the log has it"),
        BrokenState(
            "the partition is another", "UPDATE silver.vital_reading SET source_partition = 65536 WHERE \(first)",
            log: "vital_reading: not as the log has it"),
        BrokenState(
            "the origin is another",
            "UPDATE silver.vital_reading SET origin_id = (SELECT origin_id FROM silver.origin WHERE device_id = 'm-7') "
                + "WHERE \(first)", log: "vital_reading: not as the log has it"),
        BrokenState(
            "the origin has another name", "UPDATE silver.origin SET facility_id = 'south' WHERE facility_id = 'north'",
            log: "vital_reading: not as the log has it"),
        BrokenState(
            "the suspect bits are others", "UPDATE silver.vital_reading SET suspect = 0 WHERE suspect = 1",
            log: "rows with wrong suspect bits"),
        BrokenState(
            "the time is a microsecond off",
            "UPDATE silver.vital_reading SET recorded_at = recorded_at + interval '1 microsecond' WHERE \(first)",
            log: "vital_reading: missing"),
        BrokenState(
            "a correction is gone", "DELETE FROM silver.vital_reading_history WHERE replaced_by_partition = 0",
            books: "rows of vital_reading_history = corrected - dropped (expected 2, is 1)",
            log: "vital_reading_history: missing"),
        BrokenState(
            "a correction keeps another value",
            "UPDATE silver.vital_reading_history SET heart_rate = 59 WHERE replaced_by_partition = 0",
            log: "vital_reading_history: not as the log has it"),
        BrokenState(
            "a correction names another message",
            "UPDATE silver.vital_reading_history SET replaced_by_offset = 2 WHERE replaced_by_partition = 0",
            log: "vital_reading_history: without a message"),
        BrokenState(
            "a dead letter is gone", "DELETE FROM bronze.dead_letter WHERE partition = 0 AND \"offset\" = 5",
            books: "vitals[0]: rejected = dead letters in the range", log: "dead_letter: missing"),
        BrokenState(
            "a dead letter too many",
            "INSERT INTO bronze.dead_letter (topic, partition, \"offset\", reason) VALUES ('vitals', 0, 2, 'oversize')",
            books: "vitals[0]: rejected = dead letters in the range", log: "dead_letter: without a message"),
        BrokenState(
            "a dead letter has another reason",
            "UPDATE bronze.dead_letter SET reason = 'wrong_type' WHERE partition = 0 AND \"offset\" = 5",
            log: "dead_letter: not as the log has it"),
        BrokenState(
            "a count is one too high",
            "UPDATE ops.partition_progress SET duplicate = duplicate + 1, consumed = consumed + 1 WHERE partition = 1",
            books: "vitals[1]: consumed = next_offset - first_offset - gaps", log: "duplicate, message by message"),
        BrokenState(
            "a count went into another class",
            "UPDATE ops.partition_progress SET duplicate = duplicate + 1, merged = merged - 1 WHERE partition = 0",
            log: "merged, message by message"),
        BrokenState(
            "the classes do not add up",
            "ALTER TABLE ops.partition_progress DROP CONSTRAINT partition_progress_ledger; "
                + "UPDATE ops.partition_progress SET stale = stale + 1 WHERE partition = 1",
            books: "vitals[1]: consumed = the sum of the six classes", log: "stale, message by message"),
        BrokenState(
            "the offset is one behind",
            "UPDATE ops.partition_progress SET next_offset = next_offset - 1 WHERE partition = 0",
            books: "vitals[0]: consumed = next_offset - first_offset - gaps", log: "vital_reading: without a message"),
        BrokenState(
            "the offset is beyond the log",
            "UPDATE ops.partition_progress SET next_offset = next_offset + 5, gaps = gaps + 5 WHERE partition = 0",
            log: "partitions that end before next_offset"),
        BrokenState(
            "the last message is another",
            "UPDATE ops.partition_progress SET last_message_hash = 1 WHERE partition = 1",
            log: "remembered messages that are others now"),
    ]
}

extension CommandSuite {
    @Suite struct VerifyTests {
        @Test func `what a service has read verifies, from the books and message by message`() throws {
            let world = try World.copy()
            #expect(try world.value("SELECT sum(consumed) FROM ops.partition_progress") == "\(FedWorldTrait.messages)")
            #expect(try world.value("SELECT sum(rejected) FROM ops.partition_progress") == "\(FedWorldTrait.rejected)")
            try world.expectSound()
            let run = try world.run("verify --against-log")
            #expect(
                run.output.contains("39 messages of 2 partitions read; compared bit by bit: 28 rows, 2 of the history"))
        }

        @Test(arguments: BrokenState.all) func `verify notices`(_ state: BrokenState) throws {
            let world = try World.copy()
            try world.execute(state.sql)
            let books = try world.run("verify")
            #expect(books.code == (state.books == nil ? 0 : 1), "\(books.text)")
            #expect(books.errors.contains(state.books ?? ""), "\(books.errors)")
            let log = try world.run("verify --against-log")
            #expect(log.code == 1)
            #expect(log.errors.contains(state.log), "\(log.errors)")
            #expect(log.output.contains("DIFFERS"))
            #expect(!log.text.contains(Messages.mark))
        }

        @Test func `other settings than serve's show as differences, with a note`() throws {
            let run = try World.copy().run("verify --against-log --max-message-bytes 5000")
            #expect(run.code == 1)
            #expect(run.output.contains("MAX_MESSAGE_BYTES=5000; what serve read under others may differ"))
        }

        @Test func `an empty database verifies, and one without a schema says what to do`() throws {
            let log = try MockLog(partitions: 1)
            let world = try World.empty(log)
            try world.expectSound()
            #expect(try world.run("verify").output.contains("the ledger is empty"))
            try world.execute("DROP SCHEMA bronze, silver, gold, ops CASCADE")
            let run = try world.run("verify")
            #expect(run.code == 1)
            #expect(run.errors.contains("run vitalstream migrate") && run.errors.split(separator: "\n").count == 1)
        }

        /// The mock broker keeps 5 MiB a partition, as retention would.
        @Test func `a log that lost its beginning is compared as far as it goes, and that is said`() throws {
            let log = try MockLog(partitions: 1)
            let world = try World.empty(log)
            try log.send((0..<10).map { Messages.reading(1, $0, "\"heartRate\":\(60 + $0)") } + ["[]"], to: 0)
            try world.serve(until: 11)
            let pads = (0..<70).map { Messages.reading(2, $0, "\"heartRate\":80", pad: 100_000) }
            try log.send(pads, to: 0)
            try log.send((5..<15).map { Messages.reading(1, $0, "\"temperature\":37,\"heartRate\":90") }, to: 0)
            // What was lost unread is passed over; the rest is read.
            let jump = try world.run("offsets set --topic vitals --partition 0 --to beginning --yes")
            #expect(jump.code == 0, "\(jump.text)")
            try world.serve(until: 91, ["MAX_MESSAGE_BYTES": "200000"])
            let run = try world.run("verify --against-log", ["MAX_MESSAGE_BYTES": "200000"])
            #expect(run.code == 0, "\(run.text)")
            #expect(run.output.contains("the ledger begins at offset 0, the log holds nothing below"))
            #expect(
                run.output.contains("5 rows not compared: their messages are no longer in the log"), "\(run.output)")
            try world.execute("UPDATE silver.vital_reading SET temperature = 38 WHERE source_offset = 81")
            #expect(try world.run("verify --against-log", ["MAX_MESSAGE_BYTES": "200000"]).code == 1)
        }
    }
}
