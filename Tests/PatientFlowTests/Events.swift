import PatientFlow

/// Milliseconds of a time of 1 January 2026, "10:05" or "10:05:30", UTC; "34:00" is ten on the second.
func at(_ clock: String) -> Int64 {
    let parts = clock.split(separator: ":").compactMap { Int64($0) }
    let seconds = parts[0] * 3600 + parts[1] * 60 + (parts.count > 2 ? parts[2] : 0)
    return 1_767_225_600_000 + seconds * 1000
}

func minutes(_ count: Int64) -> Int64 { count * 60_000 }
func days(_ count: Int64) -> Int64 { count * 86_400_000 }

/// An event of visit "v" in sector "ed" of facility "north", unless it says otherwise; its id is also its offset.
func event(
    _ kind: FlowKind, _ clock: String, _ id: Int, in sector: FlowName = "ed", to toSector: FlowName? = nil,
    acuity: Int? = nil, visit: FlowName = "v", facility: FlowName = "north", patient: PatientID? = nil,
    partition: Int32 = 1
) -> FlowEvent {
    FlowEvent(
        eventID: EventID(high: 0, low: UInt64(id)), facility: facility, sector: sector, visit: visit,
        patient: patient, kind: kind, toSector: toSector, acuity: acuity, occurredAt: at(clock),
        partition: partition, offset: Int64(id))
}

/// A visit to the emergency department with everything in it.
func wholeVisit(
    _ visit: FlowName = "v", _ arrival: String, _ treatment: String, _ departure: String, firstID: Int = 1,
    in sector: FlowName = "ed"
) -> [FlowEvent] {
    [
        event(.arrival, arrival, firstID, in: sector, visit: visit),
        event(.treatmentStart, treatment, firstID + 1, in: sector, visit: visit),
        event(.departure, departure, firstID + 2, in: sector, visit: visit),
    ]
}
