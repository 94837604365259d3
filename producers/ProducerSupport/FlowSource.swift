package import Simulation  // its initialiser takes a FlowConfiguration

/// The simulated patient flow as a source.
package struct FlowSource: ~Copyable, MessageSource {
    private var generator: FlowGenerator
    private var pace: EventPace
    private var present: FlowMessage?
    /// The present message is not due yet.
    private var isEarly = false
    /// What was sent, by kind, and what the ledger must say.
    package private(set) var counts = FlowCounts()

    /// Prepares the facilities.
    package init(_ configuration: FlowConfiguration, pace: EventPace) {
        generator = FlowGenerator(configuration)
        self.pace = pace
    }

    package mutating func advance(wallClockMilliseconds: Int64) -> SourceStep {
        if !isEarly { present = generator.next() }
        guard present != nil else { return .end }
        // What is held back goes with the event that lets it go, not by its own time, which has long passed.
        let due = pace.due(
            eventTime: generator.clockMilliseconds, wallClockMilliseconds: wallClockMilliseconds)
        isEarly = due > wallClockMilliseconds
        return isEarly ? .notBefore(due) : .message
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

/// A file's lines in their order, each when its timestamp is due; a line without one goes at once.
package struct PacedReplay: ~Copyable, MessageSource {
    private var lines: StreamedReplay
    private var pace: EventPace
    private var isEarly = false
    /// What was sent so far.
    package var counts: ReplayCounts { lines.counts }

    /// Opens the file.
    package init(path: String, keyField: StaticString, pace: EventPace) throws(ReplayError) {
        lines = try StreamedReplay(path: path, repeats: 1, keyField: keyField)
        self.pace = pace
    }

    package mutating func advance(wallClockMilliseconds: Int64) throws(ReplayError) -> SourceStep {
        if !isEarly, try lines.advance(wallClockMilliseconds: wallClockMilliseconds) == .end { return .end }
        guard let time = lines.withMessage({ _, payload in ReplayKey.timestamp(in: payload) }) else { return .message }
        let due = pace.due(eventTime: time, wallClockMilliseconds: wallClockMilliseconds)
        isEarly = due > wallClockMilliseconds
        return isEarly ? .notBefore(due) : .message
    }

    package func withMessage<Result>(
        _ body: (_ key: UnsafeRawBufferPointer?, _ payload: UnsafeRawBufferPointer) -> Result
    ) -> Result {
        lines.withMessage(body)
    }

    package mutating func countSent() {
        lines.countSent()
    }
}
