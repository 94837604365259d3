internal import PatientFlow
internal import VitalSigns

/// Turns a batch's events of patient flow into what the database has to do.
///
/// `begin`; then, while there is a `question`, its answer goes to `take`; then there are `changes`. It keeps nothing
/// from one batch to the next, so a batch that failed is planned again from what is stored by then.
struct FlowPlan {
    /// What has to be known next; nil when there is nothing more to ask.
    private(set) var question: FlowQuestion?
    /// What the transaction does.
    var changes = FlowChanges()
    /// Events that are new, in log order: what the predictor hears.
    private(set) var news: [FlowEvent] = []
    /// What the database said of the partitions that were asked for.
    private(set) var times: [Int32: PartitionTimes] = [:]

    /// What the database said of predictors.
    private(set) var models: [FlowName: [StoredState]] = [:]

    private enum Step { case stored, frontiers, present, models, done }

    private var step = Step.done
    private var events: [FlowEvent] = []
    private var batch: FlowBatch?
    private var states: [FlowName: FacilityState] = [:]
    private var stored: [FlowEvent] = []
    private var folds: [FacilityFold] = []
    private let lengths: [Int]

    /// - Parameter windowMinutes: lengths of the windows.
    init(windowMinutes: [Int]) {
        lengths = windowMinutes
    }

    /// Messages of a partition by class.
    func verdicts(partition: Int32) -> VerdictCounts { changes.verdicts[partition] ?? VerdictCounts() }

    /// Starts on a batch, or starts on it again.
    /// - Parameter partitions: of which it is not known how far event time had got.
    mutating func begin(_ events: [FlowEvent], partitions: [Int32]) {
        self = FlowPlan(windowMinutes: lengths)
        self.events = events
        var question = FlowQuestion()
        question.eventIDs = Array(Set(events.map(\.eventID))).sorted()
        question.visits = Array(Set(events.map(\.visitID))).sorted()
        question.facilities = Array(Set(events.map(\.facility))).sorted()
        question.partitions = partitions
        self.question = question.isEmpty ? nil : question
        step = question.isEmpty ? .done : .stored
    }

    /// Takes what the database said to `question`.
    mutating func take(_ answer: FlowAnswer) {
        question = nil
        switch step {
        case .stored: judge(answer)
        case .frontiers: fold(answer.frontiers)
        case .present: finish(answer)
        case .models:
            models = answer.models
            step = .done
        case .done: preconditionFailure("an answer that nobody asked for")
        }
    }

    /// Asks for the states of predictors, once everything else is known.
    mutating func askModels(of facilities: [FlowName]) {
        precondition(question == nil && step == .done, "another question comes first")
        var question = FlowQuestion()
        question.models = facilities
        self.question = question
        step = .models
    }

    /// Which events are new.
    private mutating func judge(_ answer: FlowAnswer) {
        let ids = Set(events.map(\.eventID))
        let batch = FlowBatch(events, known: answer.events.filter { ids.contains($0.eventID) })
        for (event, outcome) in zip(events, batch.outcomes) {
            switch outcome {
            case .inserted: changes.verdicts[event.partition, default: VerdictCounts()].inserted += 1
            case .duplicate, .replaced: changes.verdicts[event.partition, default: VerdictCounts()].duplicate += 1
            }
        }
        news = batch.inserted
        changes.events = batch.stored
        changes.removed = batch.replacedIDs.values.joined().sorted()
        (self.batch, states, stored, times) = (batch, answer.facilities, answer.events, answer.times)
        guard !batch.replacedIDs.isEmpty else { return fold([:]) }
        var question = FlowQuestion()
        question.frontiers = batch.replacedIDs.sorted { $0.key < $1.key }.map {
            FrontierQuestion(facility: $0.key, without: $0.value.sorted())
        }
        self.question = question
        step = .frontiers
    }

    /// What the events do to their facilities and visits.
    private mutating func fold(_ others: [FlowName: Int64]) {
        guard let batch else { return }
        let visits = batch.visits
        let stored = stored.filter { visits.contains($0.visitID) }
        for (facility, changes) in batch.changes.sorted(by: { $0.key < $1.key }) {
            folds.append(
                FacilityFold(
                    facility: facility, lengths: lengths,
                    frontier: FacilityFold.StoredFrontier(
                        greatest: states[facility]?.frontier, greatestOfOthers: others[facility]),
                    events: stored, changes: changes))
        }
        var question = FlowQuestion()
        for fold in folds {
            question.ranges += fold.ranges.map { FlowRange(facility: fold.facility, times: $0) }
            if fold.frontierFell { question.windowsAfter[fold.facility] = fold.frontier ?? .min }
        }
        guard !question.isEmpty else { return finish(FlowAnswer()) }
        self.question = question
        step = .present
    }

    /// Notes how far a partition's watermark is: windows that have ended by it are stored as closed.
    mutating func close(_ partition: Int32, at watermark: Watermark, wallClock: Int64) {
        for place in changes.facilities.indices where changes.facilities[place].partition == partition {
            changes.facilities[place].watermark = watermark.instant
        }
        let facilities = Set(changes.facilities.filter { $0.partition == partition }.map(\.facility))
        for place in changes.windows.indices where facilities.contains(changes.windows[place].facility) {
            if watermark.hasPassed(changes.windows[place].update.window.key.end) {
                changes.windows[place].closedAt = wallClock
            }
        }
    }

    /// What that does to the windows.
    private mutating func finish(_ answer: FlowAnswer) {
        let present = Dictionary(grouping: answer.present) { $0.facility }
        for fold in folds {
            let partition = events.last { $0.facility == fold.facility }?.partition ?? events.last?.partition ?? 0
            changes.facilities.append(
                FacilityChange(
                    facility: fold.facility, version: states[fold.facility]?.version ?? 0, frontier: fold.frontier,
                    partition: partition, watermark: nil))
            changes.visits += fold.visits
            changes.vanished += fold.emptiedVisits
            let updates = fold.windows(
                others: present[fold.facility] ?? [], existing: answer.windows[fold.facility] ?? [])
            changes.windows += updates.map { WindowChange(facility: fold.facility, update: $0, closedAt: nil) }
        }
        step = .done
    }
}
