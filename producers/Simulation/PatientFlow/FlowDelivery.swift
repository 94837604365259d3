/// How the events of one facility reach the outside: most at once and in order, some held back, some twice.
struct FlowDelivery {
    private struct HeldLate: Comparable {
        /// Sent after the first event that is not before this time.
        let due: Int64
        let number: Int
        let event: FlowEvent

        static func < (left: Self, right: Self) -> Bool {
            left.due != right.due ? left.due < right.due : left.number < right.number
        }

        static func == (left: Self, right: Self) -> Bool { left.number == right.number }
    }

    /// What is to be sent, in this order.
    private(set) var messages: [FlowMessage] = []

    private let shares: FlowShares
    private var random: SeededRandom
    private var held = BinaryHeap<HeldLate>()
    private var heldCount = 0
    /// At most one event waits until a newer one has gone.
    private var swapped: FlowEvent?
    private var recent: [FlowEvent] = []
    private var recentCount = 0
    private var newest = Int64.min

    private static let recentLimit = 256

    init(_ configuration: FlowConfiguration, facility: Int) {
        shares = configuration.shares
        random = SeededRandom(seed: configuration.seed, stream: UInt64(facility) << 2 | 2)
    }

    /// Takes the next events of the facility, in the order of their times; `messages` is then what goes out.
    mutating func take(_ events: [FlowEvent]) {
        messages.removeAll(keepingCapacity: true)
        for event in events {
            let draw = random.below(FlowShares.whole)
            if draw < shares.late {
                heldCount += 1
                // 15 minutes to 4 hours: beyond what the service waits for, and across its longest window.
                let delay = Int64(random.within(900_000...14_400_000))
                held.insert(HeldLate(due: event.time + delay, number: heldCount, event: event))
            } else if draw < shares.late + shares.reordered, swapped == nil {
                swapped = event
            } else {
                pass(event)
            }
        }
    }

    /// Everything that is still held back, for the end; `messages` is then what goes out.
    mutating func takeRest() {
        messages.removeAll(keepingCapacity: true)
        if let event = swapped { send(event) }
        swapped = nil
        while let late = held.takeLeast() { send(late.event) }
    }

    private mutating func pass(_ event: FlowEvent) {
        // Of two at the same time neither is before the other.
        if let earlier = swapped, earlier.time < event.time {
            swapped = nil
            // In a quiet night the next event may be so far away that this one would come late.
            let isNear = event.time - earlier.time <= FlowCounts.latenessMilliseconds
            send(isNear ? event : earlier)
            send(isNear ? earlier : event)
        } else {
            send(event)
        }
        while let late = held.least, late.due <= event.time {
            _ = held.takeLeast()
            send(late.event)
        }
    }

    private mutating func send(_ event: FlowEvent) {
        let age = newest > event.time ? newest - event.time : 0
        newest = max(newest, event.time)
        let order: FlowMessage.Order =
            age == 0 ? .inOrder : age <= FlowCounts.latenessMilliseconds ? .reordered : .late
        messages.append(FlowMessage(event: event, isDuplicate: false, order: order))
        remember(event)
        // So that duplicates are their share of all messages, copies of copies included.
        while random.below(FlowShares.whole) < shares.duplicate {
            let copy = recent[random.below(recent.count)]
            messages.append(FlowMessage(event: copy, isDuplicate: true, order: .inOrder))
        }
    }

    private mutating func remember(_ event: FlowEvent) {
        if recent.count < Self.recentLimit {
            recent.append(event)
        } else {
            recent[recentCount % Self.recentLimit] = event
        }
        recentCount += 1
    }
}
