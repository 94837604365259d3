internal import Ingest
internal import Kafka
internal import Service
internal import TestSupport
internal import VitalSigns

/// Payloads that are almost right, or not at all, on their way through the whole lane: nothing traps, every one is
/// stored or becomes a dead letter, and how the lane cuts the log into slices and batches makes no difference.
package enum LaneFuzz {
    /// Payloads of one log.
    private static let payloadsPerLog = 2_000

    /// What came of the payloads.
    package struct Outcome: Sendable {
        package var payloads = 0
        package var rows = 0
        package var letters = 0
        /// Reason codes that were met, with their counts.
        package var reasons: [String: Int] = [:]
        package var violations: [String] = []
    }

    /// Sends so many payloads through a lane, twice.
    package static func run(payloads: Int, seed: UInt64, note: (Outcome) -> Void = { _ in }) -> Outcome {
        var outcome = Outcome()
        var seed = seed
        while outcome.payloads < payloads, outcome.violations.isEmpty {
            judge(log(seed: seed), seed, &outcome)
            seed += 1
            if outcome.payloads % 100_000 == 0 { note(outcome) }
        }
        return outcome
    }

    private static func log(seed: UInt64) -> FakeLog {
        var generator = PayloadGenerator(seed: seed, bases: JSONCorpus.bases)
        let log = FakeLog(partitions: 2)
        for _ in 0..<payloadsPerLog {
            let payload = generator.payload()
            var message = TestMessage.bad(nil, "")
            message.payload = payload.isEmpty && generator.below(2) == 0 ? nil : payload
            // A key that is another payload's beginning, or none.
            if generator.below(3) > 0 { message.key = Array(generator.payload().prefix(generator.below(40))) }
            if generator.below(10) == 0 {
                let name = String(decoding: generator.payload().prefix(9).filter { $0 != 0 }, as: UTF8.self)
                message.headers = [(name, generator.below(4) == 0 ? nil : Array(generator.payload().prefix(30)))]
            }
            log.append(message, to: generator.below(2))
        }
        return log
    }

    private static func judge(_ log: FakeLog, _ seed: UInt64, _ outcome: inout Outcome) {
        func violate(_ text: String) { outcome.violations.append("seed \(seed): \(text)") }
        let whole = read(log, batchRows: 1_024, slice: 512)
        let pieces = read(log, batchRows: 7, slice: 3)
        guard let whole, let pieces else { return violate("the lane does not read to the end") }
        var booked: Int64 = 0
        for (partition, row) in whole.progress {
            let counts = row.verdicts
            let accepted = counts.inserted + counts.merged + counts.corrected + counts.duplicate + counts.stale
            booked += counts.inserted
            if accepted + row.rejected != log.high(partition) { violate("partition \(partition) does not add up") }
            if pieces.progress[partition]?.verdicts != counts || pieces.progress[partition]?.rejected != row.rejected {
                violate("partition \(partition): other batches give other books")
            }
        }
        if booked != Int64(whole.rows.count) { violate("\(booked) inserted, \(whole.rows.count) rows") }
        if whole.letters != pieces.letters { violate("other batches give other dead letters") }
        if whole.facts.rows != pieces.facts.rows { violate("other batches give other rows") }
        outcome.payloads += payloadsPerLog
        outcome.rows += whole.rows.count
        outcome.letters += whole.letters.count
        for letter in whole.letters.values { outcome.reasons[letter.reason, default: 0] += 1 }
    }

    /// The tables once a lane has read all of it.
    private static func read(_ log: FakeLog, batchRows: Int, slice: Int) -> FakeDatabase? {
        var configuration = LaneConfiguration(lane: 0, topics: [FakeLog.topic])
        configuration.batchMaxRows = batchRows
        configuration.patientCapacity = 64
        configuration.maxMessageBytes = 4_096
        configuration.wallClock = { 0 }
        let database = FakeDatabase()
        var now = MonotonicTime(nanoseconds: 1_000_000_000)
        let lane = SimulatedLane(log: log, database: database, configuration: configuration, now: now)
        lane.consumer.slice = slice
        lane.consumer.assign(group: [0, 1])
        for _ in 0..<40_000 {
            now = now + .milliseconds(1)
            lane.turn(at: now)
            if (0..<2).allSatisfy({ database.progress[$0]?.next == log.high($0) }) { return database }
        }
        return nil
    }
}
