import Ingest
import Kafka
import PatientFlow
import Service
import VitalSigns
import WaitTime

/// The tables of patient flow in memory, with the rules that the schema enforces: fence, books, versions, unique ids,
/// all or nothing. Several lanes may share one.
final class FlowBook {
    struct Progress: Equatable {
        var next: Int64
        var epoch: Int64
        var owner: UUIDBytes?
        var hash: Int64?
        var inserted: Int64 = 0
        var duplicate: Int64 = 0
        var rejected: Int64 = 0
    }

    struct StoredRow: Equatable {
        var window: OccupancyWindow
        var revision: Int
        var isClosed: Bool
    }

    /// What must be the same however the log was cut and whatever failed.
    struct Facts: Equatable {
        var events: [EventID: FlowEvent] = [:]
        var visits: [VisitID: Visit] = [:]
        var windows: [VisitID: [WindowKey: StoredRow]] = [:]
        var models: [String: [UInt8]] = [:]
        var predictions: [String: FlowPredictions.Wait] = [:]
        var forecasts: [String: SectorForecast] = [:]
    }

    private(set) var facts = Facts()
    private(set) var progress: [TopicPartition: Progress] = [:]
    private var states: [FlowName: FacilityState] = [:]
    private var partitions: [FlowName: Int32] = [:]
    private(set) var watermarks: [FlowName: Int64] = [:]
    private(set) var commits = 0
    private(set) var holds = 0

    func windows(of facility: FlowName) -> [WindowKey: StoredRow] { facts.windows[Self.key(facility)] ?? [:] }

    private static func key(_ facility: FlowName) -> VisitID { VisitID(facility: facility, visit: "") }

    /// Another lane, or an operator, takes a partition away.
    func raiseEpoch(_ partition: TopicPartition) {
        progress[partition]?.epoch += 1
        progress[partition]?.owner = nil
    }

    /// Another lane writes to a facility in between.
    func raiseVersion(_ facility: FlowName) { states[facility]?.version += 1 }

    func takeOver(_ requests: [TakeOverRequest], owner: UUIDBytes) -> [TakenPartition] {
        requests.map { request in
            var row = progress[request.partition] ?? Progress(next: request.lowWatermark, epoch: 0)
            row.epoch += 1
            row.owner = owner
            progress[request.partition] = row
            return TakenPartition(
                partition: request.partition, epoch: row.epoch, nextOffset: row.next, lastMessageHash: row.hash)
        }
    }

    func ownership(of partitions: [TopicPartition]) -> [PartitionOwnership] {
        partitions.compactMap { partition in
            progress[partition].map { PartitionOwnership(partition: partition, epoch: $0.epoch, owner: $0.owner) }
        }
    }

    func answer(_ question: FlowQuestion) -> FlowAnswer {
        var answer = FlowAnswer()
        let known = question.eventIDs.compactMap { facts.events[$0] }
        let visits = Set(question.visits + known.map(\.visitID))
        answer.events = facts.events.values.filter { visits.contains($0.visitID) }
        for facility in Set(question.facilities + known.map(\.facility)) {
            answer.facilities[facility] = states[facility]
        }
        for asked in question.frontiers {
            answer.frontiers[asked.facility] =
                facts.events.values.filter { $0.facility == asked.facility && !asked.without.contains($0.eventID) }
                .map(\.occurredAt).max()
        }
        for range in question.ranges {
            let there = facts.visits.values.filter { visit in
                guard visit.id.facility == range.facility, let arrival = visit.arrivalAt, let end = visit.presentUntil
                else { return false }
                return arrival < range.times.upperBound
                    && max(end, visit.treatmentStartAt ?? end) >= range.times.lowerBound
            }
            let names = Set(there.map(\.id))
            answer.present += facts.events.values.filter { names.contains($0.visitID) }
        }
        for (facility, instant) in question.windowsAfter {
            answer.windows[facility] = windows(of: facility).keys.filter { $0.start > instant }
        }
        for facility in question.models {
            answer.models[facility] = facts.models.filter { $0.key.hasPrefix(facility.text + "/") }.map { key, bytes in
                let parts = key.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
                return StoredState(sector: parts[1], kind: parts[2], bytes: bytes)
            }
        }
        for partition in question.partitions {
            let own = partitions.filter { $0.value == partition }.keys
            answer.times[partition] = PartitionTimes(
                frontier: own.compactMap { states[$0]?.frontier }.max(),
                watermark: own.compactMap { watermarks[$0] }.max())
        }
        return answer
    }

    /// All of it, or nothing and why.
    func apply(_ batch: Batch) throws(StoreFailure) {
        for advance in batch.advances + batch.holds {
            guard let row = progress[advance.partition], row.owner == advance.owner, row.epoch == advance.epoch,
                row.next == advance.expectedNext
            else { throw .fenced }
        }
        var after = facts
        if let flow = batch.flow { try apply(flow, to: &after) }
        facts = after
        commits += batch.advances.isEmpty ? 0 : 1
        holds += batch.holds.count
        for change in batch.flow?.facilities ?? [] {
            states[change.facility] = FacilityState(version: change.version + 1, frontier: change.frontier)
            partitions[change.facility] = change.partition
            watermarks[change.facility] = [watermarks[change.facility], change.watermark].compactMap { $0 }.max()
        }
        for closing in batch.flow?.closings ?? [] { close(closing) }
        for advance in batch.advances {
            progress[advance.partition]?.next = advance.next
            progress[advance.partition]?.hash = advance.lastMessageHash
            progress[advance.partition]?.inserted += advance.verdicts.inserted
            progress[advance.partition]?.duplicate += advance.verdicts.duplicate
            progress[advance.partition]?.rejected += advance.rejected
        }
    }

    private func apply(_ flow: FlowChanges, to after: inout Facts) throws(StoreFailure) {
        for change in flow.facilities where states[change.facility]?.version ?? 0 != change.version {
            throw .conflict(sqlState: "VS002")
        }
        for id in flow.removed { after.events[id] = nil }
        for event in flow.events {
            if after.events.updateValue(event, forKey: event.eventID) != nil { throw .conflict(sqlState: "23505") }
        }
        for visit in flow.vanished { after.visits[visit] = nil }
        for visit in flow.visits { after.visits[visit.id] = visit }
        for change in flow.windows {
            let place = Self.key(change.facility)
            let key = change.update.window.key
            let old = after.windows[place]?[key]?.revision ?? 0
            after.windows[place, default: [:]][key] = StoredRow(
                window: change.update.window, revision: old + change.update.revisionRaise,
                isClosed: change.closedAt != nil)
        }
        for foresight in flow.foresights {
            let name = foresight.facility.text
            for state in foresight.states {
                after.models["\(name)/\(state.sector)/\(state.kind.rawValue)"] = state.bytes
            }
            for wait in foresight.told.waits {
                let key = "\(name)/\(wait.visitID)/\(wait.prediction.timestamp)/\(wait.occasion)"
                after.predictions[key] = after.predictions[key] ?? wait
            }
            for forecast in foresight.told.forecasts {
                let key = "\(name)/\(forecast.sector)/\(forecast.timestamp)"
                after.forecasts[key] = after.forecasts[key] ?? forecast
            }
        }
    }

    private func close(_ closing: FlowClosing) {
        for (facility, partition) in partitions where partition == closing.partition {
            let place = Self.key(facility)
            for key in windows(of: facility).keys where key.end <= closing.watermark {
                facts.windows[place]?[key]?.isClosed = true
            }
            if closing.isIdle { watermarks[facility] = max(watermarks[facility] ?? .min, closing.watermark) }
        }
    }
}
