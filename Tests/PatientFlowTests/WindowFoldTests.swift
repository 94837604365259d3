import PatientFlow
import TestSupport
import Testing

/// Each value of a window, from pictures of what happened around it. The window is 10:00 to 10:05 unless said.
@Suite struct WindowFoldTests {
    private func row(
        _ visits: [[FlowEvent]], _ start: String = "10:00", minutes: Int = 5, sector: FlowName = "ed"
    ) -> OccupancyWindow {
        WindowFold.row(
            WindowKey(sector: sector, minutes: minutes, start: at(start)), visits.compactMap { VisitTimeline(of: $0) })
    }

    //        10:00                                   10:05
    // v1  9:50-|----------- 10:03 (gone)               |
    // v2       |     10:01 ------------------------------- 10:30
    // v3       |                     10:03 ---- 10:04  |
    // v4  9:00-9:59                                    |
    @Test func `arrivals, departures and who is there`() {
        let window = row([
            [event(.arrival, "09:50", 1), event(.departure, "10:03", 2)],
            [event(.arrival, "10:01", 3, visit: "v2"), event(.departure, "10:30", 4, visit: "v2")],
            [event(.arrival, "10:03", 5, visit: "v3"), event(.departure, "10:04", 6, visit: "v3")],
            [event(.arrival, "09:00", 7, visit: "v4"), event(.departure, "09:59", 8, visit: "v4")],
        ])
        #expect(window.arrivals == 2 && window.departures == 2 && window.treatmentStarts == 0)
        #expect(window.censusStart == 1 && window.censusEnd == 1)
        // At 10:03 one goes and one comes: never three at once.
        #expect(window.censusMax == 2)
        // 3 + 4 + 1 minutes of presence.
        #expect(window.censusMean == 8.0 / 5.0)
        #expect(window.waitingEnd == 1 && window.waitingMax == 2 && window.inTreatmentEnd == 0)
        #expect(window.longestCurrentWaitMinutes == 4)
        #expect(window.fourHourShare == 1)
        #expect(window.waitMeanMinutes == nil && window.waitP50Minutes == nil && window.waitP90Minutes == nil)
    }

    //          10:00                     10:05
    //  comes at the start: in            comes at the end: not
    //  goes at the start: was there      goes at the end: is still there just before
    @Test func `a window holds its start and not its end`() {
        let come = row([[event(.arrival, "10:00", 1)], [event(.arrival, "10:05", 2, visit: "w")]])
        #expect(come.arrivals == 1 && come.censusStart == 0 && come.censusEnd == 1 && come.censusMax == 1)
        let gone = row([
            [event(.arrival, "09:00", 1), event(.departure, "10:00", 2)],
            [event(.arrival, "09:00", 3, visit: "w"), event(.departure, "10:05", 4, visit: "w")],
        ])
        #expect(gone.departures == 1 && gone.censusStart == 2 && gone.censusEnd == 1)
        #expect(gone.censusMax == 1 && gone.censusMean == 1)
        let next = row([[event(.arrival, "09:00", 3), event(.departure, "10:05", 4)]], "10:05")
        #expect(next.departures == 1 && next.censusStart == 1 && next.censusEnd == 0 && next.censusMean == 0)
    }

    //        10:00                        10:05
    // ed    ---- waiting ------ 10:02
    // ward                      10:02 ------ waiting -- treated 10:04 ---
    @Test func `a transfer leaves one sector's window and enters the other's`() {
        let visits = [
            [
                event(.arrival, "09:00", 1), event(.transfer, "10:02", 2, to: "ward"),
                event(.treatmentStart, "10:04", 3, in: "ward"),
            ]
        ]
        let left = row(visits)
        #expect(left.transfersOut == 1 && left.transfersIn == 0 && left.censusStart == 1 && left.censusEnd == 0)
        #expect(left.waitingMax == 1 && left.waitingEnd == 0 && left.longestCurrentWaitMinutes == nil)
        #expect(left.censusMean == 0.4 && left.treatmentStarts == 0)
        let entered = row(visits, sector: "ward")
        #expect(entered.transfersIn == 1 && entered.transfersOut == 0 && entered.arrivals == 0)
        #expect(entered.censusStart == 0 && entered.censusEnd == 1 && entered.censusMean == 0.6)
        #expect(entered.treatmentStarts == 1 && entered.waitMeanMinutes == 64 && entered.inTreatmentEnd == 1)
        #expect(entered.waitingMax == 1 && entered.waitingEnd == 0)
    }

    // Waits of 10, 20, ... minutes that end in the window.
    @Test(arguments: [(1, 10.0, 10.0, 10.0), (2, 15, 10, 20), (3, 20, 20, 30), (10, 55, 50, 90), (11, 60, 60, 100)])
    func `waits that ended: mean, and the nearest rank as percentile_disc has it`(
        count: Int, mean: Double, median: Double, ninetieth: Double
    ) {
        let visits = (1...count).map { number in
            let wait = Int64(number) * 10
            var arrival = event(.arrival, "10:02", 2 * number, visit: FlowName("v\(number)"))
            arrival.occurredAt -= minutes(wait)
            return [arrival, event(.treatmentStart, "10:02", 2 * number + 1, visit: FlowName("v\(number)"))]
        }
        let window = row(visits.reversed())
        #expect(window.treatmentStarts == count)
        #expect(window.waitMeanMinutes == mean)
        #expect(window.waitP50Minutes == median && window.waitP90Minutes == ninetieth)
    }

    // treatment 6:00    6:05        10:00  10:05
    //   |-------------- ed --------------------   boards from the window that ends at 10:00 on
    //   |-- ed -- 7:00 | ward -----------------   moved: does not board
    @Test func `a boarder is who is still where treatment began four hours ago`() {
        let stays = [event(.arrival, "05:00", 1), event(.treatmentStart, "06:00", 2)]
        #expect(row([stays], "09:50").boardingEnd == 0)
        #expect(row([stays], "09:55").boardingEnd == 1)
        #expect(row([stays], "10:00").boardingEnd == 1 && row([stays], "10:00").inTreatmentEnd == 1)
        let moved = stays + [event(.transfer, "07:00", 3, to: "ward")]
        #expect(row([moved], sector: "ward").boardingEnd == 0 && row([moved], sector: "ward").inTreatmentEnd == 1)
        // Back in the sector, but not in the stay.
        let back = moved + [event(.transfer, "08:00", 4, in: "ward", to: "ed")]
        #expect(row([back]).boardingEnd == 0 && row([back]).inTreatmentEnd == 1)
    }

    @Test func `the four-hour share is of those who went, seen or not`() {
        let window = row([
            [event(.arrival, "06:01", 1), event(.departure, "10:01", 2)],
            [event(.arrival, "06:00", 3, visit: "b"), event(.departure, "10:01", 4, visit: "b")],
            [event(.arrival, "08:00", 5, visit: "c"), event(.leftWithoutBeingSeen, "10:02", 6, visit: "c")],
            [event(.arrival, "08:00", 7, visit: "d")],
        ])
        #expect(window.departures == 2 && window.leftWithoutBeingSeen == 1)
        #expect(window.fourHourShare == 2.0 / 3.0)
    }

    @Test func `the longest wait that runs is that of the first comer who waits still`() {
        let window = row([
            [event(.arrival, "07:00", 1), event(.treatmentStart, "10:04", 2)],
            [event(.arrival, "08:00", 3, visit: "b")], [event(.arrival, "09:00", 4, visit: "c")],
        ])
        #expect(window.longestCurrentWaitMinutes == 125)
        #expect(window.waitingEnd == 2 && window.waitingMax == 3 && window.inTreatmentEnd == 1)
        #expect(window.waitMeanMinutes == 184)
    }

    @Test func `who is there for no time comes and goes, and is nobody at any instant`() {
        let window = row([wholeVisit("v", "10:01", "10:01", "10:01")])
        #expect(window.arrivals == 1 && window.departures == 1 && window.treatmentStarts == 1)
        #expect(window.censusMax == 0 && window.censusEnd == 0 && window.waitMeanMinutes == 0)
    }

    @Test func `thirds are divided once, as SQL divides`() {
        let visit = [event(.arrival, "10:00", 1), event(.departure, "10:20", 2)]
        let window = row([visit], minutes: 60)
        #expect(window.censusMean == Double(1_200_000) / Double(3_600_000))
        #expect(window.censusMax == 1)
    }

    @Test func `windows are aligned to the epoch`() {
        #expect(WindowKey.start(holding: at("10:04:59"), minutes: 5) == at("10:00"))
        #expect(WindowKey.start(holding: at("10:05"), minutes: 5) == at("10:05"))
        #expect(WindowKey.start(holding: at("10:59"), minutes: 60) == at("10:00"))
        #expect(WindowKey.start(holding: -1, minutes: 5) == -300_000)
        let key = WindowKey(sector: "ed", minutes: 60, holding: at("10:30"))
        #expect(key.end == at("11:00") && key.contains(at("10:00")) && !key.contains(at("11:00")))
    }

    /// Who comes and goes adds up, whoever it is; zero-length stays count in both.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `the census of a window's end follows from its start`(seed: UInt64) {
        let visits = Dictionary(grouping: FlowStream(seed: seed).events, by: \.visitID).values
        let timelines = visits.compactMap { VisitTimeline(of: $0) }
        for minute in stride(from: 0, to: 480, by: 5) {
            for sector in FlowStream.sectors {
                let key = WindowKey(sector: sector, minutes: 5, start: at("00:00") + minutes(Int64(minute)))
                let window = WindowFold.row(key, timelines)
                let come = window.arrivals + window.transfersIn
                let gone = window.transfersOut + window.departures + window.leftWithoutBeingSeen
                #expect(window.censusEnd == window.censusStart + come - gone)
                #expect(window.censusEnd == window.waitingEnd + window.inTreatmentEnd)
            }
        }
    }
}
