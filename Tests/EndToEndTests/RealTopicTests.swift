import Kafka
import Postgres
import Service
import TestSupport
import Testing

/// Topics deleted, made anew and cut on Apache Kafka, while the service is away and while it runs.
@Suite(.serialized, .ownThread, .databaseServer, .realBroker, .enabled(if: RealBroker.isAvailable, "needs KAFKA_HOME"))
struct RealTopicTests {
    private static func readings(_ count: Int, from start: Int = 0) -> [SentReading] {
        let now = WallClock.nowMilliseconds() - 3_600_000
        return (start..<start + count).map { SentReading($0 % 2, now + Int64($0), ["heartRate": Double(60 + $0 % 50)]) }
    }

    /// Deletes the topic and makes it again; a new log, from offset 0.
    private static func makeAnew(_ log: SentLog, _ broker: RealBroker) throws -> SentLog {
        var admin = try broker.admin()
        try admin.deleteTopic(log.topic)
        try eventually("\(log.topic) can be made again", within: .seconds(30), every: .milliseconds(100)) {
            do throws(KafkaError) {
                try admin.createTopic(log.topic, partitions: log.partitionCount)
                return true
            } catch {
                // The deletion is still going on.
                return false
            }
        }
        return SentLog(
            topic: log.topic, partitions: log.partitionCount, bootstrapServers: broker.bootstrapServers)
    }

    private static func position(_ laboratory: Laboratory, _ partition: Int) throws -> Int {
        var connection = try laboratory.connect()
        let found = try connection.texts(
            "SELECT next_offset FROM ops.partition_progress WHERE partition = \(partition)")
        return found.first?[0].flatMap { Int($0) } ?? -1
    }

    @Test(arguments: [6, 60])
    func `a topic made anew while the service is away stops with the way on`(newMessages: Int) throws {
        let broker = try #require(RealBroker.current)
        try Laboratory.open(broker) { laboratory in
            let first = try laboratory.topic(Laboratory.freshName("vitals"), partitions: 2)
            try first.send(Self.readings(20))
            let before = try laboratory.serve(first, name: "before")
            try laboratory.awaitPosition(first)
            try before.stop()
            let checksum = try laboratory.checksum()
            let second = try Self.makeAnew(first, broker)
            try second.send(Self.readings(newMessages, from: 500))
            let after = try laboratory.serve(second, name: "after")
            try after.awaitLine(
                "partition stopped", reason: newMessages < 20 ? "re-created or truncated" : "is not the one")
            try after.awaitNotReady("vitalstream offsets")
            #expect(try laboratory.checksum() == checksum, "nothing of the other log is stored")
            try after.stop()
        }
    }

    @Test(arguments: [6, 60])
    func `a topic made anew under a running service stops with the way on`(newMessages: Int) throws {
        let broker = try #require(RealBroker.current)
        try Laboratory.open(broker) { laboratory in
            let first = try laboratory.topic(Laboratory.freshName("vitals"), partitions: 2)
            try first.send(Self.readings(20))
            let service = try laboratory.serve(first)
            try laboratory.awaitPosition(first)
            let checksum = try laboratory.checksum()
            let second = try Self.makeAnew(first, broker)
            try second.send(Self.readings(newMessages, from: 500))
            try service.awaitLine("partition stopped", within: .seconds(60))
            try service.awaitNotReady("vitalstream offsets")
            #expect(try laboratory.checksum() == checksum, "nothing of the other log is stored")
            #expect(try service.get("/healthz").status == 200)
            try service.stop()
        }
    }

    @Test func `records deleted beyond the stored offset stop that partition and the others go on`() throws {
        let broker = try #require(RealBroker.current)
        try Laboratory.open(broker) { laboratory in
            let log = try laboratory.topic(Laboratory.freshName("vitals"), partitions: 2)
            try log.send(Self.readings(20))
            let before = try laboratory.serve(log, name: "before")
            try laboratory.awaitPosition(log)
            try before.stop()
            try log.send(Self.readings(40, from: 100))
            var admin = try broker.admin()
            try admin.deleteRecords(before: TopicPartitionOffset(topic: log.topic, partition: 0, offset: 20))
            let after = try laboratory.serve(log, name: "after")
            try after.awaitLine("partition stopped", reason: "retention has removed")
            try after.awaitNotReady("vitalstream offsets")
            try eventually("partition 1 goes on") { try Self.position(laboratory, 1) == 30 }
            #expect(try Self.position(laboratory, 0) == 10)
            try after.stop()
        }
    }

    @Test func `records deleted behind a running service matter to nobody`() throws {
        let broker = try #require(RealBroker.current)
        try Laboratory.open(broker) { laboratory in
            let log = try laboratory.topic(Laboratory.freshName("vitals"), partitions: 2)
            try log.send(Self.readings(20))
            let service = try laboratory.serve(log)
            try laboratory.awaitPosition(log)
            var admin = try broker.admin()
            try admin.deleteRecords(before: TopicPartitionOffset(topic: log.topic, partition: 0, offset: 10))
            try log.send(Self.readings(20, from: 100))
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            try service.stop()
            // Everything read is deleted: a start finds the ledger at the log's end and nothing to compare with.
            try admin.deleteRecords(before: TopicPartitionOffset(topic: log.topic, partition: 0, offset: 20))
            let next = try laboratory.serve(log, name: "next")
            try next.awaitReady()
            try log.send(Self.readings(20, from: 200))
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            try next.stop()
        }
    }

    /// Apache's own tool commits a transaction every 20 ms; each leaves a marker, an offset without a message.
    @Test func `markers of transactions are booked as gaps and nothing is missed`() throws {
        let broker = try #require(RealBroker.current)
        let home = try #require(RealBroker.home)
        try Laboratory.open(broker) { laboratory in
            let log = try laboratory.topic(Laboratory.freshName("vitals"), partitions: 2)
            let payloads = laboratory.directory + "/payloads.ndjson"
            try FileSystem.writeText(payloads, Self.readings(50).map(\.json).joined(separator: "\n"))
            let count = 2_000
            let run = try ChildProcess.run(
                home + "/kafka",
                [
                    "perf-producer", "--topic", log.topic, "--num-records", "\(count)", "--throughput", "2000",
                    "--payload-file", payloads, "--transactional-id", log.topic, "--transaction-duration-ms", "20",
                    "--producer-props", "bootstrap.servers=\(broker.bootstrapServers)",
                ], within: .seconds(90))
            try #require(run.status?.isSuccess == true, "\(run.output)")
            var connection = try laboratory.connect()
            func books() throws -> [String?] {
                try connection.texts(
                    "SELECT sum(consumed), sum(next_offset - first_offset - consumed - gaps), sum(gaps) > 0 "
                        + "FROM ops.partition_progress")[0]
            }
            let service = try laboratory.serve(log)
            try eventually("all \(count) messages are stored") { try books()[0] == "\(count)" }
            #expect(try books() == ["\(count)", "0", "t"])
            try service.stop()
            // A start between the markers, and one message after the last of them.
            let next = try laboratory.serve(log, name: "next")
            try next.awaitReady()
            try log.send([SentMessage(SentReading(3, WallClock.nowMilliseconds(), ["heartRate": 70]))], to: 0)
            try eventually("the message after the last marker is stored") { try books()[0] == "\(count + 1)" }
            #expect(try books() == ["\(count + 1)", "0", "t"])
            try next.stop()
            try laboratory.verify(log)
        }
    }

    @Test func `partitions added to a running topic are read`() throws {
        let broker = try #require(RealBroker.current)
        let home = try #require(RealBroker.home)
        try Laboratory.open(broker) { laboratory in
            let topic = Laboratory.freshName("vitals")
            let log = try laboratory.topic(topic, partitions: 1)
            try log.send(Self.readings(10))
            let service = try laboratory.serve(log)
            try laboratory.awaitPosition(log)
            let run = try ChildProcess.run(
                home + "/kafka",
                [
                    "topics", "--bootstrap-server", broker.bootstrapServers, "--alter", "--topic", topic,
                    "--partitions",
                    "3",
                ], within: .seconds(60))
            try #require(run.status?.isSuccess == true, "\(run.output)")
            let wider = SentLog(topic: topic, partitions: 3, bootstrapServers: broker.bootstrapServers)
            for partition in 1...2 {
                try wider.send(
                    Self.readings(5, from: 1_000 * partition).map(SentMessage.init), to: partition)
            }
            for partition in 1...2 {
                try eventually("partition \(partition) is read") { try Self.position(laboratory, partition) == 5 }
            }
            try service.stop()
        }
    }
}
