/// The sectors of one facility, and who moves between them. Feed it the facility's events in the order of the log.
public struct FacilityPredictor {
    /// Ascending by name.
    public private(set) var names: [String] = []
    private var sectors: [SectorPredictor] = []

    /// A facility of which nothing is known.
    public init() {}

    /// The sector of this name; nil before its first event.
    public subscript(name: String) -> SectorPredictor? {
        let place = place(of: name)
        return place < names.count && names[place] == name ? sectors[place] : nil
    }

    /// Puts a sector back as it was stored.
    public mutating func restore(_ name: String, _ sector: SectorPredictor) {
        sectors[made(name)] = sector
    }

    /// Takes an event. A visit that is known in another sector moves to the one that the event names.
    /// - Returns: the prediction made for an arrival; and the wait that is now known, with the sector that predicted
    ///   it, to be given to `learn` once the event is committed.
    public mutating func observe(
        _ step: FlowStep, sector name: String
    ) -> (prediction: WaitPrediction?, label: WaitLabel?, predictedIn: String) {
        let here = made(name)
        if step.kind != .arrival { fetch(step.visit, to: here) }
        if step.kind == .transfer {
            _ = sectors[here].observe(step)
            if let target = step.toSector { fetch(step.visit, to: made(target)) }
            return (nil, nil, name)
        }
        let seen = sectors[here].observe(step)
        if step.kind == .cancelled { for place in sectors.indices { sectors[place].forget(step.visit) } }
        guard seen.label != nil, !sectors[here].remembers(step.visit) else {
            return (seen.prediction, seen.label, name)
        }
        let home = sectors.firstIndex { $0.remembers(step.visit) } ?? here
        return (seen.prediction, seen.label, names[home])
    }

    /// Learns a wait in the sector that predicted it.
    @discardableResult
    public mutating func learn(_ label: WaitLabel, in name: String) -> Bool {
        let place = place(of: name)
        guard place < names.count, names[place] == name else { return false }
        return sectors[place].learn(label)
    }

    /// Moves a visit that is elsewhere.
    private mutating func fetch(_ visit: VisitKey, to place: Int) {
        guard sectors.count > 1, !sectors[place].holds(visit) else { return }
        guard let elsewhere = sectors.firstIndex(where: { $0.holds(visit) }) else { return }
        sectors[place].accept(sectors[elsewhere].release(visit))
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

    private mutating func made(_ name: String) -> Int {
        let place = place(of: name)
        if place == names.count || names[place] != name {
            names.insert(name, at: place)
            sectors.insert(SectorPredictor(), at: place)
        }
        return place
    }
}
