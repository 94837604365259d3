import Kafka
import Service
import Testing

@Suite struct LogReaderTests {
    private func offsets(
        _ reader: inout LogReader, from: Int64, to: Int64
    ) throws -> [Int64] {
        var seen: [Int64] = []
        let count = try reader.read(topic: "vitals", partition: 0, from: from, to: to) { seen.append($0.offset) }
        #expect(count == seen.count)
        return seen
    }

    @Test func `a range is read exactly, as often as wanted`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 1)
        try produce(5_000, to: cluster.bootstrapServers, topic: "vitals", partitions: 0..<1)
        var reader = try LogReader(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        #expect(try offsets(&reader, from: 0, to: 5_000) == Array(0..<5_000))
        #expect(try offsets(&reader, from: 17, to: 18) == [17])
        #expect(try offsets(&reader, from: 4_990, to: 4_990) == [])
        #expect(try offsets(&reader, from: 4_990, to: 9_999) == Array(4_990..<5_000), "the log's end comes first")
        #expect(try offsets(&reader, from: 5_000, to: 5_010) == [])
        let metadata = try reader.metadata(topic: "vitals")
        #expect(metadata.partitions.count == 1)
    }

    @Test func `a start outside the log is an error, not another start`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 1)
        try produce(10, to: cluster.bootstrapServers, topic: "vitals", partitions: 0..<1)
        var reader = try LogReader(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        do {
            try reader.read(topic: "vitals", partition: 0, from: 500, to: 600) { _ in }
            Issue.record("nothing was thrown")
        } catch {
            #expect(error.name == "ERR__AUTO_OFFSET_RESET")
        }
    }

    @Test func `a silent broker is given up`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 1)
        var reader = try LogReader(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        try cluster.setBroker(1, isUp: false)
        do {
            try reader.read(topic: "vitals", partition: 0, from: 0, to: 5, patience: .seconds(1)) { _ in }
            Issue.record("nothing was thrown")
        } catch {
            #expect(error.name == "ERR__TIMED_OUT")
            #expect(error.isRetriable)
        }
    }
}
