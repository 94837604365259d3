import Kafka
import Service
import TestSupport

/// A seeded stream as wards send it: mostly new readings, some duplicates, merges, corrections and bad messages.
struct LoadStream {
    private var generator: SeededNumbers
    private let patients: Int
    private let start: Int64
    private var sent: [SentReading] = []
    private var count: Int64 = 0

    /// - Parameter now: milliseconds since 1970 at which the readings begin.
    init(seed: UInt64, patients: Int, now: Int64) {
        generator = SeededNumbers(seed: seed)
        self.patients = patients
        start = now
    }

    mutating func next() -> SentMessage {
        let dice = generator.below(100)
        if dice == 0 {
            return SentMessage(bad: "no_vital_sign", SentReading(generator.below(patients), start).json)
        }
        if dice < 16, !sent.isEmpty {
            var again = sent[sent.count - 1 - generator.below(min(sent.count, 500))]
            if dice < 4 { again.numbers["heartRate"] = Double(60 + generator.below(60)) }
            if dice >= 4 && dice < 8 { again.numbers["respiratoryRate"] = 12 }
            return SentMessage(again)
        }
        count += 1
        var reading = SentReading(generator.below(patients), start + count * 3)
        reading.numbers["heartRate"] = Double(60 + generator.below(60))
        reading.numbers["temperature"] = 36 + Double(generator.below(40)) / 10
        if dice < 40 { reading.origin = ["h\(dice % 3)", "s\(dice % 4)", "d\(reading.patient)"] }
        sent.append(reading)
        return SentMessage(reading)
    }
}

/// Sends a load stream from a thread of its own until it is stopped.
final class Feeder: Sendable {
    private struct State: Sendable {
        var isStopped = false
        var failure: String?
    }

    private let state: Locked<State>
    private let thread: ServiceThread
    private let log: SentLog

    /// - Parameters:
    ///   - perSecond: messages a second, sent every 20 ms.
    ///   - limit: stops by itself after so many.
    init(_ log: SentLog, _ stream: LoadStream, perSecond: Int, limit: Int = .max) throws {
        let state = Locked(State())
        self.state = state
        self.log = log
        thread = try ServiceThread(name: "feeder") {
            do {
                var stream = stream
                var left = limit
                var producer = try log.producer()
                while left > 0, !state.withLock({ $0.isStopped }) {
                    let count = min(left, max(1, perSecond / 50))
                    for _ in 0..<count { try log.enqueue(stream.next(), &producer) }
                    left -= count
                    producer.poll(timeoutMilliseconds: 0)
                    if perSecond < 1_000_000 { _ = state.wait(until: .after(.milliseconds(20))) { !$0.isStopped } }
                }
                try log.finish(&producer)
            } catch {
                state.withLock { $0.failure = "\(error)" }
            }
        }
    }

    /// Ends the stream, once all is delivered.
    func stop() throws {
        abandon()
        try awaitEnd()
    }

    /// Waits until it has ended by itself.
    func awaitEnd() throws {
        guard thread.join(within: .seconds(90)) else { throw TestFailure("the feeder does not end") }
        if let failure = state.withLock({ $0.failure }) { throw TestFailure("feeder: \(failure)") }
    }

    /// Asks it to end and does not wait.
    func abandon() {
        state.withLock { $0.isStopped = true }
        state.signal()
    }
}
