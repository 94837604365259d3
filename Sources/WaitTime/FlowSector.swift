/// One sector of a facility: its waits, and its arrivals and patients present hour by hour.
struct FlowSector: Sendable {
    private static let hourMilliseconds: Int64 = 3_600_000

    var waits = SectorPredictor()
    var arrivals = CountForecaster(.events, horizons: FlowPredictor.horizons)
    var occupancy = CountForecaster(.level, horizons: FlowPredictor.horizons)
    /// The hour that is being counted, since 1970.
    var hour: Int64
    /// Arrivals that were seen while it was.
    var arrived = 0
    /// Whether the sector was followed from the hour's beginning.
    var isWhole = false
    /// What is not stored yet.
    var changed: Set<FlowStateKind> = []

    /// - Parameter time: the facility's newest event time.
    init(at time: Int64) {
        hour = Self.hour(of: time)
    }

    static func hour(of time: Int64) -> Int64 {
        time >= 0 ? time / hourMilliseconds : (time - hourMilliseconds + 1) / hourMilliseconds
    }

    /// Takes an event of this sector; transfers excepted. Learns nothing.
    mutating func observe(_ step: FlowStep, newest: Int64) -> (prediction: WaitPrediction?, label: WaitLabel?) {
        changed.insert(.queue)
        if step.kind == .arrival, !waits.queue.knowsArrival(step.visit) { arrived += 1 }
        let seen = waits.observe(step, newest: newest)
        if seen.label != nil { changed.insert(.wait) }
        return seen
    }

    /// Learns a wait that was predicted here.
    mutating func learn(_ label: WaitLabel) {
        waits.learn(label)
        changed.formUnion([.queue, .wait])
    }

    /// Time has passed the end of a window: hours that it completes are learnt, those who wait are told anew, and what
    /// will come is forecast.
    /// - Parameter rooms: how many waits may still be told anew.
    mutating func endWindow(at time: Int64, name: String, rooms: inout Int, into told: inout FlowPredictions) {
        if waits.queue.expire(at: time) { changed.insert(.queue) }
        if time % Self.hourMilliseconds == 0 { endHour(Self.hour(of: time) - 1) }
        for visit in waits.queue.waiting {
            guard let visitID = visit.visitID, rooms > 0 else { continue }
            rooms -= 1
            told.waits.append(
                FlowPredictions.Wait(
                    visitID: visitID, sector: name, occasion: .refresh, prediction: waits.refresh(visit, at: time)))
        }
        guard let arrivals = arrivals.newest, let occupancy = occupancy.newest else { return }
        told.forecasts.append(
            SectorForecast(
                sector: name, timestamp: time, arrivals: arrivals.map(ExpectedCount.init),
                occupancy: occupancy.map(ExpectedCount.init)))
    }

    private mutating func endHour(_ ended: Int64) {
        guard ended == hour else { return }
        // The first count is that of a whole hour.
        if isWhole || arrivals.newest != nil {
            _ = arrivals.observe(isWhole ? Double(arrived) : nil, hour: ended)
        }
        _ = occupancy.observe(Double(waits.queue.present), hour: ended)
        hour = ended + 1
        arrived = 0
        isWhole = true
        changed.formUnion([.queue, .arrivals, .occupancy])
    }

    /// Event time has gone further than is followed: what happened between is not known.
    mutating func jump(to time: Int64) {
        guard Self.hour(of: time) != hour else { return }
        hour = Self.hour(of: time)
        arrived = 0
        isWhole = false
        changed.insert(.queue)
    }
}
