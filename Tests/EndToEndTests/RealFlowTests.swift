import Service
import TestSupport
import Testing

/// Patient flow on Apache Kafka.
@Suite(.serialized, .ownThread, .databaseServer, .realBroker, .enabled(if: RealBroker.isAvailable, "needs KAFKA_HOME"))
struct RealFlowTests {
    @Test func `a topic that comes later is read, through kills, and every event is stored once`() throws {
        let broker = try #require(RealBroker.current)
        try Laboratory.open(broker) { laboratory in
            let log = try laboratory.topic(Laboratory.freshName("vitals"), partitions: 1)
            let name = Laboratory.freshName("flow")
            let settings = ["PATIENT_FLOW_TOPIC": name, "VALIDATION_MAX_FUTURE_SECONDS": "off", "BATCH_MAX_ROWS": "25"]
            let first = try laboratory.serve(log, name: "first", settings)
            try log.send([SentReading(1, WallClock.nowMilliseconds(), ["heartRate": 70])])
            try laboratory.awaitPosition(log)
            try first.awaitReady()

            let flow = try FlowTopic(broker, name, partitions: 2)
            var stream = FlowStream(seed: 5)
            let told = stream.events(visits: 80, facilities: ["north", "south"])
            try flow.send(told["north"] ?? [], to: 0)
            try eventually("the new topic is being read") { try laboratory.flowPosition(flow) > 50 }
            try first.kill()
            try flow.send(told["south"] ?? [], to: 1)
            let second = try laboratory.serve(log, name: "second", settings)
            try laboratory.awaitFlow(flow)
            #expect(try FlowWindowTests.differences(laboratory, topic: name).isEmpty)
            var connection = try laboratory.connect()
            let books = try connection.texts(
                """
                SELECT sum(inserted) = (SELECT count(*) FROM silver.patient_flow_event), sum(inserted + duplicate)
                FROM ops.partition_progress WHERE topic = '\(name)'
                """)
            #expect(books == [["t", "\(flow.count)"]])
            try second.stop()
        }
    }
}
