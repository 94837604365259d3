import TestSupport
import Testing

extension CommandSuite {
    @Suite struct DeadLetterTests {
        @Test func `list names place, reason and fields, never a payload`() throws {
            let world = try World.copy()
            let all = try world.run("dead-letter list")
            #expect(all.code == 0)
            #expect(all.output.contains("6 of 6 dead letters"))
            #expect(all.output.contains("out_of_range: heartRate"))
            #expect(!all.text.contains(Messages.mark))
            let some = try world.run("dead-letter list --reason oversize --limit 1")
            #expect(some.output.contains("1 of 2 dead letters"))
            #expect(try world.run("dead-letter list --topic other").output.contains("0 of 0"))
        }

        @Test func `show tells all but the payload, and with --payload only that on standard output`() throws {
            let world = try World.copy()
            let facts = try world.run("dead-letter show vitals 1 1")
            #expect(facts.code == 0)
            #expect(facts.output.contains("reason: timestamp_in_future"))
            #expect(facts.output.contains("headers: [[\"trace\", \"7\"]]"))
            #expect(!facts.text.contains(Messages.mark))
            let payload = try world.run("dead-letter show vitals 1 1 --payload")
            // The pipe's reader ends the last line by itself.
            #expect(payload.output == Messages.reading(4, 1_000_000, "\"heartRate\":80") + "\n")
            #expect(payload.errors.contains("reason: timestamp_in_future"))
            let tombstone = try world.run("dead-letter show vitals 0 4 --payload")
            #expect(tombstone.code == 0 && tombstone.output.isEmpty)
            #expect(tombstone.errors.contains("payload: none (a tombstone)"))
            let missing = try world.run("dead-letter show vitals 0 3")
            #expect(missing.code == 1 && missing.errors.contains("there is no dead letter vitals[0] offset 3"))
        }

        @Test func `retry refuses without a word of consent`() throws {
            let world = try World.copy()
            let run = try world.run("dead-letter retry")
            #expect(run.code == 1 && run.errors.contains("give --yes"))
            #expect(try world.value("SELECT count(*) FROM bronze.dead_letter") == "6")
        }

        @Test func `retry under the same settings changes nothing`() throws {
            let world = try World.copy()
            let before = try world.value("SELECT string_agg(p::text, '|') FROM ops.partition_progress AS p")
            let run = try world.run("dead-letter retry --yes")
            #expect(run.code == 0, "\(run.text)")
            #expect(run.output.contains("still rejected, out_of_range"))
            #expect(run.output.contains("payload was cut"))
            #expect(try world.value("SELECT string_agg(p::text, '|') FROM ops.partition_progress AS p") == before)
            try world.expectSound()
        }

        @Test func `what passes today is stored once, never replaces a value, and moves from rejected to its class`()
            throws
        {
            let world = try World.copy()
            let run = try world.run(
                "dead-letter retry --yes --validation-max-future-seconds off --max-message-bytes 5000")
            #expect(run.code == 0, "\(run.text)")
            let counts = run.output.split(separator: "\n").filter { $0.hasPrefix("accepted") }
                .map { $0.split(separator: " ").suffix(2).joined(separator: " ") }
            #expect(counts == ["inserted 1", "merged 0", "corrected 0", "duplicate 0", "stale 1"])
            // The letter at 8 says 50 and 37.25 where 70 is stored: it fills the temperature and stands earlier.
            let row = "FROM silver.vital_reading WHERE source_partition = 0 AND source_offset = 9"
            #expect(try world.value("SELECT heart_rate || ' ' || temperature \(row)") == "70 37.25")
            #expect(
                try world.value(
                    "SELECT string_agg(outcome || ' ' || \"offset\" || ' ' || reason, ', ' ORDER BY partition) "
                        + "FROM ops.dead_letter_retry") == "stale 8 oversize, inserted 1 timestamp_in_future")
            #expect(try world.value("SELECT count(*) FROM ops.partition_progress WHERE owner IS NULL") == "2")
            try world.expectSound()
            #expect(try world.run("dead-letter retry --yes --validation-max-future-seconds off").code == 0)
            try world.expectSound()
        }

        @Test func `a letter outside the range of the group is left alone`() throws {
            var world = try World.copy()
            world.group = "other"
            let run = try world.run("dead-letter retry --yes --validation-max-future-seconds off")
            #expect(run.code == 0)
            #expect(run.output.contains("not in the range of this KAFKA_GROUP_ID"))
            #expect(try world.value("SELECT count(*) FROM bronze.dead_letter") == "6")
        }

        @Test func `a second group that rejects again what the first has retried leaves both books right`() throws {
            var world = try World.copy()
            #expect(try world.run("dead-letter retry --yes --validation-max-future-seconds off").code == 0)
            world.group = "second"
            try world.serve(until: FedWorldTrait.messages)
            try world.expectSound()
            #expect(try world.run("dead-letter retry --yes --validation-max-future-seconds off").code == 0)
            try world.expectSound()
            #expect(
                try world.value("SELECT count(*) FROM bronze.dead_letter WHERE reason = 'timestamp_in_future'") == "0")
        }

        @Test func `a retry that was read again after a jump stays sound`() throws {
            let world = try World.copy()
            #expect(try world.run("dead-letter retry --yes --validation-max-future-seconds off").code == 0)
            #expect(try world.run("offsets set --topic vitals --partition 1 --to beginning --yes").code == 0)
            try world.expectSound()
            try world.serve(until: FedWorldTrait.messages)
            try world.expectSound()
        }

        @Test func `books that differ are not retried into`() throws {
            let world = try World.copy()
            try world.execute("DELETE FROM bronze.dead_letter WHERE partition = 1 AND reason = 'oversize'")
            let run = try world.run("dead-letter retry --yes --validation-max-future-seconds off")
            #expect(run.code == 1 && run.errors.contains("run vitalstream verify first"))
            #expect(try world.value("SELECT count(*) FROM ops.dead_letter_retry") == "0")
        }
    }
}
