import Service
import Testing

/// Two services in one group, on librdkafka's mock broker.
@Suite(.serialized, .ownThread, .databaseServer) struct GroupTests {
    @Test func `one of two services frozen inside its transaction is taken over, writes nothing more, and comes back`()
        throws
    {
        try Laboratory.open { laboratory in
            let scenario = try GroupScenario(laboratory, topic: "vitals")
            try scenario.freezeAndThaw(at: .insideCopy)
            try scenario.finish(stopping: [scenario.frail, scenario.steady])
        }
    }

    @Test func `one of two services killed is taken over`() throws {
        try Laboratory.open { laboratory in
            let scenario = try GroupScenario(laboratory, topic: "vitals")
            try scenario.killFrail()
            try scenario.finish(stopping: [scenario.steady])
        }
    }
}

/// The same on Apache Kafka, at each place of a transaction.
@Suite(.serialized, .ownThread, .databaseServer, .realBroker, .enabled(if: RealBroker.isAvailable, "needs KAFKA_HOME"))
struct RealGroupTests {
    @Test func `frozen before and after the fence, inside the COPY and before COMMIT it is taken over and comes back`()
        throws
    {
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
