// JSON by another reader than the service's, so that the two cannot share a mistake.
import FoundationEssentials
import Simulation

/// A message of the simulated patient flow as a reader of the topic sees it.
struct ToldEvent: Decodable, Equatable {
    let eventId: String
    let facilityId: String
    let sectorId: String
    let visitId: String
    let patientId: String?
    let event: String
    let acuity: Int?
    let timestamp: Int64
    let toSectorId: String?
}

/// A message with the bytes that were lent, and the simulation's clock at that moment.
struct StreamedFlow: Equatable {
    let message: FlowMessage
    let key: String
    let payload: [UInt8]
    let clock: Int64

    var told: ToldEvent { get throws { try JSONDecoder().decode(ToldEvent.self, from: Data(payload)) } }
}

/// Monday, 2025-01-06, 00:00 UTC.
let flowStart: Int64 = 1_736_121_600_000
let flowDay: Int64 = 86_400_000

extension FlowConfiguration {
    static func forTest(
        seed: UInt64 = 1, facilities: Int = 1, days: Int64 = 14, arrivals: Double = 150, utilization: Double = 0.9,
        badDays: Int = 50_000, shares: FlowShares = FlowShares()
    ) throws -> FlowConfiguration {
        try FlowConfiguration(
            seed: seed, facilityCount: facilities, startMilliseconds: flowStart,
            endMilliseconds: flowStart + days * flowDay, arrivalsPerDay: arrivals, utilization: utilization,
            badDayMillionths: badDays, shares: shares)
    }
}

/// All messages of a simulation with an end.
func streamed(_ configuration: FlowConfiguration) -> [StreamedFlow] {
    var generator = FlowGenerator(configuration)
    var messages: [StreamedFlow] = []
    while let message = generator.next() {
        let clock = generator.clockMilliseconds
        messages.append(
            generator.withMessage { key, payload in
                StreamedFlow(
                    message: message, key: String(decoding: key, as: UTF8.self), payload: Array(payload), clock: clock)
            })
    }
    return messages
}

/// The events alone, each as it happened.
func happened(_ configuration: FlowConfiguration) -> [FlowEvent] {
    var generator = FlowGenerator(configuration)
    var events: [FlowEvent] = []
    while let message = generator.next() { events.append(message.event) }
    return events
}
