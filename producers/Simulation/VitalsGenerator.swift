/// Makes the messages of a simulated hospital, one at a time, and says of each how the ledger must count it.
///
/// The prediction is exact because a producer's messages with one key stay in order within one partition: what the
/// service has stored for a key when a message arrives is what this generator said before, however the service
/// batches it. Nothing it makes is ever stale, since a message that comes later also stands later.
/// One thread. After the first messages `next` allocates nothing but the growth of its buffer.
public struct VitalsGenerator: ~Copyable {
    private let configuration: SimulationConfiguration
    private let cycle: [Int32]
    private let patients: UnsafeMutablePointer<BedsidePatient>
    private let directory: PatientDirectory
    private let writer: VitalsMessageWriter
    private var random: SeededRandom
    private var recent = RecentReadings()
    private var heldBack: [SimulatedReading] = []
    private var buffer: MessageBuffer
    private var currentPatient = 0
    private var place = 0
    private var slot: Int64 = 0

    private static let heldBackLimit = 256

    /// Prepares all patients; costs about a microsecond and 250 bytes a patient.
    public init(_ configuration: SimulationConfiguration) {
        self.configuration = configuration
        cycle = WardSchedule(patientCount: configuration.patientCount).cycle
        directory = PatientDirectory(seed: configuration.seed, count: configuration.patientCount)
        writer = VitalsMessageWriter(largeDataBytes: configuration.largeDataBytes)
        random = SeededRandom(seed: configuration.seed, stream: .max)
        buffer = MessageBuffer(capacity: 1_024 + configuration.largeDataBytes)
        patients = .allocate(capacity: configuration.patientCount)
        for index in 0..<configuration.patientCount {
            let patient = BedsidePatient(
                seed: configuration.seed, index: index, start: configuration.startMilliseconds)
            (patients + index).initialize(to: patient)
        }
        heldBack.reserveCapacity(Self.heldBackLimit)
    }

    deinit {
        patients.deallocate()
    }

    /// Event time of the next message's reading, milliseconds since 1970-01-01Z; a producer that must not be ahead
    /// of the clock waits for it.
    public var nextEventTime: Int64 {
        configuration.startMilliseconds + slot * configuration.slotNanoseconds / 1_000_000
    }

    /// Makes the next message, which replaces the last one.
    ///
    /// - Parameter wallClockMilliseconds: now; only messages of kind `future` look at it.
    public mutating func next(wallClockMilliseconds: Int64) -> GeneratedMessage {
        let kind = configuration.shares.kind(at: random.below(MessageShares.whole))
        let message = make(kind, wallClockMilliseconds: wallClockMilliseconds) ?? makeReading()
        slot += 1
        return message
    }

    /// Lends the key and the payload of the last message; both end with the call of `body`.
    public borrowing func withMessage<Result>(
        _ body: (_ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let key = UnsafeRawBufferPointer(
            start: directory.text(of: currentPatient), count: PatientDirectory.textLength)
        return body(key, buffer.bytes)
    }

    /// Nil when there is nothing yet of which such a message could be made.
    private mutating func make(_ kind: MessageKind, wallClockMilliseconds: Int64) -> GeneratedMessage? {
        switch kind {
        case .reading: makeReading()
        case .late: makeLate()
        case .duplicate: makeDuplicate()
        case .merge: makeMerge()
        case .correction: makeCorrection()
        case .future: makeFuture(wallClockMilliseconds)
        case .malformed: makeMalformed()
        case .oversize: makeOversize()
        }
    }

    private mutating func write(_ reading: SimulatedReading, telling told: UInt8) {
        currentPatient = Int(reading.patient)
        writer.write(
            reading, telling: told, device: patients[currentPatient].device,
            patientText: directory.text(of: currentPatient), into: &buffer)
    }
}

// MARK: - What is new

extension VitalsGenerator {
    private mutating func makeReading() -> GeneratedMessage {
        var mayHoldBack = configuration.shares.late > 0
        while true {
            let reading = measureNext()
            if mayHoldBack, holdsBack(reading) {
                // One a message, so that event time never runs ahead of the messages.
                mayHoldBack = false
                continue
            }
            patients[Int(reading.patient)].newestSent = reading.time
            recent.append(reading)
            write(reading, telling: reading.presence)
            return GeneratedMessage(.reading, .inserted, at: reading.time)
        }
    }

    private mutating func measureNext() -> SimulatedReading {
        let patient = cycle[place]
        place = place + 1 == cycle.count ? 0 : place + 1
        let patients = self.patients
        let time = max(nextEventTime, patients[Int(patient)].earliestNext)
        return patients[Int(patient)].measure(patient: patient, at: time)
    }

    /// Keeps a reading for a later `late` message; never one whose patient is read again at once, since both
    /// would have the same time.
    private mutating func holdsBack(_ reading: SimulatedReading) -> Bool {
        guard heldBack.count < Self.heldBackLimit, cycle[place] != reading.patient,
            random.below(MessageShares.whole) < 2 * configuration.shares.late
        else { return false }
        heldBack.append(reading)
        return true
    }

    private mutating func makeLate() -> GeneratedMessage? {
        for _ in 0..<4 where !heldBack.isEmpty {
            let index = random.below(heldBack.count)
            let reading = heldBack[index]
            guard patients[Int(reading.patient)].newestSent > reading.time else { continue }
            heldBack.swapAt(index, heldBack.count - 1)
            heldBack.removeLast()
            recent.append(reading)
            write(reading, telling: reading.presence)
            return GeneratedMessage(.late, .inserted, at: reading.time)
        }
        return nil
    }
}

// MARK: - What was there before

extension VitalsGenerator {
    private mutating func makeDuplicate() -> GeneratedMessage? {
        guard let index = recent.pick(&random) else { return nil }
        let state = recent[index].state
        var told = state.presence
        if random.oneIn(4) {
            let part = told & UInt8(truncatingIfNeeded: random.next())
            if part != 0 { told = part }
        }
        write(state, telling: told)
        return GeneratedMessage(.duplicate, .duplicate, at: state.time)
    }

    private mutating func makeMerge() -> GeneratedMessage? {
        for _ in 0..<16 {
            guard let index = recent.pick(&random) else { return nil }
            var sent = recent[index]
            guard sent.state.presence != .max else { continue }
            let added = someAbsent(of: sent.state)
            // Some repeat what is known, in whole or in part, and some bring the new alone.
            let told = added | sent.state.presence & UInt8(truncatingIfNeeded: random.next())
            write(sent.state, telling: told)
            sent.state.presence |= added
            recent[index] = sent
            return GeneratedMessage(.merge, .merged, at: sent.state.time)
        }
        return nil
    }

    private mutating func makeCorrection() -> GeneratedMessage? {
        guard let index = recent.pick(&random) else { return nil }
        var sent = recent[index]
        let changed = change(&sent)
        var told = changed
        if !random.oneIn(3) { told |= sent.state.presence }
        // Changing and adding at once is a correction too.
        if sent.state.presence != .max, random.oneIn(4) {
            let added = someAbsent(of: sent.state)
            told |= added
            sent.state.presence |= added
        }
        write(sent.state, telling: told)
        recent[index] = sent
        return GeneratedMessage(.correction, .corrected, at: sent.state.time)
    }

    /// A part of what the reading has not told yet, never nothing.
    private mutating func someAbsent(of state: SimulatedReading) -> UInt8 {
        let absent = ~state.presence
        let part = absent & UInt8(truncatingIfNeeded: random.next())
        return part == 0 ? absent : part
    }

    /// Changes one vital sign that was told, and returns its bit.
    private mutating func change(_ sent: inout SentReading) -> UInt8 {
        let told = sent.state.presence
        var bit: UInt8 = 1 << UInt8(random.below(8))
        while told & bit == 0 { bit = bit == 0x80 ? 1 : bit << 1 }
        if bit == SimulatedReading.consciousnessBit {
            let other = random.below(SimulatedReading.consciousnessCount - 1) + 1 + Int(sent.state.consciousness)
            sent.state.consciousness = UInt8(other % SimulatedReading.consciousnessCount)
        } else if bit == SimulatedReading.oxygenBit {
            sent.state.oxygenGiven.toggle()
        } else if let vital = Vital(rawValue: bit.trailingZeroBitCount) {
            let old = sent.state[vital]
            sent.state[vital] = corrected(vital, of: sent)
            sent.replacedVital = Int8(vital.rawValue)
            sent.replacedHundredths = Int32(old)
        }
        return bit
    }

    /// Another value than the present one; sometimes the one that the last correction replaced.
    private mutating func corrected(_ vital: Vital, of sent: SentReading) -> Int {
        let old = sent.state[vital]
        let bounds = correctionBounds(vital, of: sent.state)
        let replaced = Int(sent.replacedHundredths)
        if sent.replacedVital == vital.rawValue, replaced != old, bounds.contains(replaced), random.oneIn(2) {
            return replaced
        }
        let steps = (bounds.upperBound - bounds.lowerBound) / vital.step
        let value = bounds.lowerBound + random.below(steps) * vital.step
        return value >= old ? value + vital.step : value
    }

    /// Near the old value, plausible, and with the diastolic pressure at least 5 below the systolic one.
    private func correctionBounds(_ vital: Vital, of state: SimulatedReading) -> ClosedRange<Int> {
        let old = state[vital]
        var low = max(vital.plausible.lowerBound, old - 30 * vital.step)
        var high = min(vital.plausible.upperBound, old + 30 * vital.step)
        if vital == .systolicPressure { low = max(low, state[.diastolicPressure] + 500) }
        if vital == .diastolicPressure { high = min(high, state[.systolicPressure] - 500) }
        return low...high
    }
}

// MARK: - What must be refused

extension VitalsGenerator {
    private mutating func makeFuture(_ wallClockMilliseconds: Int64) -> GeneratedMessage {
        let day = 86_400_000
        var reading = SimulatedReading(patient: Int32(random.below(configuration.patientCount)))
        reading.time = wallClockMilliseconds + Int64(day + random.below(30 * day))
        reading[.heartRate] = 8_000
        write(reading, telling: Vital.heartRate.bit)
        return GeneratedMessage(.future, rejectedAs: .timestampInFuture, at: nextEventTime)
    }

    private mutating func makeMalformed() -> GeneratedMessage {
        let fault = MalformedMessage.allCases[random.below(MalformedMessage.allCases.count)]
        currentPatient = random.below(configuration.patientCount)
        fault.write(patientText: directory.text(of: currentPatient), time: nextEventTime, into: &buffer)
        return GeneratedMessage(.malformed, rejectedAs: fault.reason, at: nextEventTime)
    }

    /// A message in which nothing is wrong but its length, which is exactly the configured one.
    private mutating func makeOversize() -> GeneratedMessage {
        currentPatient = random.below(configuration.patientCount)
        buffer.removeAll()
        VitalsMessageWriter.open(directory.text(of: currentPatient), into: &buffer)
        buffer.append(",\"heartRate\":80,\"timestamp\":")
        buffer.append(decimal: Int(nextEventTime))
        buffer.append(",\"large_data\":\"")
        buffer.append(repeating: UInt8(ascii: "x"), count: configuration.oversizeBytes - buffer.count - 2)
        buffer.append("\"}")
        return GeneratedMessage(.oversize, rejectedAs: .oversize, at: nextEventTime)
    }
}
