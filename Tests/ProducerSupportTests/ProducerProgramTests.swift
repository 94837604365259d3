import FoundationEssentials  // JSON of another reader than ours, to read the programs' counts
import Kafka
import ProducerSupport
import Service
import TestSupport
import Testing

/// The programs themselves, as processes, against librdkafka's mock broker in this one.
@Suite struct ProducerProgramTests {
    private struct Counts: Decodable {
        let seed: Int
        let sent: Int
        let delivered: Int
        let undelivered: Int
        let exact: Bool
        let stopped: Bool
        let messages: [String: Int]?
        let ledger: [String: Int]?
        let deadLetters: [String: Int]?
        let withoutKey: Int?

        enum CodingKeys: String, CodingKey {
            case seed, sent, delivered, undelivered, exact, stopped, messages
            case ledger = "expected_ledger"
            case deadLetters = "expected_dead_letters"
            case withoutKey = "without_key"
        }
    }

    private struct Logged {
        var messages = 0
        var keys: [String: Int32] = [:]
        var keysInTwoPartitions = 0
        var emptyPayloads = 0
        var emptyKeys = 0
    }

    private func readBack(_ cluster: borrowing MockCluster, partitions: Int32) throws -> Logged {
        var reader = try LogReader(properties: [("bootstrap.servers", cluster.bootstrapServers)])
        var logged = Logged()
        for partition in 0..<partitions {
            let ends = try reader.watermarks(of: TopicPartition(topic: "vitals", partition: partition))
            try reader.read(topic: "vitals", partition: partition, from: ends.low, to: ends.high) { record in
                logged.messages += 1
                if record.payloadLength == 0 { logged.emptyPayloads += 1 }
                if record.keyLength == 0 {
                    logged.emptyKeys += 1
                } else {
                    let bytes = UnsafeRawBufferPointer(start: record.key, count: record.keyLength)
                    let key = String(decoding: bytes, as: UTF8.self)
                    if let other = logged.keys.updateValue(partition, forKey: key), other != partition {
                        logged.keysInTwoPartitions += 1
                    }
                }
            }
        }
        return logged
    }

    @Test(arguments: [
        ("/usr/local/bin/vitals-producer", "vitals-producer "),
        ("/usr/local/bin/duplicate-vitals-producer", "duplicate-vitals-producer "),
        ("duplicate-vitals-producer", "duplicate-vitals-producer "),
        ("/usr/local/bin/patient-flow-producer", "patient-flow-producer "),
        ("some-link", "vitals-producer "),
    ])
    func `one file is the producer that it is called by`(path: String, says: String) {
        let end = ProducerProgram.run(commandLine: [path, "--version"], environment: [:])
        #expect(end.code == 0 && end.output.hasPrefix(says), "\(end.output)")
    }

    @Test func `everything that vitals-producer counts is in the log, each patient in one partition`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 3)
        let run = try runProducer(
            "vitals-producer",
            [
                "--kafka-bootstrap-servers", cluster.bootstrapServers, "--rate", "0", "--count", "20000", "--seed", "7",
                "--patients", "50", "--json",
            ])
        #expect(run.status == .exited(0), "\(run.errors)")
        let counts = try run.counts(as: Counts.self)
        #expect(counts.seed == 7 && counts.exact && !counts.stopped)
        #expect(counts.sent == 20_000 && counts.delivered == 20_000 && counts.undelivered == 0)
        #expect(counts.ledger?["inserted"] == 20_000 && counts.ledger?["consumed"] == 20_000)
        let logged = try readBack(cluster, partitions: 3)
        #expect(logged.messages == 20_000)
        #expect(logged.keys.count == 50 && logged.keysInTwoPartitions == 0)
    }

    @Test func `duplicate-vitals-producer's kinds, columns and reasons add up to what is in the log`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 2)
        let run = try runProducer(
            "duplicate-vitals-producer",
            [
                "--kafka-bootstrap-servers", cluster.bootstrapServers, "--rate", "0", "--count", "20000", "--patients",
                "50", "--malformed", "0.1", "--oversize", "0.0005", "--json",
            ])
        #expect(run.status == .exited(0), "\(run.errors)")
        let counts = try run.counts(as: Counts.self)
        let kinds = try #require(counts.messages)
        let ledger = try #require(counts.ledger)
        let letters = try #require(counts.deadLetters)
        #expect(kinds.values.reduce(0, +) == 20_000)
        #expect(kinds["duplicates"] == ledger["duplicate"] && kinds["merges"] == ledger["merged"])
        #expect(ledger["inserted"] == (kinds["readings"] ?? 0) + (kinds["late"] ?? 0))
        #expect(ledger["rejected"] == letters.values.reduce(0, +) && ledger["stale"] == 0)
        #expect((kinds["oversize"] ?? 0) > 0 && kinds["oversize"] == letters["oversize"])
        let logged = try readBack(cluster, partitions: 2)
        #expect(logged.messages == 20_000)
        #expect(logged.emptyPayloads == letters["empty_payload"])
    }

    @Test func `a replayed file is all in the log`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 2)
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "producer")
        let path = "\(directory)/messages.ndjson"
        try FileSystem.writeText(path, (0..<500).map { "{\"patientId\":\"p\($0 % 20)\"}\n" }.joined() + "broken\n")
        let run = try runProducer(
            "vitals-producer",
            [
                "--kafka-bootstrap-servers", cluster.bootstrapServers, "--file", path, "--repeat", "2", "--shuffle",
                "--seed", "3", "--json",
            ])
        try FileSystem.removeTree(directory)
        #expect(run.status == .exited(0), "\(run.errors)")
        #expect(try run.counts(as: Counts.self).delivered == 1_002)
        #expect(try run.counts(as: Counts.self).withoutKey == 2)
        let logged = try readBack(cluster, partitions: 2)
        #expect(logged.messages == 1_002 && logged.emptyKeys == 2 && logged.keys.count == 20)
        #expect(logged.keysInTwoPartitions == 0)
    }

    @Test(arguments: [2, 15] as [Int32])
    func `a signal ends a run with everything delivered and counted`(signal: Int32) throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 1)
        let child = try ChildProcess(
            try producerCommand(
                "vitals-producer",
                ["--kafka-bootstrap-servers", cluster.bootstrapServers, "--rate", "500", "--json"]))
        // The first progress line: it is sending.
        _ = try #require(child.errorOutput?.waitForLine(containing: "sending", within: .seconds(30)))
        child.signal(signal)
        #expect(child.wait(within: .seconds(20)) == .exited(0))
        _ = child.output?.waitForEnd(within: .seconds(5))
        let counts = try JSONDecoder().decode(Counts.self, from: Data((child.output?.text ?? "").utf8))
        #expect(counts.stopped && counts.exact && counts.sent == counts.delivered && counts.sent > 0)
        #expect(try readBack(cluster, partitions: 1).messages == counts.sent)
    }

    @Test func `a message that was not delivered makes the exit code 1`() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 1)
        // 10: MESSAGE_TOO_LARGE, which no retry mends.
        cluster.failNextRequests(ofKind: 0, with: [10])
        let run = try runProducer(
            "vitals-producer",
            ["--kafka-bootstrap-servers", cluster.bootstrapServers, "--rate", "0", "--count", "100", "--json"])
        #expect(run.status == .exited(1))
        #expect(try run.counts(as: Counts.self).undelivered > 0)
        #expect(try !run.counts(as: Counts.self).exact)
        #expect(run.errors.contains("not delivered"))
    }

    @Test(arguments: [
        (program: "vitals-producer", arguments: ["--rate", "0"], text: "--count"),
        (program: "vitals-producer", arguments: ["--rate", "-1"], text: "--rate"),
        (program: "vitals-producer", arguments: ["--rate", "100000", "--patients", "10"], text: "--patients"),
        (program: "vitals-producer", arguments: ["--shuffle"], text: "--file"),
        (program: "vitals-producer", arguments: ["--file", "x", "--patients", "5"], text: "--patients"),
        (program: "vitals-producer", arguments: ["--start-time", "2999-01-01T00:00:00Z"], text: "--start-time"),
        (program: "duplicate-vitals-producer", arguments: ["--duplicates", "0.9", "--late", "0.2"], text: "shares"),
        (program: "duplicate-vitals-producer", arguments: ["--file", "x"], text: "--file"),
    ])
    func `a wrong command line stops the program with one line and code 2`(
        program: String, arguments: [String], text: String
    ) throws {
        let run = try runProducer(program, arguments)
        #expect(run.status == .exited(2))
        #expect(run.output.isEmpty)
        #expect(run.errors.contains(text) && run.errors.split(separator: "\n").count == 1, "\(run.errors)")
    }

    @Test(arguments: ["vitals-producer", "duplicate-vitals-producer"])
    func `help tells the flags and shows examples`(program: String) throws {
        let run = try runProducer(program, ["--help"])
        #expect(run.status == .exited(0) && run.errors.isEmpty)
        #expect(run.output.contains("--rate") && run.output.contains("Examples"))
    }
}
