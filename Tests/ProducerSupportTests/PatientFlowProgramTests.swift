import FoundationEssentials  // JSON of another reader than ours
import Kafka
import ProducerSupport
import Service
import TestSupport
import Testing

/// `patient-flow-producer` as a process, against librdkafka's mock broker in this one.
@Suite struct PatientFlowProgramTests {
    private struct Counts: Decodable, Equatable {
        let seed: Int
        let sent: Int
        let delivered: Int
        let undelivered: Int
        let exact: Bool
        let stopped: Bool
        let events: [String: Int]
        let duplicates: Int
        let late: Int
        let reordered: Int
        let ledger: [String: Int]

        enum CodingKeys: String, CodingKey {
            case seed, sent, delivered, undelivered, exact, stopped, events, duplicates, late, reordered
            case ledger = "expected_ledger"
        }
    }

    private struct Told: Decodable {
        let eventId: String
        let facilityId: String
        let event: String
        let timestamp: Int64
    }

    /// What a reader of the messages counts.
    private struct Seen {
        var messages = 0
        var kinds: [String: Int] = [:]
        var payloads: [String: [UInt8]] = [:]
        var newest: [String: Int64] = [:]
        var partitions: [String: Set<Int32>] = [:]
        var late = 0
        var reordered = 0
        var duplicates = 0
        var faults: [String] = []

        mutating func read(_ payload: [UInt8], key: String?, partition: Int32) throws {
            let told = try JSONDecoder().decode(Told.self, from: Data(payload))
            messages += 1
            partitions[told.facilityId, default: []].insert(partition)
            if let key, key != told.facilityId { faults.append("key \(key)") }
            if let known = payloads.updateValue(payload, forKey: told.eventId) {
                duplicates += 1
                if known != payload { faults.append("other bytes") }
                return
            }
            kinds[told.event, default: 0] += 1
            let newest = newest[told.facilityId] ?? .min
            if told.timestamp < newest {
                if newest - told.timestamp > 600_000 { late += 1 } else { reordered += 1 }
            }
            self.newest[told.facilityId] = max(newest, told.timestamp)
        }

        func agrees(with counts: Counts) -> Bool {
            faults.isEmpty && messages == counts.sent
                && counts.events.allSatisfy { kinds[$0.key, default: 0] == $0.value }
                && kinds.values.reduce(0, +) == counts.events.values.reduce(0, +) && duplicates == counts.duplicates
                && late == counts.late && reordered == counts.reordered
                && counts.ledger["consumed"] == messages && counts.ledger["inserted"] == payloads.count
                && counts.ledger["duplicate"] == duplicates && counts.ledger["rejected"] == 0
        }
    }

    private static let shares = [
        "--late", "0.03", "--reordered", "0.05", "--duplicates", "0.1", "--cancelled", "0.04", "--seed", "7", "--json",
    ]

    private func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "flow")
        let result = Swift.Result { try body(directory) }
        try FileSystem.removeTree(directory)
        return try result.get()
    }

    private func readBack(_ cluster: borrowing MockCluster, partitions: Int32) throws -> Seen {
        var reader = try LogReader(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        var messages: [(key: String, payload: [UInt8], partition: Int32)] = []
        for partition in 0..<partitions {
            let ends = try reader.watermarks(of: TopicPartition(topic: "patient-flow", partition: partition))
            try reader.read(topic: "patient-flow", partition: partition, from: ends.low, to: ends.high) { record in
                let key = UnsafeRawBufferPointer(start: record.key, count: record.keyLength)
                let payload = UnsafeRawBufferPointer(start: record.payload, count: record.payloadLength)
                messages.append((String(decoding: key, as: UTF8.self), Array(payload), partition))
            }
        }
        var seen = Seen()
        for message in messages { try seen.read(message.payload, key: message.key, partition: message.partition) }
        return seen
    }

    @Test func `everything that is counted is in the log, each facility in one partition`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("patient-flow", partitions: 3)
        let run = try runProducer(
            "patient-flow-producer",
            ["--kafka-bootstrap-servers", cluster.bootstrapServers, "--speed", "0", "--days", "10"] + Self.shares)
        #expect(run.status == .exited(0), "\(run.errors)")
        let counts = try run.counts(as: Counts.self)
        #expect(counts.seed == 7 && counts.exact && !counts.stopped && counts.sent > 10_000)
        #expect(counts.delivered == counts.sent && counts.undelivered == 0)
        #expect(counts.late > 100 && counts.reordered > 100 && counts.duplicates > 500)
        let seen = try readBack(cluster, partitions: 3)
        #expect(seen.agrees(with: counts), "\(seen.kinds) \(seen.faults) \(counts)")
        #expect(seen.partitions.count == 3 && seen.partitions.values.allSatisfy { $0.count == 1 })
        // No event lies ahead of the clock, and the last ones lie just before it.
        let newest = seen.newest.values.max() ?? 0
        #expect((WallClock.nowMilliseconds() - 7_200_000...WallClock.nowMilliseconds()).contains(newest))
    }

    @Test func `a file, plain or packed, has the same messages on any day, and replays into the log`() throws {
        try withDirectory { directory in
            let arguments = ["--days", "5", "--output"]
            let plain = try runProducer(
                "patient-flow-producer", arguments + ["\(directory)/a.ndjson"] + Self.shares)
            let packed = try runProducer(
                "patient-flow-producer", arguments + ["\(directory)/a.ndjson.gz"] + Self.shares)
            #expect(plain.status == .exited(0) && packed.status == .exited(0), "\(plain.errors) \(packed.errors)")
            let counts = try plain.counts(as: Counts.self)
            #expect(try packed.counts(as: Counts.self) == counts)
            func read(_ path: String) throws -> (seen: Seen, lines: [[UInt8]]) {
                var reader = try LineReader(path: path)
                var seen = Seen()
                var lines: [[UInt8]] = []
                while let line = try reader.next() {
                    lines.append(Array(line))
                    try seen.read(Array(line), key: nil, partition: 0)
                }
                return (seen, lines)
            }
            let (seen, lines) = try read("\(directory)/a.ndjson")
            #expect(seen.agrees(with: counts))
            #expect(try read("\(directory)/a.ndjson.gz").lines == lines)
            // 2025-01-01, a Wednesday.
            #expect((1_735_689_600_000..<1_735_693_200_000).contains(seen.newest.isEmpty ? 0 : try first(lines)))

            let cluster = try MockCluster()
            try cluster.createTopic("patient-flow", partitions: 2)
            let replay = try runProducer(
                "patient-flow-producer",
                [
                    "--kafka-bootstrap-servers", cluster.bootstrapServers, "--file", "\(directory)/a.ndjson.gz",
                    "--speed", "1000000",
                ])
            #expect(replay.status == .exited(0), "\(replay.errors)")
            let logged = try readBack(cluster, partitions: 2)
            #expect(logged.agrees(with: counts))
            #expect(logged.partitions.values.allSatisfy { $0.count == 1 })
        }
    }

    private func first(_ lines: [[UInt8]]) throws -> Int64 {
        try JSONDecoder().decode(Told.self, from: Data(try #require(lines.first))).timestamp
    }

    @Test func `standard output has the messages alone, standard error the counts`() throws {
        let run = try runProducer(
            "patient-flow-producer", ["--count", "800", "--output", "-", "--log-level", "warning"] + Self.shares)
        #expect(run.status == .exited(0))
        var seen = Seen()
        for line in run.output.split(separator: "\n") { try seen.read(Array(line.utf8), key: nil, partition: 0) }
        let counts = try JSONDecoder().decode(Counts.self, from: Data(run.errors.utf8))
        #expect(seen.agrees(with: counts) && counts.sent == 800)
    }

    @Test func `a signal ends a run in real time with everything delivered and counted`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("patient-flow", partitions: 1)
        let child = try ChildProcess(
            try producerCommand(
                "patient-flow-producer",
                [
                    "--kafka-bootstrap-servers", cluster.bootstrapServers, "--speed", "5000", "--days", "365",
                    "--json",
                ]))
        _ = try #require(child.errorOutput?.waitForLine(containing: "sending", within: .seconds(30)))
        child.signal(15)
        #expect(child.wait(within: .seconds(20)) == .exited(0))
        _ = child.output?.waitForEnd(within: .seconds(5))
        let counts = try JSONDecoder().decode(Counts.self, from: Data((child.output?.text ?? "").utf8))
        #expect(counts.stopped && counts.exact && counts.sent > 0)
        #expect(try readBack(cluster, partitions: 1).agrees(with: counts))
    }

    @Test(arguments: [
        (arguments: ["--speed", "0"], text: "--speed"),
        (arguments: ["--speed", "60"], text: "--speed"),
        (arguments: ["--speed", "-1"], text: "--speed"),
        (arguments: ["--output", "x"], text: "--output"),
        (arguments: ["--days", "0"], text: "--days"),
        (arguments: ["--shuffle"], text: "--file"),
        (arguments: ["--file", "x", "--facilities", "2"], text: "--facilities"),
        (arguments: ["--file", "x", "--speed", "1", "--repeat", "2"], text: "--repeat"),
        (arguments: ["--start-time", "2999-01-01T00:00:00Z"], text: "--start-time"),
        (arguments: ["--late", "0.6", "--reordered", "0.6"], text: "--late"),
        (arguments: ["--duplicates", "0.95"], text: "--duplicates"),
        (arguments: ["--facilities", "0"], text: "--facilities"),
        (arguments: ["--patients", "5"], text: "--patients"),
    ])
    func `a wrong command line stops the program with one line and code 2`(arguments: [String], text: String) throws {
        let run = try runProducer("patient-flow-producer", arguments)
        #expect(run.status == .exited(2))
        #expect(run.output.isEmpty)
        #expect(run.errors.contains(text) && run.errors.split(separator: "\n").count == 1, "\(run.errors)")
    }

    @Test func `help tells the flags, shows examples and what a file is for`() throws {
        let run = try runProducer("patient-flow-producer", ["--help"])
        #expect(run.status == .exited(0) && run.errors.isEmpty)
        // Lines are broken where the width ends.
        let words = run.output.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
        for text in ["--speed", "--days", "Examples", "vitalstream evaluate --events", "--patient-flow-topic"] {
            #expect(words.contains(text), "\(text)")
        }
    }
}
