/// All that is predicted of one facility: waits in each sector, arrivals and patients present in the hours to come.
///
/// Feed it the facility's events in the order of the log, each once, and never one that only replaces another. What it
/// says and learns depends on that order alone: not on how events were put together, and on no clock. It is a value:
/// let a copy see a batch, store the copy's `takeChanges`, and keep the copy once all is committed.
/// - Complexity: a copy costs nothing, and the first event of a sector after it copies that sector.
public struct FlowPredictor: Sendable {
    /// Hours ahead of forecasts.
    public static let horizons = [1, 4, 24]
    /// The windows at whose ends is predicted, milliseconds.
    public static let windowMilliseconds: Int64 = 300_000
    /// How many ends of windows one event can pass: a day. What lies beyond is not followed.
    public static let mostWindows = 288
    /// How many waits are told anew for one event.
    public static let mostRefreshes = 16_384
    /// Events of further sectors are not heard.
    public static let mostSectors = 256

    /// Ascending.
    public private(set) var names: [String] = []
    var sectors: [FlowSector] = []
    /// The newest event time so far, milliseconds; nil before the first event.
    public internal(set) var frontier: Int64?
    /// Whether the frontier is not stored yet.
    var hasMoved = false

    /// A facility of which nothing is known.
    public init() {}

    /// Takes an event: first the ends of windows that event time passes with it, then the event itself. A visit that is
    /// known in another sector moves to the one that the event names. A wait whose beginning and end are both known is
    /// learnt at once, in the sector that predicted it.
    /// - Parameters:
    ///   - step: made from the visit's id; one made from its key is predicted but named in no row.
    ///   - name: the event's sector.
    ///   - told: where what is said is added.
    public mutating func observe(_ step: FlowStep, sector name: String, into told: inout FlowPredictions) {
        let newest = advance(to: step.timestamp, into: &told)
        guard let here = made(name) else { return }
        if step.kind == .transfer {
            fetch(step.visit, to: here)
            if let target = step.toSector, let there = made(target) { fetch(step.visit, to: there) }
            return
        }
        let place = step.kind == .arrival ? home(of: step.visit) ?? here : here
        if step.kind == .arrival {
            // Where it was predicted before, the visit has come before.
            guard !sectors.contains(where: { $0.waits.remembers(step.visit) }) else { return }
        } else {
            fetch(step.visit, to: here)
        }
        let seen = sectors[place].observe(step, newest: newest)
        if step.kind == .cancelled { forget(step.visit) }
        if let prediction = seen.prediction, let visitID = step.visitID {
            told.waits.append(
                FlowPredictions.Wait(
                    visitID: visitID, sector: names[place], occasion: .arrival, prediction: prediction))
        }
        guard let label = seen.label else { return }
        if let place = sectors.firstIndex(where: { $0.waits.remembers(label.visit) }) { sectors[place].learn(label) }
        guard let visitID = step.visitID else { return }
        told.labels.append(FlowPredictions.Label(visitID: visitID, waitMilliseconds: label.waitMilliseconds))
    }

    /// The wait of a patient who might come to a sector now; nil when the sector is not known. Changes nothing.
    public func predict(sector name: String, acuity: Int, at time: Int64) -> WaitPrediction? {
        let place = place(of: name)
        guard place < names.count, names[place] == name else { return nil }
        return sectors[place].waits.predict(acuity: acuity, at: time)
    }

    /// Ends the windows between the frontier and this time.
    /// - Returns: the frontier after it.
    private mutating func advance(to time: Int64, into told: inout FlowPredictions) -> Int64 {
        guard let before = frontier, time > before else {
            if frontier == nil {
                frontier = time
                hasMoved = true
            }
            return frontier ?? time
        }
        frontier = time
        hasMoved = true
        let window = Self.windowMilliseconds
        // Event times are checked to lie after 1970.
        var end = (before / window + 1) * window
        let last = min(time, end + Int64(Self.mostWindows - 1) * window)
        var rooms = Self.mostRefreshes
        while end <= last {
            for place in names.indices {
                sectors[place].endWindow(at: end, name: names[place], rooms: &rooms, into: &told)
            }
            end += window
        }
        if end <= time { for place in sectors.indices { sectors[place].jump(to: time) } }
        return time
    }

    /// Where a visit is; nil when it is nowhere.
    private func home(of visit: VisitKey) -> Int? { sectors.firstIndex { $0.waits.holds(visit) } }

    /// Moves a visit that is elsewhere.
    private mutating func fetch(_ visit: VisitKey, to place: Int) {
        guard sectors.count > 1, !sectors[place].waits.holds(visit), let elsewhere = home(of: visit) else { return }
        sectors[place].waits.accept(sectors[elsewhere].waits.release(visit))
        sectors[place].changed.insert(.queue)
        sectors[elsewhere].changed.insert(.queue)
    }

    /// Drops what was predicted for a cancelled visit.
    private mutating func forget(_ visit: VisitKey) {
        for place in sectors.indices where sectors[place].waits.remembers(visit) {
            sectors[place].waits.forget(visit)
            sectors[place].changed.insert(.queue)
        }
    }

    private func place(of name: String) -> Int {
        var low = 0
        var high = names.count
        while low < high {
            let middle = (low + high) / 2
            if names[middle] < name { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The place of a sector, which is made if there is none; nil when there are too many.
    mutating func made(_ name: String) -> Int? {
        let place = place(of: name)
        if place < names.count, names[place] == name { return place }
        guard names.count < Self.mostSectors else { return nil }
        names.insert(name, at: place)
        sectors.insert(FlowSector(at: frontier ?? 0), at: place)
        sectors[place].changed = [.queue]
        return place
    }
}
