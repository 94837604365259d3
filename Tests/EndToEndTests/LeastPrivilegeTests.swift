import Postgres
import Service
import TestSupport
import Testing

/// A login that is a member of `vitalstream_service`, and of nothing else, is enough for everything but `migrate`.
@Suite(.serialized, .ownThread, .databaseServer) struct LeastPrivilegeTests {
    private static let now = WallClock.nowMilliseconds() / 1_000 * 1_000 - 60_000

    /// A migrated database, and a login for the service.
    private static func login(_ laboratory: Laboratory) throws -> (name: String, url: String) {
        let run = try Programs.run(["migrate"], settings: ["DATABASE_URL": laboratory.databaseURL()])
        guard run.status?.isSuccess == true else { throw TestFailure("migrate: \(run.output)") }
        let name = "service_" + UUIDBytes.random().text.prefix(8)
        var connection = try laboratory.connect()
        try connection.execute("CREATE ROLE \(name) LOGIN IN ROLE vitalstream_service")
        let url = laboratory.databaseURL().replacing("//\(PrivateServer.user)@", with: "//\(name)@")
        return (name, url)
    }

    @Test func `serve and every command but migrate run as the service's role`() throws {
        try Laboratory.open(migrated: false) { laboratory in
            let login = try Self.login(laboratory)
            let log = try laboratory.topic(partitions: 2)
            let service = try laboratory.serve(log, databaseURL: login.url)
            // New rows, a merge, corrections, a duplicate, an origin, bad ones; one of 2020 for the default partition.
            try log.send([
                SentReading(1, Self.now, ["heartRate": 70], origin: ["h1", "s1", "d1"]),
                SentReading(2, Self.now, ["heartRate": 71]), SentReading(3, 1_580_000_000_000, ["heartRate": 72]),
            ])
            try laboratory.awaitPosition(log)
            try log.send([
                SentReading(1, Self.now, ["temperature": 37]), SentReading(2, Self.now, ["heartRate": 75]),
                SentReading(2, Self.now, ["heartRate": 75]), SentReading(3, 1_580_000_000_000, ["heartRate": 73]),
            ])
            try log.send([SentMessage(bad: "malformed_json", "{"), SentMessage(bad: "not_an_object", "1")])
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            // Housekeeping has found nothing to migrate and has made partitions.
            var connection = try laboratory.connect()
            try eventually("partitions are made ahead") {
                try connection.query("SELECT count(*) FROM ops.reading_partition").int64(0, 0) == 11
            }
            #expect(try service.count(of: "the schema is not up to date yet") == 0)

            let settings = [
                "DATABASE_URL": login.url, "KAFKA_BOOTSTRAP_SERVERS": laboratory.broker.bootstrapServers,
                "KAFKA_GROUP_ID": "lab", "VITALS_TOPIC": log.topic, "LANES": "1",
            ]
            let commands: [[String]] = [
                ["verify"], ["verify", "--against-log"], ["dead-letter", "list"], ["offsets", "list"],
                ["dead-letter", "show", log.topic, "0", "\(log.partitions[0].count - 1)", "--payload"],
                ["dead-letter", "retry", "--yes"], ["partitions"], ["partitions", "--ahead", "9"],
                ["partitions", "--empty-default"],
                ["retention", "--vitals", "2y", "--history", "2y", "--dead-letters", "90d"], ["verify"],
            ]
            for command in commands {
                let run = try Programs.run(command, settings: settings)
                if run.status?.isSuccess != true { throw TestFailure("\(command): \(run.output)") }
            }
            #expect(
                try connection.query("SELECT sum(dropped_rows) FROM ops.retention_run").text(0, 0) == "2",
                "the reading of 2020 and what its correction replaced")
            try log.send([SentReading(4, Self.now, ["heartRate": 60])])
            try laboratory.awaitPosition(log)
            try service.stop()
            let move = ["offsets", "set", "--topic", log.topic, "--partition", "1", "--to", "beginning", "--yes"]
            for command in [move, ["verify"]] {
                let run = try Programs.run(command, settings: settings)
                if run.status?.isSuccess != true { throw TestFailure("\(command): \(run.output)") }
            }
            try connection.execute("DROP OWNED BY \(login.name); DROP ROLE \(login.name)")
        }
    }

    @Test func `check is content with the service's role`() throws {
        try Laboratory.open(migrated: false) { laboratory in
            let login = try Self.login(laboratory)
            let log = try laboratory.topic(partitions: 1)
            let run = try Programs.run(
                ["check"],
                settings: [
                    "DATABASE_URL": login.url, "KAFKA_BOOTSTRAP_SERVERS": laboratory.broker.bootstrapServers,
                    "VITALS_TOPIC": log.topic, "LANES": "1",
                ])
            #expect(!run.output.contains("missing:") && !run.output.contains("may not make"), "\(run.output)")
        }
    }
}
