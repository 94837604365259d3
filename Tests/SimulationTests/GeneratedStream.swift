import Simulation

/// One generated message, copied.
struct StreamedMessage: Equatable {
    let message: GeneratedMessage
    let key: [UInt8]
    let payload: [UInt8]
}

/// 2026-09-21, some time in the afternoon.
let streamStart: Int64 = 1_790_000_000_000

/// The wall clock at which the streams of these tests are sent: after all their event times.
let streamClock: Int64 = streamStart + 400 * 86_400_000

extension SimulationConfiguration {
    /// A configuration of a test; a reading of the ward every `slotMilliseconds`.
    static func forTest(
        seed: UInt64 = 1, patients: Int = 40, slotMilliseconds: Int64 = 25, shares: MessageShares = MessageShares(),
        largeDataBytes: Int = 0, oversizeBytes: Int = 8_388_609
    ) throws -> SimulationConfiguration {
        try SimulationConfiguration(
            seed: seed, patientCount: patients, startMilliseconds: streamStart,
            slotNanoseconds: slotMilliseconds * 1_000_000, shares: shares, largeDataBytes: largeDataBytes,
            oversizeBytes: oversizeBytes)
    }
}

extension MessageShares {
    /// Something of everything but oversize, more than any hospital has.
    static var rich: MessageShares {
        var shares = MessageShares()
        shares.late = 80_000
        shares.duplicate = 150_000
        shares.merge = 100_000
        shares.correction = 120_000
        shares.future = 20_000
        shares.malformed = 60_000
        return shares
    }
}

/// Generates messages and hands each to `body`.
func generate(
    _ count: Int, _ configuration: SimulationConfiguration, wallClock: Int64 = streamClock,
    _ body: (StreamedMessage) throws -> Void
) rethrows {
    var generator = VitalsGenerator(configuration)
    for _ in 0..<count {
        let message = generator.next(wallClockMilliseconds: wallClock)
        let streamed = generator.withMessage { key, payload in
            StreamedMessage(message: message, key: Array(key), payload: Array(payload))
        }
        try body(streamed)
    }
}

/// The same, as an array.
func generated(
    _ count: Int, _ configuration: SimulationConfiguration, wallClock: Int64 = streamClock
) -> [StreamedMessage] {
    var messages: [StreamedMessage] = []
    generate(count, configuration, wallClock: wallClock) { messages.append($0) }
    return messages
}
