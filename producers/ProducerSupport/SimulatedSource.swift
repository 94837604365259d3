package import Simulation  // its initialiser takes a SimulationConfiguration

/// The simulated bedside as a source; it never says a reading before its time.
package struct SimulatedSource: ~Copyable, MessageSource {
    private var generator: VitalsGenerator
    private var present: GeneratedMessage?
    /// What was sent, by kind, and what the ledger must say.
    package private(set) var counts = MessageCounts()

    /// Prepares the patients.
    package init(_ configuration: SimulationConfiguration) {
        generator = VitalsGenerator(configuration)
    }

    package mutating func advance(wallClockMilliseconds: Int64) -> SourceStep {
        let time = generator.nextEventTime
        if time > wallClockMilliseconds { return .notBefore(time) }
        present = generator.next(wallClockMilliseconds: wallClockMilliseconds)
        return .message
    }

    package func withMessage<Result>(
        _ body: (_ key: UnsafeRawBufferPointer?, _ payload: UnsafeRawBufferPointer) -> Result
    ) -> Result {
        generator.withMessage { key, payload in body(key, payload) }
    }

    package mutating func countSent() {
        guard let message = present else { return }
        counts.add(message, bytes: generator.withMessage { _, payload in payload.count })
    }
}
