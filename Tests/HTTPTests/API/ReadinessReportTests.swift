import API
// The judge of our JSON must not be our own reader.
import FoundationEssentials
import Testing

struct ReadinessReportTests {
    /// The members of `/readyz` that dashboards read, as their decoder sees them.
    private struct Document: Decodable {
        struct Lane: Decodable {
            struct Partition: Decodable {
                let topic: String
                let partition: Int
                let lag: Int?
                let state: String
                let reason: String?
            }

            let name: String
            let database: String
            let databaseReason: String?
            let group: String
            let commitLatency: [String: Double]?
            let counters: [String: Int]
            let partitions: [Partition]
        }

        let status: String
        let reasons: [String]
        let lanes: [Lane]
    }

    private let nasty =
        "quote \" backslash \\ line\nend tab\t return\r bell\u{7} unit\u{1f} delete\u{7f} é 😀 \u{2028} </script>"

    private func busyHealth() -> ServiceHealth {
        ServiceHealth(lanes: [
            lane {
                $0.commitLatency = CommitLatency(p50Milliseconds: 1.25, p99Milliseconds: 1e-7)
                $0.counters.consumed = .max
                $0.counters.batches = 3
                $0.partitions.append(
                    PartitionHealth(topic: nasty, partition: .max, lag: nil, state: .stopped(reason: nasty)))
                $0.partitions.append(PartitionHealth(topic: "t", partition: 0, lag: 0, state: .waiting(reason: nasty)))
            },
            lane("lane-1") {
                $0.membership = .joining
                $0.database = .unavailable(reason: nasty)
                $0.partitions = []
            },
        ])
    }

    @Test func `another decoder reads what is meant`() throws {
        let json = ReadinessReport(health: busyHealth()).json
        let document = try JSONDecoder().decode(Document.self, from: Data(json))
        #expect(document.status == "not ready")
        #expect(document.reasons.count == 4)
        #expect(document.lanes[0].partitions.map(\.state) == ["running", "stopped", "waiting"])
        #expect(document.lanes[0].partitions[1].topic == nasty)
        #expect(document.lanes[0].partitions[1].reason == nasty)
        #expect(document.lanes[0].partitions.map(\.lag) == [12, nil, 0])
        #expect(document.lanes[0].commitLatency == ["p50Milliseconds": 1.25, "p99Milliseconds": 1e-7])
        #expect(document.lanes[0].counters["consumed"] == .max)
        #expect(document.lanes[0].counters.count == 11)
        #expect(document.lanes[1].group == "joining" && document.lanes[1].database == "unavailable")
        #expect(document.lanes[1].databaseReason == nasty && document.lanes[1].commitLatency == nil)
    }

    @Test func `a report reads itself back`() throws {
        for health in [busyHealth(), ServiceHealth(lanes: [lane()]), ServiceHealth(lanes: [])] {
            let report = ReadinessReport(health: health)
            #expect(try ReadinessReport(parsing: report.json) == report)
        }
    }

    @Test func `a latency that is no number becomes null`() throws {
        let report = ReadinessReport(
            health: ServiceHealth(lanes: [
                lane { $0.commitLatency = CommitLatency(p50Milliseconds: .nan, p99Milliseconds: .infinity) }
            ]))
        _ = try JSONDecoder().decode([String: Anything].self, from: Data(report.json))
        #expect(try ReadinessReport(parsing: report.json).health.lanes[0].commitLatency?.p50Milliseconds.isNaN == true)
    }

    private struct Anything: Decodable {
        init(from decoder: any Decoder) throws {}
    }

    @Test(arguments: ["", "[]", "{}", "{\"reasons\":[],\"lanes\":[{}]}", "{\"reasons\":[1],\"lanes\":[]}"])
    func `another text is an error`(text: String) {
        #expect(throws: JSONError.self) { try ReadinessReport(parsing: Array(text.utf8)) }
    }
}
