internal import PatientFlow
internal import Postgres
internal import Service

/// The statements of patient flow, one text each, and how rows are written and read.
enum FlowSQL {
    /// Columns of an event, in the order in which they are written and read.
    private static let eventColumns = [
        "event_id", "facility_id", "sector_id", "visit_id", "patient_id", "event", "to_sector_id", "acuity",
        "occurred_at", "source_partition", "source_offset",
    ]

    /// Facilities by name, and those of stored events by id.
    static let states = """
        SELECT s.facility_id, s.version, s.frontier FROM (SELECT unnest($1::text[]) AS facility_id \
        UNION SELECT e.facility_id FROM unnest($2::uuid[]) AS i (event_id) \
        JOIN silver.patient_flow_event AS e ON e.event_id = i.event_id) AS k \
        JOIN gold.flow_state AS s ON s.facility_id = k.facility_id
        """

    /// All events of the visits of stored events by id, and of visits by name.
    static let events = """
        SELECT \(eventColumns.map { "e." + $0 }.joined(separator: ", ")) FROM (\
        SELECT f.facility_id, f.visit_id FROM unnest($1::uuid[]) AS i (event_id) \
        JOIN silver.patient_flow_event AS f ON f.event_id = i.event_id \
        UNION SELECT * FROM unnest($2::text[], $3::text[])) AS v (facility_id, visit_id) \
        JOIN silver.patient_flow_event AS e ON e.facility_id = v.facility_id AND e.visit_id = v.visit_id
        """

    static let copyEvents =
        "COPY silver.patient_flow_event (\(eventColumns.joined(separator: ", "))) FROM STDIN (FORMAT binary)"

    /// Events of visits that count somewhere in a span of time: there by its end, not gone before its beginning, or
    /// counted for a treatment that began after that.
    static let present = """
        SELECT \(eventColumns.map { "e." + $0 }.joined(separator: ", ")) FROM (\
        SELECT p.visit_id FROM silver.patient_visit AS p WHERE p.facility_id = $1 AND p.arrival_at < $3 \
        AND p.present_until >= $2 \
        UNION SELECT t.visit_id FROM silver.patient_visit AS t WHERE t.facility_id = $1 AND t.impossible & 8 <> 0 \
        AND t.treatment_start_at >= $2 AND t.present_until IS NOT NULL AND t.arrival_at < $3) AS v \
        JOIN silver.patient_flow_event AS e ON e.facility_id = $1 AND e.visit_id = v.visit_id
        """

    /// Keys of stored windows that begin after an instant.
    static let windows = """
        SELECT sector_id, window_minutes, window_start FROM gold.occupancy_window \
        WHERE facility_id = $1 AND window_start > $2
        """

    /// The newest event time of a facility without some of its events.
    static let frontier = """
        SELECT max(occurred_at) FROM silver.patient_flow_event \
        WHERE facility_id = $1 AND event_id <> ALL ($2::uuid[])
        """

    /// How far event time had got in a partition.
    static let times = "SELECT max(frontier), max(watermark) FROM gold.flow_state WHERE source_partition = $1"

    private static let visitColumns = [
        "visit_id", "facility_id", "sector_id", "patient_id", "acuity", "impossible", "revision", "arrival_at",
        "triage_at", "treatment_start_at", "departure_at", "last_event_at", "present_until", "wait_minutes",
        "disposition",
    ]

    private static let windowColumns = [
        "facility_id", "sector_id", "window_minutes", "window_start", "arrivals", "transfers_in", "transfers_out",
        "treatment_starts", "departures", "left_without_being_seen", "census_start", "census_end", "census_max",
        "census_mean", "waiting_end", "waiting_max", "in_treatment_end", "boarding_end", "wait_mean_minutes",
        "wait_p50_minutes", "wait_p90_minutes", "longest_current_wait_minutes", "four_hour_share", "revision",
        "closed_at",
    ]

    /// Rows on their way into tables that are written over.
    static let stages = """
        CREATE TEMPORARY TABLE IF NOT EXISTS stage_patient_visit (LIKE silver.patient_visit) ON COMMIT DELETE ROWS; \
        CREATE TEMPORARY TABLE IF NOT EXISTS stage_occupancy_window (LIKE gold.occupancy_window) \
        ON COMMIT DELETE ROWS; \
        CREATE TEMPORARY TABLE IF NOT EXISTS stage_wait_prediction (LIKE gold.wait_prediction) ON COMMIT DELETE ROWS; \
        CREATE TEMPORARY TABLE IF NOT EXISTS stage_sector_forecast (LIKE gold.sector_forecast) ON COMMIT DELETE ROWS; \
        CREATE TEMPORARY TABLE IF NOT EXISTS stage_model_state (LIKE gold.model_state) ON COMMIT DELETE ROWS
        """

    static let copyVisits =
        "COPY stage_patient_visit (\(visitColumns.joined(separator: ", "))) FROM STDIN (FORMAT binary)"
    static let copyWindows =
        "COPY stage_occupancy_window (\(windowColumns.joined(separator: ", "))) FROM STDIN (FORMAT binary)"

    static let storeVisits = """
        INSERT INTO silver.patient_visit (\(visitColumns.joined(separator: ", "))) \
        SELECT \(visitColumns.joined(separator: ", ")) FROM stage_patient_visit ORDER BY facility_id, visit_id \
        ON CONFLICT (visit_id, facility_id) DO UPDATE \
        SET \(visitColumns.dropFirst(2).map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
        """

    /// Visits as COPY data.
    static func rows(of visits: [Visit]) -> [UInt8] {
        var rows = CopyRows()
        for visit in visits {
            rows.begin(columns: visitColumns.count)
            rows.add(visit.id.visit.text)
            rows.add(visit.id.facility.text)
            rows.add(visit.sector.text)
            rows.add(uuid: visit.patient)
            rows.add(smallint: visit.acuity)
            rows.add(smallint: Int(visit.impossible.rawValue))
            rows.add(integer: visit.revision)
            for time in [visit.arrivalAt, visit.triageAt, visit.treatmentStartAt, visit.departureAt] {
                rows.add(time: time)
            }
            rows.add(time: visit.lastEventAt)
            rows.add(time: visit.presentUntil)
            rows.add(double: visit.waitMinutes)
            rows.add(visit.disposition.rawValue)
        }
        return rows.finished()
    }

    /// Windows as COPY data.
    static func rows(of changes: [WindowChange]) -> [UInt8] {
        var rows = CopyRows()
        for change in changes {
            let window = change.update.window
            rows.begin(columns: windowColumns.count)
            rows.add(change.facility.text)
            rows.add(window.key.sector.text)
            rows.add(integer: window.key.minutes)
            rows.add(time: window.key.start)
            for count in [
                window.arrivals, window.transfersIn, window.transfersOut, window.treatmentStarts, window.departures,
                window.leftWithoutBeingSeen, window.censusStart, window.censusEnd, window.censusMax,
            ] {
                rows.add(integer: count)
            }
            rows.add(double: window.censusMean)
            for count in [window.waitingEnd, window.waitingMax, window.inTreatmentEnd, window.boardingEnd] {
                rows.add(integer: count)
            }
            for value in [
                window.waitMeanMinutes, window.waitP50Minutes, window.waitP90Minutes,
                window.longestCurrentWaitMinutes, window.fourHourShare,
            ] {
                rows.add(double: value)
            }
            rows.add(integer: change.update.revisionRaise)
            rows.add(time: change.closedAt)
        }
        return rows.finished()
    }

    /// Events as COPY data.
    static func rows(of events: [FlowEvent]) -> [UInt8] {
        var rows = CopyRows()
        for event in events {
            rows.begin(columns: eventColumns.count)
            rows.add(uuidHigh: event.eventID.high, low: event.eventID.low)
            rows.add(event.facility.text)
            rows.add(event.sector.text)
            rows.add(event.visit.text)
            rows.add(uuid: event.patient)
            rows.add(event.kind.code)
            rows.add(event.toSector?.text)
            rows.add(smallint: event.acuity)
            rows.add(time: event.occurredAt)
            rows.add(integer: Int(event.partition))
            rows.add(bigint: event.offset)
        }
        return rows.finished()
    }

    /// Events from a binary result.
    static func events(_ result: borrowing ResultSet) -> [FlowEvent] {
        (0..<result.rowCount).compactMap { event(result, row: $0) }
    }

    /// Keys of windows from a binary result.
    static func windowKeys(_ result: borrowing ResultSet) -> [WindowKey] {
        var keys: [WindowKey] = []
        for row in 0..<result.rowCount {
            keys.append(
                WindowKey(
                    sector: FlowName(result.text(row, 0)), minutes: Int(result.int64(row, 1)),
                    start: result.int64(row, 2)))
        }
        return keys
    }

    /// An event; the table's checks leave none that is none.
    private static func event(_ result: borrowing ResultSet, row: Int) -> FlowEvent? {
        guard let kind = FlowKind(code: result.text(row, 5)) else { return nil }
        let id = result.uuid(row, 0)
        let patient = result.isNull(row, 4) ? nil : result.uuid(row, 4)
        return FlowEvent(
            eventID: EventID(high: id.high, low: id.low), facility: FlowName(result.text(row, 1)),
            sector: FlowName(result.text(row, 2)), visit: FlowName(result.text(row, 3)),
            patient: patient.map { PatientID(high: $0.high, low: $0.low) }, kind: kind,
            toSector: result.textIfPresent(row, 6).map { FlowName($0) },
            acuity: result.int64IfPresent(row, 7).map { Int($0) }, occurredAt: result.int64(row, 8),
            partition: Int32(truncatingIfNeeded: result.int64(row, 9)), offset: result.int64(row, 10))
    }

    /// A timestamptz as an SQL expression, exact to the millisecond.
    static func time(_ milliseconds: Int64?) -> String {
        milliseconds.map { "'\(UTCText.timestamp(milliseconds: $0))'" } ?? "NULL"
    }

    /// An id as text.
    static func uuid(_ id: EventID) -> String { UUIDBytes(high: id.high, low: id.low).text }
}

extension CopyRows {
    /// A patient's id; nil is NULL.
    fileprivate mutating func add(uuid patient: PatientID?) {
        guard let patient else { return addNull() }
        add(uuidHigh: patient.high, low: patient.low)
    }
}
