import CMallocCounter
import TestSupport
import Testing
import VitalSigns

/// A batch planned as a whole against the same messages applied one at a time.
@Suite struct BatchPlanTests {
    @Test(arguments: 0..<60 as Range<UInt64>)
    func `a batch does what its messages do one at a time`(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        // Fewer places than patients in half of the runs: some are forgotten while others are learnt.
        let lab = PlanLab(tableCapacity: numbers.oneIn(2) ? 5 : 64)
        var offsets: [Int64] = [0, 0, 0, 0]
        let partitions: [UInt16] = [0, 3, 70, 65_535]
        let patients = 2 + numbers.below(24)
        let mayWander = numbers.oneIn(3)
        for _ in 0..<12 {
            let count = numbers.oneIn(3) ? 193 + numbers.below(400) : 1 + numbers.below(40)
            var batch: [Reading] = []
            for _ in 0..<count {
                var reading = numbers.reading(patients: patients, instants: 12, partition: 0, offset: 0)
                // A patient stays in one partition, but for the runs in which the topic has grown.
                let place = mayWander ? numbers.below(4) : Int(reading.patientLow % 4)
                (reading.partition, reading.offset) = (partitions[place], offsets[place])
                offsets[place] += 1 + Int64(numbers.below(2))
                batch.append(reading)
            }
            let isRetried = numbers.oneIn(3)
            if isRetried { lab.plan(batch, trustsTable: numbers.oneIn(2)) }
            lab.plan(batch, trustsTable: !isRetried || numbers.oneIn(2))
            lab.commit(batch)
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `what another lane has written is met by the key, and planned rightly without the table`(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        let lab = PlanLab(tableCapacity: 64)
        var offset: Int64 = 0
        func batch(_ count: Int) -> [Reading] {
            (0..<count).map { _ in
                offset += 1
                return numbers.reading(patients: 6, instants: 8, partition: 1, offset: offset)
            }
        }
        var contradictions = 0
        for _ in 0..<20 {
            let first = batch(6)
            lab.plan(first, trustsTable: true)
            lab.commit(first)
            // Behind the table's back; its partition is greater, so its values stay.
            let next = batch(30)
            for var foreign in next.shuffled(using: &numbers).prefix(4) {
                (foreign.partition, foreign.offset, foreign.presence) = (9, offset, foreign.presence | 1)
                foreign.values[0] = 99
                lab.store.apply(foreign)
            }
            lab.draft(next, trustsTable: true)
            contradictions += lab.contradictions().isEmpty ? 0 : 1
            lab.plan(next, trustsTable: false)
            lab.commit(next)
            lab.table.removeAll()
        }
        #expect(contradictions > 0)
    }

    @Test func `the batch stays as it came`() {
        var numbers = SeededNumbers(seed: 1)
        let lab = PlanLab(tableCapacity: 64)
        let batch = (0..<400).map { numbers.reading(patients: 5, instants: 5, partition: 0, offset: Int64($0)) }
        lab.plan(batch, trustsTable: true)
        for (index, reading) in batch.enumerated() {
            #expect(ReadingPicture.of(lab.buffer[index]) == ReadingPicture.of(reading))
            #expect(lab.buffer[index].hasSameKey(as: reading))
        }
    }

    @Test(arguments: [40, 400])
    func `a batch sorted ahead is planned like any other, and sorted again once it was emptied`(count: Int) {
        var numbers = SeededNumbers(seed: 2)
        let lab = PlanLab(tableCapacity: 64)
        func batch(from offset: Int) -> [Reading] {
            (0..<count).map {
                numbers.reading(patients: 9, instants: 9, partition: 0, offset: Int64(offset + $0))
            }
        }
        func sortAhead(_ batch: [Reading], filling: UInt64) {
            for (index, reading) in batch.enumerated() { (lab.buffer + index).initialize(to: reading) }
            lab.plan.sortAhead(lab.buffer, count: count, filling: filling)
        }
        let first = batch(from: 0)
        sortAhead(first, filling: 0)
        lab.plan(first, trustsTable: true)
        // A retry starts from the batch as it came, not from what the first attempt made of its order.
        lab.plan(first, trustsTable: true)
        lab.commit(first)
        // As many other messages lie in the same place by the time it is planned.
        sortAhead(first, filling: 7)
        let second = batch(from: count)
        lab.plan(second, trustsTable: true)
        lab.commit(second)
    }

    @Test func `a known patient's newer readings need no question, older ones do`() {
        let lab = PlanLab(tableCapacity: 8)
        func reading(_ picture: String, second: Int64) -> Reading {
            var reading = ReadingPicture.reading(picture)
            reading.time += second * 1_000
            return reading
        }
        // ──●──────────▶ t   first sight: one question for the newest, none for rows
        //   0
        let first = [reading("H60 @0:1", second: 0)]
        lab.plan(first, trustsTable: true)
        #expect(lab.plan.unknownPatients.isEmpty && lab.plan.lookUps.isEmpty)
        lab.commit(first)
        // ──●────●─────▶ t   the newest again: known from the table; a newer one: certainly new
        //   0    1
        let second = [reading("H61 @0:2", second: 0), reading("H60 @0:3", second: 1)]
        lab.plan(second, trustsTable: true)
        #expect(lab.plan.lookUps.isEmpty)
        #expect(lab.plan.insertCount == 1 && lab.plan.changes.count == 1 && lab.plan.replacements.count == 1)
        lab.commit(second)
        // ──●──●─●─────▶ t   between the two, and the old one: asked
        //   0      1
        let third = [reading("H60 @0:4", second: 0)]
        lab.plan(third, trustsTable: true)
        #expect(lab.plan.lookUps.count == 1 && lab.plan.insertCount == 0 && lab.plan.changes.count == 1)
        lab.commit(third)
        // Another partition's word about the newest row: asked.
        lab.plan([reading("H60 @7:1", second: 1)], trustsTable: true)
        #expect(lab.plan.lookUps.count == 1)
        lab.plan([reading("H60 @7:1", second: 9)], trustsTable: true)
        #expect(lab.plan.lookUps.count == 1)
        // After a contradiction: everything is asked.
        lab.plan([reading("H60 @0:9", second: 9)], trustsTable: false)
        #expect(lab.plan.lookUps.count == 1)
    }

    @Test func `a patient with later readings stored is not taken for new`() {
        let lab = PlanLab(tableCapacity: 8)
        var late = ReadingPicture.reading("H60 @0:1")
        late.time += 60_000
        lab.plan([late], trustsTable: true)
        lab.commit([late])
        lab.table.removeAll()
        let early = ReadingPicture.reading("H60 @0:2")
        var again = late
        (again.offset, again.values[0]) = (3, 61)
        lab.plan([early, again], trustsTable: true)
        #expect(lab.plan.insertCount == 1 && lab.plan.changes.count == 1)
        lab.commit([early, again])
    }

    enum Shape: String, CaseIterable, Sendable {
        case oneKey, onePatientForward, onePatientBackward, patientsBackward, sharedFirstHalf, zigzag
    }

    /// The bound is only against hanging: a quadratic step takes minutes.
    @Test(.timeLimit(.minutes(1)), arguments: Shape.allCases)
    func `no order of a full batch is slow`(shape: Shape) {
        let count = 65_536
        let lab = PlanLab(tableCapacity: count, batchCapacity: count)
        var batch: [Reading] = []
        batch.reserveCapacity(count)
        for index in 0..<count {
            var reading = ReadingPicture.reading(index % 2 == 0 ? "H60 @0:0" : "H61 @0:0")
            reading.offset = Int64(index)
            switch shape {
            case .oneKey: break
            case .onePatientForward: reading.time += Int64(index)
            case .onePatientBackward: reading.time += Int64(count - index)
            case .patientsBackward: reading.patientHigh = UInt64(count - index) << 20
            case .sharedFirstHalf: reading.patientLow = UInt64(count - index)
            case .zigzag: reading.time += Int64(index % 2 == 0 ? index : count - index)
            }
            batch.append(reading)
        }
        lab.draft(batch, trustsTable: true)
        lab.draft(batch, trustsTable: false)
        let counts = lab.plan.verdicts(partition: 0)
        #expect(lab.plan.insertCount == (shape == .oneKey ? 1 : shape == .zigzag ? lab.plan.insertCount : count))
        #expect(counts.inserted == Int64(lab.plan.insertCount))
        #expect(counts.inserted + counts.duplicate + counts.corrected == Int64(count))
        #expect(lab.plan.replacements.count == Int(counts.corrected))
        lab.plan.remember(in: &lab.table)
        let newest = lab.table.find(high: batch[0].patientHigh, low: batch[0].patientLow)
        #expect(newest >= 0)
    }

    /// The radix passes look at the leading bytes alone once those seem to tell the patients apart: here they seem to,
    /// while a few patients differ in the last bit of their first half and their readings take turns.
    @Test func `patients who differ in the last bits are sorted among thousands who differ in the first`() {
        var numbers = SeededNumbers(seed: 11)
        let lab = PlanLab(tableCapacity: 8_192, batchCapacity: 8_192)
        var batch: [Reading] = []
        for index in 0..<8_192 {
            var reading = ReadingPicture.reading("H60 @0:0")
            let isTwin = index % 64 < 6
            reading.patientHigh = isTwin ? 0x7777_7777_0000_0000 | UInt64(index % 3) : numbers.next()
            reading.time += Int64(isTwin ? 10_000 - index : index)
            reading.offset = Int64(index)
            batch.append(reading)
        }
        lab.plan(batch, trustsTable: true)
        lab.commit(batch)
        #expect(lab.plan.insertCount == batch.count)
    }

    /// Readings of a patient that arrive in disorder are sorted like any other: in the buffers made at the start.
    @Test(.enabled(if: malloc_counter_available(), "a sanitizer has its own malloc"), arguments: [1, 7, 500, 20_000])
    func `planning allocates nothing after the first batch, in whatever order readings arrive`(patients: Int) {
        let count = 60_000
        var numbers = SeededNumbers(seed: 3)
        let plan = BatchPlan(capacity: count)
        var table = PatientTable(capacity: patients)
        let readings = UnsafeMutablePointer<Reading>.allocate(capacity: count)
        defer { readings.deallocate() }
        var counted: [UInt64] = []
        for round in 1...4 as ClosedRange<Int64> {
            for index in 0..<count {
                var reading = ReadingPicture.reading("H60 T37 @0:0")
                reading.patientHigh = UInt64(numbers.below(patients)) << 33
                reading.time += round * 1_000_000 + Int64(numbers.below(1_000_000))
                reading.offset = round * Int64(count) + Int64(index)
                (readings + index).initialize(to: reading)
            }
            malloc_counter_begin()
            plan.begin(readings, count: count, trustsTable: true)
            plan.findPatients(in: table)
            for patient in plan.unknownPatients { plan.learn(patient, newest: nil, in: &table) }
            plan.findPatients(in: table)
            plan.classify(with: table)
            plan.fold(with: table)
            plan.remember(in: &table)
            counted.append(malloc_counter_end().allocations)
            #expect(plan.lookUps.isEmpty && plan.insertCount > count / 2)
        }
        #expect(counted[3] < 20)
    }
}
