import TestSupport
import Testing
import VitalSigns

/// The bounded table of patients against a dictionary that never forgets by itself.
@Suite struct PatientTableTests {
    private func reading(_ patient: UInt64, time: Int64 = 1, partition: UInt16 = 0) -> Reading {
        var reading = Reading()
        (reading.patientHigh, reading.patientLow) = Self.identifier(patient)
        (reading.time, reading.partition) = (time, partition)
        // Every bit that a reading may have: what the table adds for itself must not show.
        (reading.presence, reading.categorical) = (0xFF, 0b0000_1101)
        return reading
    }

    /// Pairs share their first half.
    private static func identifier(_ patient: UInt64) -> (high: UInt64, low: UInt64) {
        (patient / 2 &* 0x9E37_79B9_7F4A_7C15, patient % 2)
    }

    private func find(_ patient: UInt64, in table: borrowing PatientTable) -> Reading? {
        let (high, low) = Self.identifier(patient)
        let slot = table.find(high: high, low: low)
        return slot < 0 ? nil : table.entry(slot)
    }

    private func isSame(_ left: Reading?, _ right: Reading?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return left.hasSameKey(as: right) && ReadingPicture.of(left) == ReadingPicture.of(right)
            && left.categorical == right.categorical
    }

    /// Capacities at which the index of 1,024 places is nearly empty, nearly as full as it gets, and doubled.
    @Test(arguments: [(1, 5), (2, 7), (13, 40), (767, 1100), (769, 1100), (1536, 2000)])
    func `it holds what was put in, and forgets exactly one for one when it is full`(
        capacity: Int, patients: Int
    ) {
        var numbers = SeededNumbers(seed: UInt64(capacity))
        var table = PatientTable(capacity: capacity)
        var model: [UInt64: Reading] = [:]
        // Collected and expected once: an expectation costs as much as a thousand look-ups.
        var broken: [String] = []
        func require(_ holds: Bool, _ promise: String) { if !holds { broken.append(promise) } }
        for round in 0..<6_000 {
            let patient = UInt64(numbers.below(patients))
            let entry = reading(patient, time: Int64(round), partition: UInt16(numbers.below(9)))
            let (high, low) = Self.identifier(patient)
            let slot = table.find(high: high, low: low)
            require((slot >= 0) == (model[patient] != nil), "finds who is there, and nobody else")
            if slot >= 0 {
                require(isSame(table.entry(slot), model[patient]), "an entry is as it was put in")
                if numbers.oneIn(2) {
                    let generation = table.generation
                    table.update(slot, to: entry)
                    model[patient] = entry
                    require(table.generation == generation, "an update moves no slot")
                }
            } else {
                let generation = table.generation
                table.insert(entry)
                require(table.generation != generation, "an insert voids slots")
                model[patient] = entry
                if model.count > capacity {
                    let gone = model.keys.filter { find($0, in: table) == nil }
                    require(gone.count == 1 && gone.first != patient, "one goes for one that comes")
                    for key in gone { model[key] = nil }
                }
            }
            require(table.count == model.count, "the count")
            if round % 1_000 == 999 {
                for key in 0..<UInt64(patients) { require(isSame(find(key, in: table), model[key]), "all of it") }
            }
            if numbers.oneIn(2_500) {
                table.removeAll()
                model.removeAll()
            }
        }
        #expect(broken.isEmpty)
    }

    /// ```
    /// in     hand      out
    /// A B C  A
    /// D      A→B→C→A   A   all were touched when they came, so the hand goes round once
    /// B!     B             touched again
    /// E      B→C       C   B is passed over
    /// ```
    @Test func `who was touched last is forgotten last`() {
        var table = PatientTable(capacity: 3)
        for patient in [1, 2, 3, 4] as [UInt64] { table.insert(reading(patient)) }
        #expect(find(1, in: table) == nil)
        let (high, low) = Self.identifier(2)
        table.update(table.find(high: high, low: low), to: reading(2, time: 9))
        table.insert(reading(5))
        #expect(find(2, in: table)?.time == 9)
        #expect(find(3, in: table) == nil)
        #expect(find(4, in: table) != nil && find(5, in: table) != nil)
    }

    @Test func `a slot stays where it is while the index grows`() {
        var table = PatientTable(capacity: 100_000)
        var slots: [Int32] = []
        for patient in 0..<50_000 as Range<UInt64> {
            table.insert(reading(patient, time: Int64(patient)))
            let (high, low) = Self.identifier(patient)
            slots.append(table.find(high: high, low: low))
        }
        #expect(Set(slots).count == slots.count)
        var lost = 0
        for patient in 0..<50_000 as Range<UInt64> {
            let (high, low) = Self.identifier(patient)
            let slot = table.find(high: high, low: low)
            if slot != slots[Int(patient)] || table.entry(slot).time != Int64(patient) { lost += 1 }
        }
        #expect(lost == 0)
        #expect(find(50_000, in: table) == nil)
    }

    @Test func `forgetting everybody voids the slots and keeps the table usable`() {
        var table = PatientTable(capacity: 2_000)
        for round in 0..<3 as Range<UInt64> {
            for patient in 0..<2_000 as Range<UInt64> { table.insert(reading(patient + round)) }
            let generation = table.generation
            table.removeAll()
            #expect(table.count == 0)
            #expect(table.generation != generation)
            var found = 0
            for patient in 0..<2_003 as Range<UInt64> where find(patient, in: table) != nil { found += 1 }
            #expect(found == 0)
        }
    }

    /// Hand-made identifiers count up in one place or another; each must spread over the index as random ones do.
    @Test(.timeLimit(.minutes(2)), arguments: [0, 16, 32, 48], [true, false])
    func `identifiers that differ in sixteen neighbouring bits only are found as fast as any`(
        shift: Int, inHigh: Bool
    ) {
        let count: UInt64 = 65_536
        var numbers = SeededNumbers(seed: 1)
        let random = (0..<count).map { _ in (numbers.next(), numbers.next()) }
        let counting = (0..<count).map { inHigh ? ($0 << UInt64(shift), 0x4000) : (0x4000, $0 << UInt64(shift)) }
        let usual = duration(of: random)
        #expect(duration(of: counting) < usual * 20 + .milliseconds(200))
    }

    private func duration(of identifiers: [(UInt64, UInt64)]) -> Duration {
        ContinuousClock().measure {
            var table = PatientTable(capacity: identifiers.count)
            var reading = Reading()
            for (high, low) in identifiers {
                (reading.patientHigh, reading.patientLow) = (high, low)
                table.insert(reading)
            }
            for (high, low) in identifiers where table.find(high: high, low: low) < 0 {
                Issue.record("a patient was lost")
            }
        }
    }
}
