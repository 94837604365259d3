extension VisitTimeline {
    /// Stretches of time that hold every instant whose window may look different: both ends included, more than
    /// needed at times, never less. Which windows really differ is for their pictures to say.
    static func changes(from old: VisitTimeline?, to new: VisitTimeline?) -> [ClosedRange<Int64>] {
        guard let old else { return new.map { [$0.arrival...$0.end] + $0.instants.map { $0.time...$0.time } } ?? [] }
        guard let new else { return changes(from: nil, to: old) }
        var ranges: [ClosedRange<Int64>] = []
        if let range = differing(old.phases, new.phases) { ranges.append(range) }
        for (some, others) in [(old.instants, new.instants), (new.instants, old.instants)] {
            ranges += some.filter { !others.contains($0) }.map { $0.time...$0.time }
        }
        if old.arrival != new.arrival {
            // The wait that still runs counts from the arrival.
            ranges.append(min(old.arrival, new.arrival)...max(old.waitEnd, new.waitEnd))
        }
        if let range = boarding(old, new) { ranges.append(range) }
        return ranges
    }

    /// A boarder is who is still in the stay in which treatment began.
    private static func boarding(_ old: VisitTimeline, _ new: VisitTimeline) -> ClosedRange<Int64>? {
        let (one, other) = (old.treatmentStay, new.treatmentStay)
        let starts = [one, other].compactMap { $0?.from }
        let ends = [one, other].compactMap { $0?.to }
        guard let first = starts.min(), let leastEnd = ends.min(), let lastEnd = ends.max() else { return nil }
        guard ends.count == 2 && old.treatmentStart == new.treatmentStart else { return first...lastEnd }
        return leastEnd == lastEnd ? nil : leastEnd...lastEnd
    }

    /// A time in one sector, all of it waiting or all of it in treatment.
    private struct Phase: Equatable {
        var stay: Stay
        var waiting: Bool
    }

    private var phases: [Phase] {
        stays.flatMap { stay in
            let split = min(max(stay.from, waitEnd), stay.to)
            let waiting = Phase(stay: Stay(sector: stay.sector, from: stay.from, to: split), waiting: true)
            let treated = Phase(stay: Stay(sector: stay.sector, from: split, to: stay.to), waiting: false)
            return [waiting, treated].filter { $0.stay.from < $0.stay.to }
        }
    }

    /// From the first instant at which two ways through the sectors differ to the last; nil when they are the same.
    private static func differing(_ old: [Phase], _ new: [Phase]) -> ClosedRange<Int64>? {
        guard old != new else { return nil }
        var front = 0
        while front < old.count && front < new.count && old[front] == new[front] { front += 1 }
        var back = 0
        while back < old.count - front && back < new.count - front
            && old[old.count - 1 - back] == new[new.count - 1 - back]
        { back += 1 }
        let middle = [old[front..<(old.count - back)], new[front..<(new.count - back)]]
        var from = middle.compactMap { $0.first?.stay.from }.min() ?? 0
        let to = middle.compactMap { $0.last?.stay.to }.max() ?? 0
        if let one = middle[0].first, let other = middle[1].first, same(one, other), one.stay.from == other.stay.from {
            // The same phase that only ends at another time: what it has in common is no difference.
            from = min(one.stay.to, other.stay.to)
        }
        return from...to
    }

    private static func same(_ one: Phase, _ other: Phase) -> Bool {
        one.waiting == other.waiting && one.stay.sector == other.stay.sector
    }
}
