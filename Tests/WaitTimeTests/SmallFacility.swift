import WaitTime

/// Events of three sectors as a log might bring them: late, repeated under another id, moved, cancelled, without an
/// end; the same for the same seed.
struct SmallFacility {
    private(set) var events: [(step: FlowStep, sector: String)] = []
    static let start: Int64 = 1_700_000_000_000
    static let sectors = ["majors", "minors", "resus"]

    init(visits: Int, seed: UInt64) {
        var numbers = SmallHospital.Numbers(state: seed)
        var time = Self.start
        var timed: [(at: Int64, order: Int, step: FlowStep, sector: String)] = []
        func add(_ step: FlowStep, _ sector: String, late: Int64 = 0) {
            timed.append((step.timestamp + late, timed.count, step, sector))
        }
        for number in 0..<visits {
            time += Int64(numbers.below(1_000_000))
            let visit = "visit-\(seed)-\(number)"
            var sector = Self.sectors[Int(numbers.below(3))]
            let acuity = 1 + Int(numbers.below(5))
            let late = numbers.below(10) == 0 ? Int64(numbers.below(7_200_000)) : 0
            let arrival = FlowStep(.arrival, visitID: visit, timestamp: time, acuity: acuity)
            add(arrival, sector, late: late)
            if numbers.below(12) == 0 {
                add(FlowStep(.arrival, visitID: visit, timestamp: time + 30_000, acuity: acuity), sector)
            }
            if numbers.below(8) == 0 {
                let target = Self.sectors[Int(numbers.below(3))]
                add(FlowStep(.transfer, visitID: visit, timestamp: time + 200_000, toSector: target), sector)
                sector = target
            }
            let wait = Int64(numbers.below(5_400_000))
            switch numbers.below(20) {
            case 0: add(FlowStep(.cancelled, visitID: visit, timestamp: time + wait), sector)
            case 1: add(FlowStep(.leftWithoutBeingSeen, visitID: visit, timestamp: time + wait), sector)
            case 2: break
            default:
                add(FlowStep(.treatmentStart, visitID: visit, timestamp: time + wait), sector)
                let end = time + wait + Int64(numbers.below(9_000_000))
                add(FlowStep(.departure, visitID: visit, timestamp: end), sector)
            }
        }
        events = timed.sorted { ($0.at, $0.order) < ($1.at, $1.order) }.map { ($0.step, $0.sector) }
    }
}

/// What a database would hold of a predictor: each part as it was stored last.
struct StoredStates: Equatable {
    private(set) var rows: [String: FlowState] = [:]

    mutating func store(_ states: [FlowState]) {
        for state in states { rows[state.sector + "/" + state.kind.rawValue] = state }
    }

    /// A predictor read back, its rows in an order that means nothing.
    func predictor() throws -> FlowPredictor {
        var predictor = FlowPredictor()
        for name in rows.keys.sorted().reversed() {
            guard let row = rows[name] else { continue }
            try predictor.restore(sector: row.sector, kind: row.kind.rawValue, bytes: row.bytes)
        }
        return predictor
    }
}
