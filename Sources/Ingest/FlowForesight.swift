// The public signatures are made of their values.
public import PatientFlow
public import WaitTime

/// A row of `gold.model_state`.
public struct StoredState: Sendable, Equatable {
    /// Empty for what belongs to the whole facility.
    public var sector: String
    /// Which part of the predictor.
    public var kind: String
    /// The part itself.
    public var bytes: [UInt8]

    /// The row as read.
    public init(sector: String, kind: String, bytes: [UInt8]) {
        self.sector = sector
        self.kind = kind
        self.bytes = bytes
    }
}

/// What the predictor of one facility says to a batch, and what has to be stored of it.
public struct FacilityForesight: Sendable {
    /// Where.
    public var facility: FlowName
    /// The version of the facility that this transaction makes.
    public var version: Int64
    /// Waits, forecasts.
    public var told = FlowPredictions()
    /// The parts of its state that have changed.
    public var states: [FlowState] = []
}

/// The predictors of the facilities that a lane has met: as they are committed, and as the sealed batch leaves them.
///
/// Bounded: beyond `mostFacilities` all are forgotten between two batches; they are read again when they come again.
struct FlowForesight {
    static let mostFacilities = 256

    private struct Memory {
        var version: Int64
        var predictor: FlowPredictor
    }

    private var committed: [FlowName: Memory] = [:]
    private var planned: [FlowName: Memory] = [:]

    /// Whether the predictor of a facility is in memory as of this version; version 0 has none yet.
    func isCurrent(_ facility: FlowName, version: Int64) -> Bool {
        version == 0 || committed[facility]?.version == version
    }

    /// Puts a predictor together from what is stored.
    /// - Returns: false when some part cannot be read; the predictor then begins anew.
    mutating func load(_ facility: FlowName, version: Int64, _ states: [StoredState]) -> Bool {
        var predictor = FlowPredictor()
        var isWhole = true
        do throws(StateError) {
            for state in states {
                try predictor.restore(sector: state.sector, kind: state.kind, bytes: state.bytes)
            }
        } catch {
            predictor = FlowPredictor()
            isWhole = false
        }
        committed[facility] = Memory(version: version, predictor: predictor)
        return isWhole
    }

    /// Starts on a batch, or starts on it again: nothing of an earlier try is left.
    mutating func begin() {
        planned.removeAll(keepingCapacity: true)
        if committed.count > Self.mostFacilities { committed.removeAll(keepingCapacity: true) }
    }

    /// Lets a copy of the facility's predictor hear what is new, in log order.
    mutating func observe(_ events: [FlowEvent], of facility: FlowName, version: Int64) -> FacilityForesight {
        // Version 0 has nothing stored, whatever memory says.
        var predictor = version == 0 ? FlowPredictor() : committed[facility]?.predictor ?? FlowPredictor()
        var foresight = FacilityForesight(facility: facility, version: version + 1)
        for event in events {
            guard let kind = WaitTime.FlowKind(rawValue: event.kind.rawValue) else { continue }
            let step = FlowStep(
                kind, visitID: event.visit.text, timestamp: event.occurredAt, acuity: event.acuity,
                toSector: event.toSector?.text)
            predictor.observe(step, sector: event.sector.text, into: &foresight.told)
        }
        foresight.states = predictor.takeChanges()
        planned[facility] = Memory(version: version + 1, predictor: predictor)
        return foresight
    }

    /// What was planned is in the database: now, and only now, memory follows.
    mutating func remember() {
        committed.merge(planned) { $1 }
        planned.removeAll(keepingCapacity: true)
    }

    /// Forgets everything; the database has it all.
    mutating func removeAll() {
        committed.removeAll()
        planned.removeAll()
    }
}
