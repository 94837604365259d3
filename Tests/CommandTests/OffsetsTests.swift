import Kafka
import Postgres
import Service
import TestSupport
import Testing

extension CommandSuite {
    @Suite struct OffsetsTests {
        private static let row = "FROM ops.partition_progress WHERE consumer_group = 'commands' AND partition = 0"

        private static func set(_ place: String, partition: Int = 0, yes: Bool = true) -> String {
            "offsets set --topic vitals --partition \(partition) --to \(place)" + (yes ? " --yes" : "")
        }

        @Test func `list shows each partition's place in the log and in the books`() throws {
            let world = try World.copy()
            let run = try world.run("offsets list")
            #expect(run.code == 0)
            let lines = run.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            #expect(
                lines[0]
                    == "topic partition first next low high lag epoch owner gaps consumed rejected"
                    .split(separator: " ").map(String.init))
            #expect(Array(lines[1][..<7]) == ["vitals", "0", "0", "22", "0", "22", "0"])
            #expect(Array(lines[1][8...]) == ["yes", "0", "22", "4"])
            #expect(Array(lines[2][..<7]) == ["vitals", "1", "0", "17", "0", "17", "0"])
        }

        @Test func `list without a broker shows the last commit's numbers and fails`() throws {
            let run = try World.copy().run("offsets list", ["KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"])
            #expect(run.code == 1)
            #expect(run.output.contains("22"))
            #expect(run.errors.contains("127.0.0.1:1 does not answer: Connection refused -> start the broker"))
        }

        @Test(arguments: [
            (set("beginning", yes: false), "give --yes"),
            (set("23"), "give one from 0 to 22"),
            (set("0", partition: 2), "give one from 0 to 1"),
        ]) func `set refuses in one line and changes nothing`(_ line: String, _ reason: String) throws {
            let world = try World.copy()
            let before = try world.value("SELECT string_agg(p::text, '|') FROM ops.partition_progress AS p")
            let run = try world.run(line)
            #expect(run.code == 1)
            #expect(run.errors.contains(reason) && run.errors.split(separator: "\n").count == 1, "\(run.errors)")
            #expect(try world.value("SELECT string_agg(p::text, '|') FROM ops.partition_progress AS p") == before)
        }

        @Test func `a jump back holds all equations at once, and reading again changes no row`() throws {
            let world = try World.copy()
            let checksum = try world.checksum()
            let epoch = try Int(world.value("SELECT epoch \(Self.row)")) ?? 0
            let run = try world.run(Self.set("5"))
            #expect(run.code == 0, "\(run.text)")
            // Letters at 5, 6 and 8 come again; the tombstone at 4 stays.
            #expect(run.output.contains("3 dead letters from there on are removed"))
            #expect(try world.value("SELECT next_offset \(Self.row) AND first_offset = 0 AND owner IS NULL") == "5")
            #expect(try world.value("SELECT rejected \(Self.row) AND last_message_hash IS NULL") == "1")
            #expect(try Int(world.value("SELECT epoch \(Self.row)")) == epoch + 1)
            try world.expectSound()
            try world.serve(until: FedWorldTrait.messages)
            try world.expectSound()
            #expect(try world.checksum() == checksum)
            #expect(try world.value("SELECT count(*) FROM bronze.dead_letter") == "\(FedWorldTrait.rejected)")
        }

        @Test func `a jump back with milder settings accepts what was a dead letter, and the books agree`() throws {
            let world = try World.copy()
            #expect(try world.run(Self.set("beginning")).code == 0)
            try world.serve(until: FedWorldTrait.messages, ["MAX_MESSAGE_BYTES": "5000"])
            let run = try world.run("verify")
            #expect(run.code == 0, "\(run.text)")
            #expect(try world.value("SELECT rejected \(Self.row)") == "3")
        }

        @Test func `a jump forward passes over messages, which the log then shows and the books do not`() throws {
            let log = try MockLog(partitions: 1)
            let world = try World.empty(log)
            try log.send((0..<10).map { Messages.reading(1, $0, "\"heartRate\":70") }, to: 0)
            #expect(try world.run(Self.set("4")).code == 0)
            let run = try world.run(Self.set("8"))
            #expect(run.output.contains("4 offsets are passed over and never read"), "\(run.output)")
            try world.serve(until: 10)
            #expect(try world.value("SELECT gaps || ' ' || inserted \(Self.row)") == "4 2")
            #expect(try world.run("verify").code == 0)
            let compared = try world.run("verify --against-log")
            #expect(compared.code == 1)
            #expect(compared.output.contains("4 offsets are booked as gaps, the log has 0: an operator has moved"))
            #expect(compared.errors.contains("vital_reading: missing (expected 0, is 4)"))
        }

        @Test func `a group that has read nothing begins where it is told`() throws {
            var world = try World.copy()
            world.group = "other"
            let run = try world.run(Self.set("7"))
            #expect(run.code == 0, "\(run.text)")
            let row = "FROM ops.partition_progress WHERE consumer_group = 'other'"
            #expect(try world.value("SELECT first_offset || ' ' || next_offset || ' ' || consumed \(row)") == "7 7 0")
            try world.expectSound()
        }

        @Test func `a jump waits for a lane's commit`() throws {
            let world = try World.copy()
            var lane = try world.connect()
            try lane.execute("BEGIN; UPDATE ops.partition_progress SET updated_at = now()")
            let words = Self.set("0").split(separator: " ").map(String.init)
            let child = try Commands.start(words, settings: world.settings)
            let waiting =
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                + "AND datname = current_database()"
            try eventually("the command waits") { try world.value(waiting) == "1" }
            try lane.execute("COMMIT")
            let run = Programs.finish(child)
            #expect(run.code == 0, "\(run.text)")
            #expect(try world.value("SELECT next_offset \(Self.row)") == "0")
        }

        /// A fresh mock broker stands for a topic that was deleted and made again.
        @Test func `on a topic made anew the letters of the old one are kept under another name`() throws {
            let world = try World.copy()
            let fresh = try MockLog(partitions: 2)
            try fresh.send((0..<40).map { Messages.reading(6, $0, "\"heartRate\":75") } + ["7", "8"], to: 0)
            try fresh.send(["9"], to: 1)
            let settings = ["KAFKA_BOOTSTRAP_SERVERS": fresh.bootstrapServers]
            for partition in 0...1 {
                let run = try world.run(Self.set("beginning", partition: partition), settings)
                #expect(run.code == 0, "\(run.text)")
                #expect(run.output.contains("is not the log that was read"))
                #expect(run.output.contains("are kept under the topic name vitals.before-epoch-"))
                #expect(try world.run("verify").code == 0)
            }
            try world.serve(until: 43, settings)
            let run = try world.run("verify", settings)
            #expect(run.code == 0, "\(run.text)")
            #expect(try world.value("SELECT count(*) FROM bronze.dead_letter WHERE topic = 'vitals'") == "3")
            #expect(try world.value("SELECT count(*) FROM bronze.dead_letter WHERE topic LIKE 'vitals.%'") == "6")
        }
    }
}
