import Kafka
import Service
import TestSupport

/// A mock broker with one topic, to which nobody else writes.
///
/// Unchecked: any thread may call a `MockCluster`, and nothing of this class changes.
final class MockLog: @unchecked Sendable {
    static let topic = "vitals"

    let bootstrapServers: String
    private let cluster: MockCluster

    init(partitions: Int) throws {
        cluster = try MockCluster()
        // It would make the topic as soon as a service asks for it.
        cluster.setTopic("patient-flow", error: 3)
        bootstrapServers = cluster.bootstrapServers
        try cluster.createTopic(Self.topic, partitions: partitions)
    }

    /// Sends payloads in their order (nil is a tombstone) and waits until the broker has them.
    func send(_ payloads: [String?], to partition: Int32, headers: [MessageHeader] = []) throws {
        var producer = try Producer(properties: [("bootstrap.servers", bootstrapServers), ("linger.ms", "2")])
        for payload in payloads {
            let result = producer.enqueue(
                topic: Self.topic, partition: partition, key: nil, payload: payload.map { Array($0.utf8) },
                headers: headers)
            guard result == .queued else { throw TestFailure("not queued: \(result)") }
        }
        guard producer.flush(within: .seconds(30)) == 0, producer.failedCount == 0 else {
            throw TestFailure("messages were not delivered")
        }
    }
}

/// Messages of the tests. Every patient's id begins with `mark`, so that output can be searched for all of them.
enum Messages {
    static let mark = "5eedfeed"
    /// Two hours ago: no message is of the future.
    static let start = WallClock.nowMilliseconds() - 7_200_000

    static func reading(_ patient: Int, _ minute: Int64, _ vitals: String, pad: Int = 0) -> String {
        let number = String(patient)
        let id = "\(mark)-0000-4000-8000-" + String(repeating: "0", count: 12 - number.count) + number
        let padding = pad == 0 ? "" : ",\"large_data\":\"" + String(repeating: "x", count: pad) + "\""
        return "{\"patientId\":\"\(id)\",\"timestamp\":\(start + minute * 60_000),\(vitals)\(padding)}"
    }
}
