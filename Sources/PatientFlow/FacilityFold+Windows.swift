extension FacilityFold {
    /// At most this many stretches are named, however scattered the late events of a batch are.
    public static let rangeLimit = 64

    /// The stretches of time whose other visits the rows need; none when no row needs any.
    public var ranges: [Range<Int64>] {
        var ranges = touched.keys.map { $0.start..<$0.end }
        if frontierBefore != nil {
            ranges += lengths.compactMap { minutes in
                opened(minutes).map { $0.lowerBound..<($0.upperBound + Int64(minutes) * 60_000) }
            }
        }
        return WindowRanges.merged(ranges, atMost: Self.rangeLimit)
    }

    /// The rows to write, ordered by length, start and sector.
    ///
    /// `others` are the events of the facility's other visits as the type's comment says (more do no harm);
    /// `existing` are the keys of stored rows that start after `frontier`, asked for only when `frontierFell`.
    /// - Complexity: for each row, the visits that are present in its window.
    public func windows(others: [FlowEvent], existing: [WindowKey] = []) -> [WindowUpdate] {
        var visits: [FlowName: VisitState] = [:]
        for event in others where event.facility == facility && visitsByName[event.visit] == nil {
            visits[event.visit, default: VisitState()].events.append(event)
        }
        var timelines = visits.values.compactMap { VisitTimeline(of: $0.events) }
        timelines += visitsByName.values.compactMap(\.timeline)
        var wanted = touched
        for key in existing { wanted[key, default: 0] += 0 }
        return lengths.flatMap { minutes in
            rows(minutes, timelines, wanted.filter { $0.key.minutes == minutes })
        }
    }

    /// The starts of the windows that the batch's progress of event time opens; nil when it opens none.
    private func opened(_ minutes: Int) -> ClosedRange<Int64>? {
        guard let frontier else { return nil }
        let last = WindowKey.start(holding: frontier, minutes: minutes)
        guard let frontierBefore else { return Int64.min...last }
        let first = WindowKey.start(holding: frontierBefore, minutes: minutes) + Int64(minutes) * 60_000
        return first <= last ? first...last : nil
    }

    /// The rows of one length: those that are wanted, and in opened windows those that have a reason.
    private func rows(_ minutes: Int, _ timelines: [VisitTimeline], _ wanted: [WindowKey: Int]) -> [WindowUpdate] {
        let opened = opened(minutes)
        var reasons = wanted.mapValues { _ in true }
        // An event in an opened window happened after the stored frontier, so it is one of the batch's.
        for event in visitsByName.values.lazy.flatMap(\.events) {
            for sector in [event.sector, event.sectorAfter] {
                let key = WindowKey(sector: sector, minutes: minutes, holding: event.occurredAt)
                if opened?.contains(key.start) ?? false { reasons[key] = true }
            }
        }
        var presences = timelines.enumerated().flatMap { Presence.of($0.element, index: $0.offset, minutes: minutes) }
        presences.sort { $0.first > $1.first }
        let starts = Presence.starts(presences, in: opened, and: reasons.keys.map(\.start), minutes: minutes)
        let sectors = Dictionary(grouping: reasons.keys, by: \.start)
        var updates: [WindowUpdate] = []
        var present: [Presence] = []
        for start in starts {
            while let next = presences.last, next.first <= start { present.append(presences.removeLast()) }
            present.removeAll { $0.last < start }
            var here = Set(sectors[start, default: []].map(\.sector))
            let end = start + Int64(minutes) * 60_000
            if opened?.contains(start) ?? false {
                for presence in present { timelines[presence.index].insertSectors(from: start, to: end, into: &here) }
            }
            let counted = frontier.map { start <= $0 } ?? false
            for sector in here.sorted() {
                let key = WindowKey(sector: sector, minutes: minutes, start: start)
                let inWindow = counted ? present : []
                let window = WindowFold.row(key, inWindow.lazy.map { timelines[$0.index] })
                updates.append(WindowUpdate(window: window, revisionRaise: wanted[key] ?? 0))
            }
        }
        return updates
    }
}

/// The windows of one length in which a visit counts: neighbours, by their starts.
private struct Presence {
    let first: Int64
    let last: Int64
    let index: Int

    /// One stretch, and one more for a treatment that is said to have begun after the visit was over.
    static func of(_ timeline: VisitTimeline, index: Int, minutes: Int) -> [Presence] {
        let first = WindowKey.start(holding: timeline.arrival, minutes: minutes)
        let last = WindowKey.start(holding: timeline.end, minutes: minutes)
        let reach = WindowKey.start(holding: timeline.reach, minutes: minutes)
        let presence = Presence(first: first, last: last, index: index)
        return reach > last ? [presence, Presence(first: reach, last: reach, index: index)] : [presence]
    }

    /// The starts that are named, and those of opened windows in which anybody is, ascending.
    static func starts(
        _ presences: [Presence], in opened: ClosedRange<Int64>?, and named: [Int64], minutes: Int
    ) -> [Int64] {
        var starts = Set(named)
        if let opened {
            let ranges = presences.filter { $0.last >= opened.lowerBound && $0.first <= opened.upperBound }.map {
                max($0.first, opened.lowerBound)...min($0.last, opened.upperBound)
            }
            starts.formUnion(WindowRanges.starts(in: ranges, minutes: minutes, upTo: opened.upperBound))
        }
        return starts.sorted()
    }
}

extension VisitTimeline {
    /// The sectors of the row that this visit is a reason for.
    fileprivate func insertSectors(from start: Int64, to end: Int64, into sectors: inout Set<FlowName>) {
        for stay in stays where stay.from < end && stay.to > start { sectors.insert(stay.sector) }
        for instant in instants where start <= instant.time && instant.time < end { sectors.insert(instant.sector) }
    }
}
