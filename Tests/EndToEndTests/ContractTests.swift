import Postgres
import Service
import TestSupport
import Testing

/// The contract's "One reading per patient and instant", through the whole service.
@Suite(.serialized, .ownThread, .databaseServer) struct ContractTests {
    /// The same instant in every case; today's, so that it lies in a daily partition.
    private static let now = WallClock.nowMilliseconds() / 1_000 * 1_000 - 60_000

    /// What is sent of one patient at one instant, in order, and what must be stored.
    struct Sequence: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let sent: [(numbers: [String: Double], origin: [String])]
        let stored: [String: Double]
        let source: Int64
        let origin: [String?]?
        let replaced: [String]
        let counts: NaiveFold.Counts

        init(
            _ name: String, _ sent: [[String: Double]], origins: [[String]] = [], stored: [String: Double],
            source: Int64, origin: [String?]? = nil, replaced: [String] = [], _ counts: NaiveFold.Counts
        ) {
            testDescription = name
            self.sent = sent.enumerated().map { ($1, $0 < origins.count ? origins[$0] : []) }
            self.stored = stored
            self.source = source
            self.origin = origin
            self.replaced = replaced
            self.counts = counts
        }
    }

    private static let sequences = [
        Sequence(
            "a duplicate writes nothing", [["heartRate": 70], ["heartRate": 70]], stored: ["heartRate": 70], source: 0,
            .init(inserted: 1, duplicate: 1)),
        Sequence(
            "values equal after rounding are duplicates", [["temperature": 36.6], ["temperature": 36.6000000001]],
            stored: ["temperature": 36.6], source: 0, .init(inserted: 1, duplicate: 1)),
        Sequence(
            "an absent value never replaces", [["heartRate": 70, "temperature": 37], ["heartRate": 70]],
            stored: ["heartRate": 70, "temperature": 37], source: 0, .init(inserted: 1, duplicate: 1)),
        Sequence(
            "a merge adds", [["heartRate": 70], ["temperature": 37], ["oxygenSaturation": 97]],
            stored: ["heartRate": 70, "temperature": 37, "oxygenSaturation": 97], source: 2,
            .init(inserted: 1, merged: 2)),
        Sequence(
            "a correction replaces and keeps the old value", [["heartRate": 70], ["heartRate": 71]],
            stored: ["heartRate": 71], source: 1, replaced: ["1:heartRate=70.0"], .init(inserted: 1, corrected: 1)),
        Sequence(
            "a correction there and back is two", [["heartRate": 70], ["heartRate": 71], ["heartRate": 70]],
            stored: ["heartRate": 70], source: 2, replaced: ["1:heartRate=70.0", "2:heartRate=71.0"],
            .init(inserted: 1, corrected: 2)),
        Sequence(
            "changing and adding at once is a correction",
            [["heartRate": 70, "temperature": 37], ["heartRate": 71, "oxygenSaturation": 97]],
            stored: ["heartRate": 71, "temperature": 37, "oxygenSaturation": 97], source: 1,
            replaced: ["1:heartRate=70.0"], .init(inserted: 1, corrected: 1)),
        Sequence(
            "the origin is filled once and is no change",
            [["heartRate": 70], ["heartRate": 70], ["heartRate": 70], ["heartRate": 72]],
            origins: [[], ["h1", "", "d1"], ["h2", "s2", "d2"], ["h3", "s3", "d3"]], stored: ["heartRate": 72],
            source: 3, origin: ["h1", nil, "d1"], replaced: ["3:heartRate=70.0"],
            .init(inserted: 1, corrected: 1, duplicate: 2)),
        Sequence(
            "suspect is that of the merged row", [["heartRate": 300], ["oxygenSaturation": 49], ["heartRate": 60]],
            stored: ["heartRate": 60, "oxygenSaturation": 49], source: 2, replaced: ["2:heartRate=300.0"],
            .init(inserted: 1, merged: 1, corrected: 1)),
    ]

    /// One patient a sequence: in one batch, in small ones, and each message in a transaction of its own.
    @Test(arguments: [65_536, 3, 1])
    func `hand-made sequences are stored as the contract says`(batchRows: Int) throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 1)
            // Message n of every sequence, then n + 1: neighbours in the log are of other patients.
            var offsets: [Int: [Int64]] = [:]
            var sent: [SentReading] = []
            for step in 0..<4 {
                for (patient, sequence) in Self.sequences.enumerated() where step < sequence.sent.count {
                    offsets[patient, default: []].append(Int64(sent.count))
                    let message = sequence.sent[step]
                    sent.append(SentReading(patient, Self.now, message.numbers, origin: message.origin))
                }
            }
            try log.send(sent)
            let service = try laboratory.serve(log, ["BATCH_MAX_ROWS": "\(batchRows)"])
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            var connection = try laboratory.connect()
            let state = try DatabaseState(&connection, group: "lab", topic: log.topic)
            var total = NaiveFold.Counts()
            for (patient, sequence) in Self.sequences.enumerated() {
                let key = NaiveFold.Key(patient: Patients.id(patient), time: Self.now)
                let row = try #require(state.rows[key], "\(sequence.testDescription)")
                let places = try #require(offsets[patient])
                #expect(row.vitals == sequence.stored.mapValues { .number(Float($0)) }, "\(sequence.testDescription)")
                #expect(row.offset == places[Int(sequence.source)], "\(sequence.testDescription)")
                #expect(row.origin == sequence.origin, "\(sequence.testDescription)")
                let replaced = state.history.filter { $0.key == key }.map { replacement in
                    let step = places.firstIndex(of: replacement.offset).map { "\($0)" } ?? "?"
                    return step + ":" + replacement.values.joined(separator: ",")
                }
                #expect(replaced == sequence.replaced, "\(sequence.testDescription)")
                total.inserted += sequence.counts.inserted
                total.merged += sequence.counts.merged
                total.corrected += sequence.counts.corrected
                total.duplicate += sequence.counts.duplicate
            }
            #expect(state.counts == [0: total])
            #expect(state.rows[NaiveFold.Key(patient: Patients.id(8), time: Self.now)]?.suspect == 0b100)
            try service.stop()
        }
    }

    /// Two partitions give one patient's readings; the greater (partition, offset) stands later, whoever came first.
    @Test func `what stands earlier in the log is stale and only fills absences`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 2)
            let service = try laboratory.serve(log)
            let steps: [(partition: Int, reading: SentReading)] = [
                (1, SentReading(1, Self.now, ["heartRate": 70])),
                (0, SentReading(1, Self.now, ["heartRate": 80, "temperature": 37])),
                (0, SentReading(1, Self.now, ["heartRate": 90])),
                (0, SentReading(1, Self.now, ["oxygenSaturation": 95], origin: ["h"])),
                (1, SentReading(1, Self.now, ["temperature": 38])),
            ]
            var wanted = NaiveFold()
            var next = [Int64](repeating: 0, count: 2)
            for step in steps {
                try log.send([SentMessage(step.reading)], to: step.partition)
                wanted.apply(SentMessage(step.reading), step.partition, next[step.partition])
                next[step.partition] += 1
                try laboratory.awaitPosition(log)
            }
            #expect(wanted.counts == [0: .init(merged: 1, stale: 2), 1: .init(inserted: 1, corrected: 1)])
            try laboratory.judge(log, against: wanted)
            try service.stop()
        }
    }

    /// Batch limits and lanes, all at once: each service has a group and a database of its own.
    @Test(arguments: [UInt64(20_261), UInt64.random(in: 1..<1_000_000)])
    func `a random stream gives the same rows, history and ledger however it is batched`(seed: UInt64) throws {
        let broker = try MockBroker()
        try broker.createTopic("vitals", partitions: 3)
        let log = SentLog(topic: "vitals", partitions: 3, bootstrapServers: broker.bootstrapServers)
        var generator = CollisionStream(seed: seed, now: Self.now)
        try log.send((0..<1_500).map { _ in generator.next() })
        let wanted = NaiveFold(log)
        try withLaboratories([(1, 1), (7, 2), (65_536, 1), (65_536, 2)], broker, log) { laboratory, group in
            do {
                try laboratory.awaitPosition(log, group: group)
                try laboratory.judge(log, group: group, against: wanted)
            } catch {
                throw TestFailure("seed \(seed), \(group): \(error)")
            }
        }
    }

    private func withLaboratories(
        _ variants: [(rows: Int, lanes: Int)], _ broker: MockBroker, _ log: SentLog,
        _ body: (Laboratory, String) throws -> Void
    ) throws {
        guard let variant = variants.first else { return }
        let group = "\(variant.rows)-rows-a-batch-\(variant.lanes)-lanes"
        try Laboratory.open(broker) { laboratory in
            try laboratory.serve(
                log, group: group, ["BATCH_MAX_ROWS": "\(variant.rows)", "LANES": "\(variant.lanes)"])
            try withLaboratories(Array(variants.dropFirst()), broker, log, body)
            try body(laboratory, group)
        }
    }
}
