/// Which part of the predictor a row of `gold.model_state` holds.
public enum FlowStateKind: String, Sendable, CaseIterable {
    /// What belongs to the whole facility; the row's sector is empty.
    case facility
    /// Who is there, and what was predicted for whom: changes with every event of the sector.
    case queue
    /// What was learnt from waits: changes when a wait ends.
    case wait
    /// What was learnt from arrivals: changes once an hour.
    case arrivals
    /// What was learnt from the patients present: changes once an hour.
    case occupancy
}

/// A row of `gold.model_state`.
public struct FlowState: Sendable, Equatable {
    /// Empty for `.facility`.
    public let sector: String
    /// Which part.
    public let kind: FlowStateKind
    /// What `FlowPredictor.restore` takes.
    public let bytes: [UInt8]
}

extension FlowPredictor {
    /// What the bytes of the facility begin with.
    static let stateVersion: UInt32 = 1

    /// What has changed since the last call, as bytes to be stored in the transaction of the events that changed it; by
    /// sector, names ascending. The same state gives the same bytes on every machine.
    public mutating func takeChanges() -> [FlowState] {
        var states: [FlowState] = []
        if hasMoved {
            var writer = StateWriter(version: Self.stateVersion)
            writer.put(frontier ?? .min)
            states.append(FlowState(sector: "", kind: .facility, bytes: writer.bytes))
            hasMoved = false
        }
        for place in names.indices where !sectors[place].changed.isEmpty {
            for kind in FlowStateKind.allCases where sectors[place].changed.contains(kind) {
                states.append(FlowState(sector: names[place], kind: kind, bytes: sectors[place].bytes(of: kind)))
            }
            sectors[place].changed = []
        }
        return states
    }

    /// How many bytes each sector's parts take, by name.
    func stateBytes() -> [Int] {
        sectors.map { sector in FlowStateKind.allCases.reduce(0) { $0 + sector.bytes(of: $1).count } }
    }

    /// Puts a part back as `takeChanges` gave it. Parts come in any order, onto a predictor that has seen no event;
    /// what is read back goes on bit for bit as if nothing had happened.
    /// - Throws: when the bytes are damaged or of another version; the predictor is of no use then.
    public mutating func restore(_ state: FlowState) throws(StateError) {
        guard state.kind != .facility else {
            var reader = try StateReader(state.bytes, version: Self.stateVersion)
            let time = try reader.int64()
            frontier = time == .min ? nil : time
            return try reader.end()
        }
        guard let place = made(state.sector) else { throw .damaged }
        try sectors[place].restore(state.kind, state.bytes)
        sectors[place].changed = []
    }

    /// Puts a row of `gold.model_state` back; as above. A kind that this program does not know is refused.
    public mutating func restore(sector: String, kind: String, bytes: [UInt8]) throws(StateError) {
        guard let known = FlowStateKind(rawValue: kind) else { throw .damaged }
        try restore(FlowState(sector: sector, kind: known, bytes: bytes))
    }
}

extension FlowSector {
    func bytes(of kind: FlowStateKind) -> [UInt8] {
        switch kind {
        case .facility: []
        case .queue: queueBytes()
        case .wait: waits.learntBytes()
        case .arrivals: arrivals.serialised()
        case .occupancy: occupancy.serialised()
        }
    }

    private func queueBytes() -> [UInt8] {
        var writer = StateWriter(version: SectorPredictor.stateVersion)
        waits.write(to: &writer)
        writer.put(hour)
        writer.put(count: arrived)
        writer.put(byte: isWhole ? 1 : 0)
        return writer.bytes
    }

    mutating func restore(_ kind: FlowStateKind, _ bytes: [UInt8]) throws(StateError) {
        switch kind {
        case .facility: throw .damaged
        case .queue:
            var reader = try StateReader(bytes, version: SectorPredictor.stateVersion)
            try waits.read(from: &reader)
            hour = try reader.int64()
            arrived = try reader.count(atMost: Int(UInt32.max))
            isWhole = try reader.byte() == 1
            guard HourlyHistory.isHour(hour) else { throw .damaged }
            try reader.end()
        case .wait: try waits.read(learnt: bytes)
        case .arrivals: arrivals = try CountForecaster(serialised: bytes, kind: .events)
        case .occupancy: occupancy = try CountForecaster(serialised: bytes, kind: .level)
        }
    }
}
