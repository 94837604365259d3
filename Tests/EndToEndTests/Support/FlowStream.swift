import TestSupport

/// Visits of some facilities as they are told: late, twice, out of order, cancelled, moved, without an end.
struct FlowStream {
    private var numbers: SeededNumbers
    private var nextEvent = 0

    init(seed: UInt64) {
        numbers = SeededNumbers(seed: seed)
    }

    /// The events of so many visits of some hours, by facility, in the order in which they are sent.
    mutating func events(visits: Int, facilities: [String]) -> [String: [SentEvent]] {
        var told: [String: [SentEvent]] = [:]
        for facility in facilities {
            var timed: [(at: Double, event: SentEvent)] = []
            for visit in 0..<visits {
                for event in self.visit("\(facility)-\(visit)", from: Double(numbers.below(visits * 4))) {
                    // A few are told hours late.
                    let delay = numbers.oneIn(8) ? Double(numbers.below(400)) : Double(numbers.below(3))
                    timed.append((event.minute + delay, event.at(facility, event.sector)))
                    if numbers.oneIn(12) {
                        timed.append((event.minute + Double(numbers.below(200)), timed[timed.count - 1].event))
                    }
                }
            }
            told[facility] = timed.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
                .map(\.element.event)
        }
        return told
    }

    private mutating func visit(_ id: String, from start: Double) -> [SentEvent] {
        let sector = numbers.pick(["emergency", "minor"])
        var minute = start + Double(numbers.below(600)) / 100
        var events = [event(id, "arrival", sector, minute, acuity: numbers.oneIn(3) ? nil : 1 + numbers.below(5))]
        func later(_ most: Int) -> Double {
            minute += Double(numbers.below(most * 100)) / 100
            return minute
        }
        if numbers.oneIn(2) { events.append(event(id, "triage", sector, later(10), acuity: 1 + numbers.below(5))) }
        if numbers.oneIn(9) {
            events.append(event(id, "left_without_being_seen", sector, later(90)))
        } else {
            events.append(event(id, "treatment_start", sector, later(90)))
        }
        if numbers.oneIn(5) { events.append(event(id, "transfer", sector, later(120), to: "ward")) }
        if !numbers.oneIn(6) { events.append(event(id, "departure", sector, later(300))) }
        if numbers.oneIn(12) { events.append(event(id, "cancelled", sector, later(60))) }
        // Clocks of other systems are sometimes wrong: what cannot have been so.
        if numbers.oneIn(15), let place = events.indices.last { events[place].minute = start - 7 }
        return events
    }

    private mutating func event(
        _ id: String, _ kind: String, _ sector: String, _ minute: Double, acuity: Int? = nil, to: String? = nil
    ) -> SentEvent {
        nextEvent += 1
        // Days after the epoch of the test, so that nothing lies before it.
        var event = SentEvent(nextEvent, id, kind, at: 1_440 + minute, acuity: acuity, toSector: to)
        event.sector = sector
        return event
    }
}
