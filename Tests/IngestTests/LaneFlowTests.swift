import Ingest
import Kafka
import PatientFlow
import Service
import TestSupport
import Testing
import VitalSigns

/// Patient flow in the lane: out of the slice, through the questions, into the one transaction, whatever fails.
@Suite struct LaneFlowTests {
    private static let start: Int64 = 1_767_225_600_000

    private static func json(
        _ number: Int, _ visit: String, _ kind: String, at minute: Double, facility: String = "north",
        sector: String = "emergency", more: String = ""
    ) -> String {
        let digits = String(number, radix: 16)
        let id = "e0e0e0e0-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
        return "{\"eventId\":\"\(id)\",\"facilityId\":\"\(facility)\",\"sectorId\":\"\(sector)\","
            + "\"visitId\":\"\(visit)\",\"event\":\"\(kind)\",\"timestamp\":\(start + Int64(minute * 60_000))\(more)}"
    }

    /// Visits of two facilities through one partition: late, twice, cancelled, moved.
    private static func stream(_ seed: UInt64, visits: Int) -> [(key: String, payload: String)] {
        var numbers = SeededNumbers(seed: seed)
        var told: [(at: Double, place: Int, key: String, payload: String)] = []
        var number = 0
        for visit in 0..<visits {
            let facility = numbers.pick(["north", "south"])
            var minute = Double(numbers.below(visits * 6))
            func tell(_ kind: String, _ more: String = "") {
                number += 1
                let payload = json(
                    number, "\(facility)-\(visit)", kind, at: minute, facility: facility, sector: "emergency",
                    more: more)
                let delay = numbers.oneIn(6) ? Double(numbers.below(240)) : 0
                told.append((minute + delay, told.count, facility, payload))
                if numbers.oneIn(10) { told.append((minute + delay + 3, told.count, facility, payload)) }
                minute += Double(numbers.below(6_000)) / 100
            }
            tell("arrival", numbers.oneIn(3) ? "" : ",\"acuity\":\(1 + numbers.below(5))")
            if numbers.oneIn(10) { tell("left_without_being_seen") } else { tell("treatment_start") }
            if numbers.oneIn(5) { tell("transfer", ",\"toSectorId\":\"ward\"") }
            if !numbers.oneIn(5) { tell("departure") }
            if numbers.oneIn(10) { tell("cancelled") }
        }
        return told.sorted { ($0.at, $0.place) < ($1.at, $1.place) }.map { ($0.key, $0.payload) }
    }

    /// What the tables hold, closing apart, which is the wall clock's, and windows in which nothing is: one that a late
    /// event emptied stays where it was written before, and is never written in a larger batch.
    private static func facts(_ book: FlowBook) -> FlowBook.Facts {
        var facts = book.facts
        for (facility, windows) in facts.windows {
            facts.windows[facility] = windows.filter { $0.value.window != OccupancyWindow(key: $0.key) }.mapValues {
                FlowBook.StoredRow(window: $0.window, revision: $0.revision, isClosed: false)
            }
        }
        return facts
    }

    @Test func `events become rows, repeats duplicates, and bad messages rejects of the same transaction`() {
        let lab = FlowLab()
        let arrival = Self.json(1, "v1", "arrival", at: 0)
        for payload in [arrival, arrival, "{", Self.json(2, "v1", "treatment_start", at: 7), arrival] {
            lab.log.append(payload)
        }
        lab.join([0])
        lab.settle()
        let progress = lab.book.progress[FlowLab.partition(0)]
        #expect(progress?.inserted == 2 && progress?.duplicate == 2 && progress?.rejected == 1)
        #expect(lab.book.facts.events.count == 2 && lab.book.commits == 1)
        #expect(lab.book.facts.visits.values.first?.waitMinutes == 7)
        let windows = lab.book.windows(of: "north").filter { $0.key.minutes == 5 }
        #expect(windows.values.map(\.window.arrivals).sorted() == [0, 1])
        #expect(lab.book.facts.predictions.count == 2, "at the arrival, and at the end of the first window")
        #expect(!lab.book.facts.models.isEmpty)
    }

    @Test func `a batch that is cut anywhere gives the same rows, predictions and weights`() {
        let stream = Self.stream(3, visits: 60)
        var facts: [FlowBook.Facts] = []
        for rows in [1_024, 1, 7] {
            let lab = FlowLab { $0.batchMaxRows = rows }
            for message in stream { lab.log.append(message.payload, key: message.key) }
            lab.join([0])
            lab.settle()
            #expect(rows != 1 || lab.book.commits == stream.count)
            facts.append(Self.facts(lab.book))
        }
        #expect(facts[0].predictions.count > 60)
        #expect(facts[0] == facts[1] && facts[0] == facts[2])
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `whatever fails, rows, predictions and weights are those of an undisturbed run`(run: UInt64) {
        for seed in run * 5..<(run + 1) * 5 { trouble(seed) }
    }

    private func trouble(_ seed: UInt64) {
        let stream = Self.stream(seed, visits: 25)
        let calm = FlowLab()
        for message in stream { calm.log.append(message.payload, key: message.key) }
        calm.join([0])
        calm.settle()

        var numbers = SeededNumbers(seed: seed ^ 0xF10)
        func change(_ configuration: inout LaneConfiguration) {
            configuration.batchMaxRows = 8
            configuration.contestedWait = .milliseconds(300)
            configuration.ownershipInterval = .milliseconds(100)
            configuration.reconnectPause = (.milliseconds(5), .milliseconds(50))
        }
        let first = FlowLab(change)
        let lanes = [first, FlowLab(partner: first, change)]
        for lane in lanes {
            lane.session.chance = { kind in
                let steps = numbers.oneIn(6) ? numbers.below(20) : 0
                guard numbers.oneIn(9) else { return (steps, .succeed) }
                let outcomes: [FlowSession.Outcome] = [
                    .loseAnswer, .fail(.away("gone")), .fail(.retry(sqlState: "40001")),
                    kind == .commit || kind == .flow ? .fail(.conflict(sqlState: "VS002")) : .fail(.away("gone")),
                    kind == .commit ? .fail(.fenced) : .loseAnswer,
                ]
                return (steps, numbers.pick(outcomes))
            }
        }
        var given = 0
        lanes[given].join([0])
        for message in stream {
            first.log.append(message.payload, key: message.key)
            for _ in 0..<8 { for lane in lanes { lane.turn(after: .milliseconds(1 + numbers.below(30))) } }
            if numbers.oneIn(20) {
                // Both believe to own it for a while.
                given = 1 - given
                lanes[given].join([0])
                if numbers.oneIn(2) { lanes[1 - given].join([]) }
            }
            if numbers.oneIn(25) { first.book.raiseVersion(numbers.pick(["north", "south"])) }
            if numbers.oneIn(40) { first.book.raiseEpoch(FlowLab.partition(0)) }
        }
        for lane in lanes { lane.session.chance = { _ in (0, .succeed) } }
        lanes[1 - given].join([])
        lanes[1 - given].turn()
        lanes[given].settle()
        #expect(Self.facts(first.book) == Self.facts(calm.book), "seed \(seed)")
        #expect(
            first.book.progress[FlowLab.partition(0)]?.inserted == calm.book.progress[FlowLab.partition(0)]?.inserted,
            "seed \(seed)")
    }

    @Test func `a partition without messages closes its windows by the time it waits, in the name of its owner`() {
        let lab = FlowLab { $0.flowIdle = .seconds(60) }
        lab.log.append(Self.json(1, "v1", "arrival", at: 0))
        lab.log.append(Self.json(2, "v1", "departure", at: 12))
        lab.join([0])
        lab.settle()
        func open() -> [Int64] {
            lab.book.windows(of: "north").filter { $0.key.minutes == 5 && !$0.value.isClosed }.keys
                .map { ($0.start - Self.start) / 60_000 }.sorted()
        }
        #expect(open() == [0, 5, 10], "12 minutes less 10: nothing has ended")
        for _ in 0..<100 { lab.turn(after: .seconds(1)) }
        #expect(lab.book.holds == 0, "40 seconds counted: nothing has ended yet")
        for _ in 0..<150 { lab.turn(after: .seconds(1)) }
        #expect(open() == [5, 10] && lab.book.holds > 0)
        let holds = lab.book.holds
        lab.book.raiseEpoch(FlowLab.partition(0))
        for _ in 0..<4 { lab.turn(after: .milliseconds(10)) }
        #expect(lab.book.holds == holds, "another owner's partition")
    }

    @Test func `a batch holds no more events than are read for at once`() {
        let lab = FlowLab { $0.batchMaxRows = 65_536 }
        for number in 0..<5_000 { lab.log.append(Self.json(number, "v\(number % 9)", "triage", at: 0)) }
        lab.join([0])
        lab.settle()
        #expect(lab.book.commits >= 2)
        #expect(lab.book.progress[FlowLab.partition(0)]?.inserted == 5_000)
    }
}
