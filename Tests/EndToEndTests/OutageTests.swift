import Glibc
import Kafka
import Postgres
import Service
import TestSupport
import Testing

/// The database or the broker goes away under load and comes back.
@Suite(.serialized, .ownThread) struct OutageTests {
    /// A server of the test's own, to be stopped.
    private static func withServer(_ body: (PrivateServer) throws -> Void) throws {
        let server = try PrivateServer(
            listening: .loopback(port: nil), settings: [("max_connections", "60")], isDurable: false)
        defer { server.remove() }
        try body(server)
    }

    private static let away = "the database cannot be used"
    private static let back = "the database is back"

    @Test func `PostgreSQL stopped in three ways under load costs nothing and the group is kept`() throws {
        try Self.withServer { server in
            try Laboratory.open(server: server) { laboratory in
                let log = try laboratory.topic(partitions: 4)
                let service = try laboratory.serve(log, ["LANES": "2"])
                try service.awaitReady()
                let assigned = try service.count(of: "the group assigned")
                let revoked = try service.count(of: "the group revoked")
                let feeder = try laboratory.feed(log, perSecond: 1_000)
                try laboratory.awaitPosition(log, at: 1_000)

                for mode in [PrivateServer.StopMode.fast, .immediate] {
                    let away = try service.count(of: Self.away)
                    let back = try service.count(of: Self.back)
                    try server.stop(mode)
                    try service.awaitNotReady("database")
                    // The load goes on for some seconds meanwhile.
                    let count = log.count
                    try eventually("4,000 more messages are sent", within: .seconds(30)) { log.count > count + 4_000 }
                    #expect(try service.get("/healthz").status == 200, "it is alive, only waiting")
                    try server.start()
                    try service.awaitReady()
                    try laboratory.awaitPosition(log, at: log.count)
                    // One line a lane when it went, at most two more as its answer changed (no socket, starting up).
                    #expect((2...6).contains(try service.count(of: Self.away) - away), "\(service.tail())")
                    #expect(try service.count(of: Self.back) - back == 2, "\(service.tail())")
                }
                for _ in 1...3 {
                    let back = try service.count(of: Self.back)
                    var connection = try laboratory.connect()
                    let ended = try connection.texts(
                        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity "
                            + "WHERE datname = current_database() AND application_name LIKE 'vitalstream lane%'")
                    #expect(ended == [["2"]])
                    try eventually("both lanes are back", within: .seconds(30)) {
                        try service.count(of: Self.back) == back + 2
                    }
                }
                try feeder.stop()
                try laboratory.awaitPosition(log)
                try laboratory.judge(log)
                #expect(try service.count(of: "the group assigned") == assigned, "\(service.tail())")
                #expect(try service.count(of: "the group revoked") == revoked)
                try service.stop()
            }
        }
    }

    @Test func `a broker that goes and comes back under load costs nothing`() throws {
        try Self.withServer { server in
            let broker = try MockBroker()
            try Laboratory.open(broker, server: server) { laboratory in
                let log = try laboratory.topic(partitions: 4)
                let service = try laboratory.serve(log)
                let feeder = try laboratory.feed(log, perSecond: 1_000)
                try laboratory.awaitPosition(log, at: 1_000)
                try broker.cluster.setBroker(1, isUp: false)
                try service.awaitLine("no Kafka broker answers")
                let count = log.count
                try eventually("3,000 more messages are queued", within: .seconds(30)) { log.count > count + 3_000 }
                #expect(try service.get("/healthz").status == 200)
                try broker.cluster.setBroker(1, isUp: true)
                try laboratory.awaitPosition(log, at: log.count)
                try feeder.stop()
                try laboratory.awaitPosition(log)
                try laboratory.judge(log)
                try service.awaitReady()
                try service.stop()
            }
        }
    }

    @Test func `a start without database and topic waits, says so, and is ready when they come`() throws {
        try Self.withServer { server in
            try server.stop()
            let broker = try MockBroker()
            let unknownTopic: Int32 = 3
            try Laboratory.open(broker, server: server, migrated: false) { laboratory in
                let log = try laboratory.topic(partitions: 2)
                broker.cluster.setTopic(log.topic, error: unknownTopic)
                broker.cluster.setTopic("patient-flow", error: unknownTopic)
                let service = try laboratory.serve(log)
                try service.awaitLine(Self.away)
                try service.awaitLine("the topic does not exist yet")
                #expect(try service.get("/healthz").status == 200)
                #expect(try service.get("/readyz").status == 503)

                try server.start()
                try server.createDatabase(laboratory.database)
                try service.awaitLine(Self.back)
                #expect(try service.get("/readyz").status == 503, "the topic is still missing")

                broker.cluster.setTopic(log.topic, error: 0)
                try service.awaitReady()
                try log.send((0..<10).map { SentReading($0, WallClock.nowMilliseconds(), ["heartRate": 70]) })
                try laboratory.awaitPosition(log)
                let stored = try laboratory.rows()
                #expect(stored == 10)
                // The absent patient-flow topic never mattered.
                #expect(try service.get("/readyz").status == 200)
                try service.stop()
            }
        }
    }

    @Test func `with MIGRATE off it waits for the schema and names the command that makes it`() throws {
        try Self.withServer { server in
            try Laboratory.open(server: server, migrated: false) { laboratory in
                let log = try laboratory.topic(partitions: 1)
                try log.send([SentReading(1, WallClock.nowMilliseconds(), ["heartRate": 70])])
                let service = try laboratory.serve(log, ["MIGRATE": "off"])
                try service.awaitLine(Self.away, reason: "run vitalstream migrate")
                try service.awaitNotReady("vitalstream migrate")
                try laboratory.migrate()
                try service.awaitReady()
                try laboratory.awaitPosition(log)
                try laboratory.judge(log)
                try service.stop()
            }
        }
    }

    @Test func `a quiet service notices that the database is away and stops in time when asked`() throws {
        try Self.withServer { server in
            try Laboratory.open(server: server) { laboratory in
                let log = try laboratory.topic(partitions: 1)
                let service = try laboratory.serve(log)
                try service.awaitReady()
                try server.stop(.immediate)
                try service.awaitLine(Self.away, within: .seconds(10))
                try service.awaitNotReady("database", within: .seconds(5))
                try service.stop()
            }
        }
    }

    @Test func `a database turned read-only is waited for, and writable again it goes on`() throws {
        try Self.withServer { server in
            try Laboratory.open(server: server) { laboratory in
                let log = try laboratory.topic(partitions: 2)
                let service = try laboratory.serve(log)
                try service.awaitReady()
                func setReadOnly(_ value: String) throws {
                    var connection = try Connection.open(server.connectionURL(), applicationName: "laboratory")
                    try connection.execute(
                        "ALTER DATABASE \(laboratory.database) SET default_transaction_read_only = \(value)")
                    _ = try connection.texts(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                            + "WHERE datname = '\(laboratory.database)'")
                }
                try setReadOnly("on")
                try service.awaitLine(Self.away)
                try service.awaitNotReady("database")
                try log.send([SentReading(1, WallClock.nowMilliseconds(), ["heartRate": 70])])
                try setReadOnly("off")
                try laboratory.awaitPosition(log)
                try laboratory.judge(log)
                try service.awaitReady()
                try service.stop()
            }
        }
    }

    /// The sessions' processes stand still in the middle of their work, as when a disk hangs.
    @Test func `a database that stands still under load costs nothing and does not hold the end up`() throws {
        try Self.withServer { server in
            try Laboratory.open(server: server) { laboratory in
                let log = try laboratory.topic(partitions: 4)
                let service = try laboratory.serve(log, name: "patient")
                try service.awaitReady()
                let feeder = try laboratory.feed(log, perSecond: 2_000)
                try laboratory.awaitPosition(log, at: 1_000)
                let frozen = try Self.freezeSessions(laboratory)
                // Longer than the group's session.
                let start = log.count
                try eventually("20,000 more messages are sent", within: .seconds(40)) { log.count > start + 20_000 }
                #expect(try service.get("/healthz").status == 200)
                for pid in frozen { kill(pid, SIGCONT) }
                try laboratory.awaitPosition(log, at: log.count)
                #expect(try service.count(of: "the group revoked") == 0, "the group was kept")

                let stuck = try Self.freezeSessions(laboratory)
                try service.stop()
                for pid in stuck { kill(pid, SIGCONT) }
                try feeder.stop()
                let next = try laboratory.serve(log, name: "next")
                try laboratory.awaitPosition(log)
                try laboratory.judge(log)
                try next.stop()
            }
        }
    }

    /// SIGSTOP to the processes of all lanes' sessions.
    private static func freezeSessions(_ laboratory: Laboratory) throws -> [Int32] {
        var connection = try laboratory.connect()
        let pids = try connection.texts(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%lane%'"
        ).compactMap { $0[0].flatMap { Int32($0) } }
        for pid in pids { kill(pid, SIGSTOP) }
        return pids
    }
}
