import PatientFlow
import TestSupport

/// A hostile stream: two facilities, visits in any disorder, late, repeated, cancelled and impossible events, many of
/// them at one instant or at the edge of a window; some ids come again from a lower place in the log, with other
/// content. All times are multiples of half a minute, so that an instant-by-instant reference is exact.
struct FlowStream {
    static let sectors: [FlowName] = ["ed", "gate", "ward"]
    static let facilities: [FlowName] = ["north", "south"]
    static let tick: Int64 = 30_000

    /// In log order.
    private(set) var events: [FlowEvent] = []
    private var numbers: SeededNumbers

    init(seed: UInt64, visits: Int = 10, replacements: Bool = false) {
        numbers = SeededNumbers(seed: seed)
        var drafts: [(arrives: Int64, event: FlowEvent)] = []
        for number in 0..<visits { drafts += visit(number) }
        drafts.sort { ($0.arrives, $0.event.eventID) < ($1.arrives, $1.event.eventID) }
        for draft in drafts {
            events.append(draft.event)
            // Again, at once or later.
            if numbers.oneIn(12) { events.append(numbers.pick(events)) }
        }
        for place in events.indices {
            events[place].partition = 1
            events[place].offset = Int64(place)
        }
        if replacements { replace() }
    }

    /// Cuts the log at random places.
    mutating func batches() -> [[FlowEvent]] {
        var batches: [[FlowEvent]] = []
        var rest = events[...]
        while !rest.isEmpty {
            let count = 1 + numbers.below(numbers.oneIn(3) ? 30 : 4)
            batches.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return batches
    }

    /// What happens in one visit, and when the log hears of it: mostly in order, sometimes hours late.
    private mutating func visit(_ number: Int) -> [(arrives: Int64, event: FlowEvent)] {
        let facility = numbers.oneIn(4) ? Self.facilities[1] : Self.facilities[0]
        let name = FlowName("v\(number)")
        var time = at("00:00") + minutes(Int64(numbers.below(300)))
        var sector = numbers.pick(Self.sectors)
        var drafts: [(arrives: Int64, event: FlowEvent)] = []
        for step in 0..<(2 + numbers.below(7)) {
            let kind = kind(step)
            let to = kind == .transfer ? numbers.pick(Self.sectors) : nil
            let event = FlowEvent(
                eventID: EventID(high: numbers.next() % 3, low: numbers.next()), facility: facility,
                sector: numbers.oneIn(10) ? numbers.pick(Self.sectors) : sector, visit: name,
                patient: numbers.oneIn(3) ? PatientID(high: 0, low: UInt64(number)) : nil, kind: kind, toSector: to,
                acuity: numbers.oneIn(2) ? 1 + numbers.below(5) : nil, occurredAt: time, partition: 1, offset: 0)
            let delay = numbers.oneIn(5) ? minutes(Int64(numbers.below(240))) : Int64(numbers.below(3)) * Self.tick
            drafts.append((time + delay, event))
            sector = to ?? sector
            time = next(time)
        }
        return drafts
    }

    private mutating func kind(_ step: Int) -> FlowKind {
        if numbers.oneIn(6) { return numbers.pick(FlowKind.allCases) }
        let usual: [FlowKind] = [.arrival, .triage, .treatmentStart, .transfer, .departure]
        if step == 2 && numbers.oneIn(5) { return .leftWithoutBeingSeen }
        return step < usual.count ? usual[step] : numbers.oneIn(3) ? .cancelled : .triage
    }

    /// Onwards, now and then not at all, to the edge of a window, or back.
    private mutating func next(_ time: Int64) -> Int64 {
        switch numbers.below(8) {
        case 0: time
        case 1: WindowKey.start(holding: time, minutes: 5) + minutes(5)
        case 2: max(at("00:00"), time - Int64(numbers.below(120)) * Self.tick)
        default: time + Int64(1 + numbers.below(90)) * Self.tick
        }
    }

    /// Some ids come once more, from another partition: a lower one mostly, with the same or with other content.
    private mutating func replace() {
        for number in 0..<6 {
            let place = 1 + numbers.below(events.count - 1)
            var event = numbers.pick(Array(events[..<place]))
            event.partition = numbers.oneIn(4) ? 2 : 0
            event.offset = Int64(number)
            if !numbers.oneIn(3) {
                event.occurredAt += Int64(numbers.below(400) - 200) * Self.tick
                if numbers.oneIn(2) { event.visit = FlowName("v\(numbers.below(10))") }
                if numbers.oneIn(4) { event.facility = numbers.pick(Self.facilities) }
            }
            event.occurredAt = max(at("00:00"), event.occurredAt)
            events.insert(event, at: place)
        }
    }
}
