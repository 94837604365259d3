internal import PatientFlow
internal import Postgres
internal import WaitTime

// What a lane asks of patient flow, and what it stores.
extension PostgresStore {
    /// See `ReadingStore`.
    ///
    /// Versions first: what is read after them may be newer, and then the commit is refused; never older.
    public mutating func askFlow(_ question: FlowQuestion) {
        flowAnswer = FlowAnswer()
        var ids = BinaryArrayEncoder(elementType: .uuid)
        for id in question.eventIDs { ids.append(uuidHigh: id.high, low: id.low) }
        var facilities = BinaryArrayEncoder(elementType: .text)
        for facility in question.facilities { facilities.append(bytes: facility.text.utf8) }
        var visits = (BinaryArrayEncoder(elementType: .text), BinaryArrayEncoder(elementType: .text))
        for visit in question.visits {
            visits.0.append(bytes: visit.facility.text.utf8)
            visits.1.append(bytes: visit.visit.text.utf8)
        }
        let identifiers = ids.parameter()
        flowQueries = []
        if !question.eventIDs.isEmpty || !question.facilities.isEmpty {
            ask(FlowSQL.states, [facilities.parameter(), identifiers]) { $0.takeStates($1) }
        }
        if !question.eventIDs.isEmpty || !question.visits.isEmpty {
            ask(FlowSQL.events, [identifiers, visits.0.parameter(), visits.1.parameter()]) {
                $0.flowAnswer.events += FlowSQL.events($1)
            }
        }
        for facility in question.models {
            ask(FlowSQL.models, [.text(facility.text)]) { $0.flowAnswer.models[facility] = FlowSQL.states($1) }
        }
        for partition in question.partitions {
            ask(FlowSQL.times, [.int32(partition)]) { store, result in
                guard result.rowCount > 0 else { return }
                store.flowAnswer.times[partition] = PartitionTimes(
                    frontier: result.int64IfPresent(0, 0), watermark: result.int64IfPresent(0, 1))
            }
        }
        for frontier in question.frontiers { askFrontier(frontier) }
        for range in question.ranges {
            let times = range.times
            let parameters: [Parameter] = [
                .text(range.facility.text), .timestamp(milliseconds: times.lowerBound),
                .timestamp(milliseconds: times.upperBound),
            ]
            ask(FlowSQL.present, parameters) { $0.flowAnswer.present += FlowSQL.events($1) }
        }
        for (facility, instant) in question.windowsAfter.sorted(by: { $0.key < $1.key }) {
            // Before 1970 there is no window.
            let parameters: [Parameter] = [.text(facility.text), .timestamp(milliseconds: max(0, instant))]
            ask(FlowSQL.windows, parameters) { $0.flowAnswer.windows[facility] = FlowSQL.windowKeys($1) }
        }
        guard let first = flowQueries.first else { preconditionFailure("a question that asks nothing") }
        begin(.askingFlow) { connection throws(PostgresError) in
            try connection.send(first.sql, parameters: first.parameters)
        }
    }

    private mutating func ask(
        _ sql: String, _ parameters: [Parameter],
        _ take: @escaping (inout PostgresStore, borrowing ResultSet) -> Void
    ) {
        flowQueries.append(FlowQuery(sql: sql, parameters: parameters, take: take))
    }

    private mutating func askFrontier(_ frontier: FrontierQuestion) {
        var ids = BinaryArrayEncoder(elementType: .uuid)
        for id in frontier.without { ids.append(uuidHigh: id.high, low: id.low) }
        ask(FlowSQL.frontier, [.text(frontier.facility.text), ids.parameter()]) { store, result in
            if result.rowCount > 0, let time = result.int64IfPresent(0, 0) {
                store.flowAnswer.frontiers[frontier.facility] = time
            }
        }
    }

    private mutating func takeStates(_ result: borrowing ResultSet) {
        for row in 0..<result.rowCount {
            flowAnswer.facilities[FlowName(result.text(row, 0))] = FacilityState(
                version: result.int64(row, 1), frontier: result.int64IfPresent(row, 2))
        }
    }

    /// Predictions, then the outcomes of all visits that have changed or were spoken of, then what the predictors have
    /// become.
    private mutating func foresightStatements(_ flow: FlowChanges) -> String {
        var sql = ""
        let hasWaits = flow.foresights.contains { !$0.told.waits.isEmpty }
        if hasWaits {
            sql += "; \(FlowSQL.copyPredictions); \(FlowSQL.storePredictions)"
            copies.append(.bytes(FlowSQL.predictions(flow.foresights)))
        }
        if flow.foresights.contains(where: { !$0.told.forecasts.isEmpty }) {
            sql += "; \(FlowSQL.copyForecasts); \(FlowSQL.storeForecasts)"
            copies.append(.bytes(FlowSQL.forecasts(flow.foresights)))
        }
        if hasWaits || !flow.visits.isEmpty { sql += "; SELECT gold.store_outcomes()" }
        if flow.foresights.contains(where: { !$0.states.isEmpty }) {
            sql += "; \(FlowSQL.copyModels); \(FlowSQL.storeModels)"
            copies.append(.bytes(FlowSQL.models(flow.foresights)))
        }
        return sql
    }

    /// The part of the transaction that is about patient flow, after the fences; adds what is to be copied.
    mutating func flowStatements(_ flow: FlowChanges) -> String {
        // Once per session; a transaction that fails takes them with it.
        var sql = hasFlowStages ? "" : "; \(FlowSQL.stages)"
        for change in flow.facilities {
            sql += "; SELECT gold.raise_flow_state(\(StoreSQL.literal(change.facility.text)), \(change.version), "
            sql += "\(FlowSQL.time(change.frontier)), \(change.partition), \(FlowSQL.time(change.watermark)))"
        }
        if !flow.removed.isEmpty {
            let ids = flow.removed.map { "'\(FlowSQL.uuid($0))'" }.joined(separator: ", ")
            sql += "; DELETE FROM silver.patient_flow_event WHERE event_id IN (\(ids))"
        }
        if !flow.events.isEmpty {
            sql += "; \(FlowSQL.copyEvents)"
            copies.append(.bytes(FlowSQL.rows(of: flow.events)))
        }
        for visit in flow.vanished {
            sql += "; DELETE FROM silver.patient_visit WHERE visit_id = \(StoreSQL.literal(visit.visit.text)) "
            sql += "AND facility_id = \(StoreSQL.literal(visit.facility.text))"
            sql += "; DELETE FROM gold.prediction_outcome WHERE visit_id = \(StoreSQL.literal(visit.visit.text)) "
            sql += "AND facility_id = \(StoreSQL.literal(visit.facility.text))"
        }
        if !flow.visits.isEmpty {
            sql += "; \(FlowSQL.copyVisits); \(FlowSQL.storeVisits)"
            copies.append(.bytes(FlowSQL.rows(of: flow.visits)))
        }
        sql += foresightStatements(flow)
        if !flow.windows.isEmpty {
            sql += "; \(FlowSQL.copyWindows); SELECT gold.store_windows()"
            copies.append(.bytes(FlowSQL.rows(of: flow.windows)))
        }
        for closing in flow.closings {
            sql += "; SELECT gold.close_windows(\(closing.partition), \(FlowSQL.time(closing.watermark)))"
            guard closing.isIdle else { continue }
            sql += "; SELECT gold.note_watermark(\(closing.partition), \(FlowSQL.time(closing.watermark)))"
        }
        return sql
    }
}

/// One of the statements that answer a `FlowQuestion`, and how its rows are read.
struct FlowQuery {
    let sql: String
    let parameters: [Parameter]
    let take: (inout PostgresStore, borrowing ResultSet) -> Void
}
