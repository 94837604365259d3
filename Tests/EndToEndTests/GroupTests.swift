import ChaosLaboratory
import Glibc
import Postgres
import Service
import Testing

/// Two services in one group, on librdkafka's mock broker.
@Suite(.serialized, .ownThread, .databaseServer) struct GroupTests {
    @Test func `frozen inside its transaction one is taken over, writes nothing more, and comes back`() throws {
        try Laboratory.open { laboratory in
            let scenario = try GroupScenario(laboratory, topic: "vitals")
            try scenario.freezeAndThaw(at: .insideCopy)
            try scenario.finish(stopping: [scenario.frail, scenario.steady])
        }
    }

    @Test func `one that is killed is taken over`() throws {
        try Laboratory.open { laboratory in
            let scenario = try GroupScenario(laboratory, topic: "vitals")
            try scenario.killFrail()
            try scenario.finish(stopping: [scenario.steady])
        }
    }

    /// The frozen one's statements reach the server when the partition has a new owner who has not written yet, so
    /// that only the epoch tells them apart.
    @Test func `an owner of an older epoch is fenced even where the offset is still the same`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 1)
            let oldProxy = try laboratory.proxy()
            let newProxy = try laboratory.proxy()
            let old = try laboratory.serve(
                log, name: "old", databaseURL: laboratory.databaseURL(tag: "old", port: oldProxy.port))
            try old.awaitReady()
            let process = old.process
            oldProxy.arm(.beforeFence, .hold { process.signal(SIGSTOP) })
            try log.send([SentReading(1, WallClock.nowMilliseconds(), ["heartRate": 70])])
            try oldProxy.awaitSprung()
            try old.awaitFrozen()
            newProxy.arm(.beforeFence, .hold {})
            let new = try laboratory.serve(
                log, name: "new", databaseURL: laboratory.databaseURL(tag: "new", port: newProxy.port))
            try newProxy.awaitSprung(within: .seconds(45))
            // Both statements now wait before the server: the old owner's comes first.
            oldProxy.release()
            old.thaw()
            try old.awaitLine("fenced")
            newProxy.release()
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            var connection = try laboratory.connect()
            let writers = try connection.texts(
                "SELECT writer, epoch FROM laboratory.journal WHERE new_next > old_next")
            #expect(writers == [["new", "2"]])
            try new.stop()
            try old.stop()
        }
    }
}

/// The same on Apache Kafka, at each place of a transaction.
@Suite(.serialized, .ownThread, .databaseServer, .realBroker, .enabled(if: RealBroker.isAvailable, "needs KAFKA_HOME"))
struct RealGroupTests {
    @Test func `frozen at each place of its transaction one is taken over and comes back`() throws {
        try Laboratory.open(RealBroker.current) { laboratory in
            let scenario = try GroupScenario(laboratory, topic: Laboratory.freshName("vitals"))
            for moment in [WireProxy.Moment.afterFence, .insideCopy, .beforeCommit, .beforeFence] {
                try scenario.freezeAndThaw(at: moment)
            }
            try scenario.killFrail()
            try scenario.finish(stopping: [scenario.steady])
        }
    }

    @Test func `killed five times on a real broker the tables are those of the log`() throws {
        try Laboratory.open(RealBroker.current) { laboratory in
            let log = try laboratory.topic(Laboratory.freshName("vitals"), partitions: 4)
            let feeder = try laboratory.feed(log, perSecond: 1_000, limit: 30_000)
            for kill in 1...5 {
                let service = try laboratory.serve(log, name: "life-\(kill)", ["LANES": "\(1 + kill % 2)"])
                try laboratory.awaitPosition(log, at: try laboratory.position(log) + 300)
                try service.kill()
            }
            try feeder.awaitEnd()
            let last = try laboratory.serve(log, name: "last-life", ["LANES": "2"])
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            try last.stop()
        }
    }
}
