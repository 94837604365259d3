import Kafka
import Postgres
import Service
import TestSupport
import Testing

/// The log under a stored offset is no longer the one that was read: the partition stops and says how to go on, the
/// others go on. On the mock broker a fresh cluster stands for a topic that was made anew.
@Suite(.serialized, .ownThread, .databaseServer) struct TopicChangeTests {
    private static let remedy = "vitalstream offsets"

    private static func readings(_ count: Int, patients: ClosedRange<Int> = 0...1, from start: Int = 0) -> [SentReading]
    {
        let now = WallClock.nowMilliseconds() - 3_600_000
        return (start..<start + count).map { number in
            SentReading(
                patients.lowerBound + number % patients.count, now + Int64(number),
                ["heartRate": Double(60 + number % 50)])
        }
    }

    /// Reads a first log to its end, then starts on a second one that `fill` makes, and waits for partition 0's stop.
    private static func stopOnAnother(
        _ cause: String, fill: (SentLog) throws -> Void
    ) throws {
        try Laboratory.open { laboratory in
            let first = try laboratory.topic(partitions: 2)
            try first.send(readings(40))
            let before = try laboratory.serve(first, name: "before")
            try laboratory.awaitPosition(first)
            try before.stop()
            let checksum = try laboratory.checksum()

            let other = try MockBroker()
            try other.createTopic("vitals", partitions: 2)
            let second = SentLog(topic: "vitals", partitions: 2, bootstrapServers: other.bootstrapServers)
            try fill(second)
            let after = try laboratory.serve(
                second, name: "after", ["KAFKA_BOOTSTRAP_SERVERS": other.bootstrapServers])
            try after.awaitLine("partition stopped", reason: cause)
            let body = try after.awaitNotReady(remedy)
            #expect(body.contains("vitals") && body.contains(cause), "\(body)")
            #expect(try laboratory.checksum() == checksum, "nothing of the other log is stored")
            #expect(try after.get("/healthz").status == 200)
            try after.stop()
        }
    }

    @Test func `a topic made anew that is shorter than the stored offset stops with the way on`() throws {
        try Self.stopOnAnother("re-created or truncated") { log in try log.send(Self.readings(10)) }
    }

    @Test func `a topic made anew that is longer than the stored offset stops with the way on`() throws {
        try Self.stopOnAnother("is not the one that was stored") { log in try log.send(Self.readings(100, from: 7)) }
    }

    @Test func `a topic made anew that ends exactly at the stored offset stops with the way on`() throws {
        try Self.stopOnAnother("is not the one that was stored") { log in try log.send(Self.readings(40, from: 7)) }
    }

    /// The mock broker drops the oldest beyond 5 MiB, as retention would.
    @Test func `a log cut beyond the stored offset stops that partition until an operator moves it`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 2)
            try log.send(Self.readings(40))
            let before = try laboratory.serve(log, name: "before")
            try laboratory.awaitPosition(log)
            try before.stop()

            // Some 7 MB into partition 0, little into partition 1.
            let now = WallClock.nowMilliseconds()
            var padded = SentReading(0, now, ["heartRate": 70])
            padded.extra = "\"padding\":\"\(String(repeating: "x", count: 70_000))\""
            for number in 0..<100 {
                padded.time = now + Int64(number)
                try log.send([SentMessage(padded)], to: 0)
            }
            try log.send(Self.readings(10, patients: 1...1, from: 200))
            let after = try laboratory.serve(log, name: "after")
            try after.awaitLine("partition stopped", reason: "retention has removed")
            try after.awaitNotReady(Self.remedy)
            // The other partition goes on.
            var connection = try laboratory.connect()
            try eventually("partition 1 is read to its end") {
                try connection.texts("SELECT next_offset FROM ops.partition_progress WHERE partition = 1") == [["30"]]
            }
            try log.send(Self.readings(5, patients: 1...1, from: 300))
            try eventually("partition 1 goes on") {
                try connection.texts("SELECT next_offset FROM ops.partition_progress WHERE partition = 1") == [["35"]]
            }
            #expect(
                try connection.texts("SELECT next_offset FROM ops.partition_progress WHERE partition = 0") == [["20"]])

            try laboratory.sendBack(log, partition: 0, to: "beginning")
            try after.awaitReady()
            try eventually("partition 0 is read to its end") {
                try connection.texts("SELECT next_offset FROM ops.partition_progress WHERE partition = 0") == [["120"]]
            }
            try after.stop()
        }
    }
}
