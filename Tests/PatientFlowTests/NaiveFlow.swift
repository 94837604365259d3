import PatientFlow

/// The plain, slow reference: it holds the set of stored events and works everything out from it, instant by instant
/// in ticks of half a minute, one event at a time. It shares no fold with the product.
struct NaiveFlow {
    private(set) var stored: [EventID: FlowEvent] = [:]
    private(set) var revisions: [Place: Int] = [:]
    private(set) var outcomes: [FlowBatch.Outcome] = []
    let lengths: [Int]

    /// A row of all facilities.
    struct Place: Hashable {
        var facility: FlowName
        var key: WindowKey
    }

    init(lengths: [Int]) {
        self.lengths = lengths
    }

    mutating func take(_ event: FlowEvent) {
        guard let old = stored[event.eventID] else {
            let before = self
            stored[event.eventID] = event
            outcomes.append(.inserted)
            raise(event, before)
            return
        }
        let lower = (event.partition, event.offset) < (old.partition, old.offset)
        outcomes.append(lower ? .replaced : .duplicate)
        if lower { stored[event.eventID] = event }
    }

    func frontier(_ facility: FlowName) -> Int64? {
        stored.values.filter { $0.facility == facility }.map(\.occurredAt).max()
    }

    /// Events by visit, of a facility.
    func visits(_ facility: FlowName) -> [FlowName: [FlowEvent]] {
        Dictionary(grouping: stored.values.filter { $0.facility == facility }, by: \.visit)
    }

    /// Every row that is expected of a facility.
    func rows(_ facility: FlowName) -> [WindowKey: OccupancyWindow] {
        guard let frontier = frontier(facility) else { return [:] }
        let visits = visits(facility).values.map { NaiveVisit($0) }
        var rows: [WindowKey: OccupancyWindow] = [:]
        for key in keys(upTo: frontier) where visits.contains(where: { $0.hasReason(key) }) {
            rows[key] = NaiveVisit.row(key, visits)
        }
        return rows
    }

    private func keys(upTo frontier: Int64) -> [WindowKey] {
        lengths.flatMap { length in
            stride(from: at("00:00"), through: frontier, by: Int(minutes(Int64(length)))).flatMap { start in
                FlowStream.sectors.map { WindowKey(sector: $0, minutes: length, start: start) }
            }
        }
    }

    private mutating func raise(_ event: FlowEvent, _ before: NaiveFlow) {
        guard let frontier = before.frontier(event.facility) else { return }
        let old = NaiveVisit(before.visits(event.facility)[event.visit] ?? [])
        let new = NaiveVisit(visits(event.facility)[event.visit] ?? [])
        for key in keys(upTo: frontier) where key.end <= frontier && old.picture(key) != new.picture(key) {
            revisions[Place(facility: event.facility, key: key), default: 0] += 1
        }
    }
}

/// A visit by the words of the definition.
struct NaiveVisit {
    let events: [FlowEvent]
    /// What says where the patient is, in order.
    private let moves: [FlowEvent]
    let arrival: Int64?
    let start: Int64?
    let departure: Int64?
    let end: Int64
    let unseen: Bool

    init(_ events: [FlowEvent]) {
        func least(_ kind: FlowKind) -> Int64? { events.filter { $0.kind == kind }.map(\.occurredAt).min() }
        self.events = events
        moves = events.filter { $0.kind != .cancelled }
            .sorted { ($0.occurredAt, $0.eventID) < ($1.occurredAt, $1.eventID) }
        let cancelled = events.contains { $0.kind == .cancelled }
        let come = cancelled ? nil : least(.arrival)
        arrival = come
        start = least(.treatmentStart).map { max($0, come ?? $0) }
        unseen = start == nil && least(.leftWithoutBeingSeen) != nil
        departure = [least(.departure), unseen ? least(.leftWithoutBeingSeen) : nil].compactMap { $0 }.min()
        let limit = (events.map(\.occurredAt).max() ?? 0) + days(60)
        end = max(come ?? 0, departure ?? limit)
    }

    /// The sector at an instant, whether or not the patient is there.
    private func sector(_ time: Int64) -> FlowName? {
        moves.last { $0.occurredAt <= time }.map { $0.toSector ?? $0.sector }
    }

    /// Present at an instant, where.
    func place(_ time: Int64) -> FlowName? {
        guard let arrival, arrival <= time, time < end else { return nil }
        return sector(time)
    }

    func waits(_ time: Int64) -> Bool { start.map { time < $0 } ?? true }

    /// Where the last stay is; without one, where the patient came.
    private var lastPlace: FlowName? { arrival.flatMap { $0 < end ? sector(end - FlowStream.tick) : sector($0) } }

    /// Since treatment began nobody moved.
    private func boards(_ key: WindowKey) -> Bool {
        guard arrival != nil, let start, start < end, start <= key.end - minutes(240) else { return false }
        return stride(from: start, to: key.end, by: Int(FlowStream.tick)).allSatisfy { place($0) == key.sector }
    }

    func hasReason(_ key: WindowKey) -> Bool { picture(key) != nil }

    /// The row if the visit were alone; nil when nothing of it is in the window.
    func picture(_ key: WindowKey) -> OccupancyWindow? {
        let lone = Self.row(key, [self])
        let counted =
            lone.arrivals + lone.transfersIn + lone.transfersOut + lone.treatmentStarts + lone.departures
            + lone.leftWithoutBeingSeen
        if counted > 0 || lone.censusMax > 0 { return lone }
        let named = events.filter { key.contains($0.occurredAt) }.flatMap { [$0.sector, $0.toSector ?? $0.sector] }
        return named.contains(key.sector) ? lone : nil
    }

    static func row(_ key: WindowKey, _ visits: [NaiveVisit]) -> OccupancyWindow {
        var row = OccupancyWindow(key: key)
        let ticks = Array(stride(from: key.start, to: key.end, by: Int(FlowStream.tick)))
        var presence: Int64 = 0
        for tick in ticks {
            let here = visits.filter { $0.place(tick) == key.sector }
            row.censusMax = max(row.censusMax, here.count)
            row.waitingMax = max(row.waitingMax, here.count { $0.waits(tick) })
            presence += Int64(here.count) * FlowStream.tick
            for visit in visits where visit.arrival.map({ $0 < tick && tick < visit.end }) ?? false {
                let (before, after) = (visit.sector(tick - FlowStream.tick), visit.sector(tick))
                if before != after && before == key.sector { row.transfersOut += 1 }
                if before != after && after == key.sector { row.transfersIn += 1 }
            }
        }
        row.censusMean = Double(presence) / Double(key.end - key.start)
        row.censusStart = visits.count { $0.place(key.start - FlowStream.tick) == key.sector }
        let last = visits.filter { $0.place(key.end - FlowStream.tick) == key.sector }
        row.censusEnd = last.count
        let waiting = last.filter { $0.waits(key.end - FlowStream.tick) }
        row.waitingEnd = waiting.count
        row.inTreatmentEnd = last.count - waiting.count
        row.boardingEnd = last.count { $0.boards(key) }
        row.longestCurrentWaitMinutes = waiting.compactMap(\.arrival).min().map { Double(key.end - $0) / 60_000 }
        count(&row, visits)
        return row
    }

    private static func count(_ row: inout OccupancyWindow, _ visits: [NaiveVisit]) {
        var waits: [Int64] = []
        var stays: [Int64] = []
        for visit in visits {
            guard let arrival = visit.arrival else { continue }
            if row.key.contains(arrival) && visit.sector(arrival) == row.key.sector { row.arrivals += 1 }
            if let start = visit.start, row.key.contains(start) {
                let place = visit.place(start) ?? visit.lastPlace
                if place == row.key.sector { waits.append(start - arrival) }
            }
            if visit.departure != nil, row.key.contains(visit.end), visit.lastPlace == row.key.sector {
                stays.append(visit.end - arrival)
                if visit.unseen { row.leftWithoutBeingSeen += 1 } else { row.departures += 1 }
            }
        }
        waits.sort()
        row.treatmentStarts = waits.count
        if !waits.isEmpty {
            row.waitMeanMinutes = Double(waits.reduce(0, +)) / Double(waits.count * 60_000)
            row.waitP50Minutes = Double(waits[(waits.count + 1) / 2 - 1]) / 60_000
            row.waitP90Minutes = Double(waits[(waits.count * 9 + 9) / 10 - 1]) / 60_000
        }
        if !stays.isEmpty {
            row.fourHourShare = Double(stays.count { $0 <= minutes(240) }) / Double(stays.count)
        }
    }
}
