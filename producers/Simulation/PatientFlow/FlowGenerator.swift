/// Makes the messages of some facilities' patient flow, one at a time, in the order in which they are to be sent.
///
/// Each facility's course depends on seed and facility alone, not on how many others there are. One thread.
public struct FlowGenerator: ~Copyable {
    private struct Turn: Comparable {
        let time: Int64
        let facility: Int

        static func < (left: Self, right: Self) -> Bool {
            left.time != right.time ? left.time < right.time : left.facility < right.facility
        }
    }

    private let end: Int64
    private let facilities: [FacilityModel]
    private var deliveries: [FlowDelivery]
    private var turns = BinaryHeap<Turn>()
    private var outgoing: [FlowMessage] = []
    private var place = 0
    private var restsTaken = 0
    private var payload = MessageBuffer(capacity: 512)
    private var key = MessageBuffer(capacity: 64)
    /// Event time that the simulation has reached, milliseconds since 1970-01-01Z: never less than before. Whoever
    /// sends in real time sends the present message when this time has come.
    public private(set) var clockMilliseconds: Int64

    /// Prepares the facilities, each by four weeks that are not shown: about 20 ms for a facility of ordinary size.
    public init(_ configuration: FlowConfiguration) {
        end = configuration.endMilliseconds ?? .max
        clockMilliseconds = configuration.startMilliseconds
        facilities = (0..<configuration.facilityCount).map { FacilityModel(configuration, facility: $0) }
        deliveries = (0..<configuration.facilityCount).map { FlowDelivery(configuration, facility: $0) }
        for (index, facility) in facilities.enumerated() {
            turns.insert(Turn(time: facility.nextTime, facility: index))
        }
    }

    /// Makes the next message, which replaces the last one; nil at the end of the simulated time, when all that was
    /// held back has been sent.
    public mutating func next() -> FlowMessage? {
        while place == outgoing.count {
            guard refill() else { return nil }
        }
        let message = outgoing[place]
        place += 1
        FlowMessageWriter.write(message.event, into: &payload)
        key.removeAll()
        FlowMessageWriter.appendFacility(message.event.facility, to: &key)
        return message
    }

    /// Lends the key and the payload of the last message; both end with the call of `body`.
    public borrowing func withMessage<Result>(
        _ body: (_ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer) -> Result
    ) -> Result {
        body(key.bytes, payload.bytes)
    }

    /// False at the end.
    private mutating func refill() -> Bool {
        place = 0
        outgoing.removeAll(keepingCapacity: true)
        guard let turn = turns.least, turn.time < end else {
            guard restsTaken < deliveries.count else { return false }
            deliveries[restsTaken].takeRest()
            outgoing = deliveries[restsTaken].messages
            restsTaken += 1
            return true
        }
        _ = turns.takeLeast()
        let facility = facilities[turn.facility]
        facility.step()
        turns.insert(Turn(time: facility.nextTime, facility: turn.facility))
        clockMilliseconds = turn.time
        guard !facility.events.isEmpty else { return true }
        deliveries[turn.facility].take(facility.events)
        outgoing = deliveries[turn.facility].messages
        return true
    }
}
