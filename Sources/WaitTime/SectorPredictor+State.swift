extension SectorPredictor {
    /// What the bytes of `queueBytes` and `learntBytes` begin with. Another feature, expert or list makes another
    /// version.
    public static let stateVersion: UInt32 = 2

    /// What every event of the sector changes: who is there, what has happened lately, what was predicted for whom. The
    /// same state gives the same bytes on every machine, and what is read back goes on as if nothing had happened.
    public func queueBytes() -> [UInt8] {
        var writer = StateWriter(version: Self.stateVersion)
        write(to: &writer)
        return writer.bytes
    }

    /// What only the end of a wait changes: all that was learnt from waits.
    public func learntBytes() -> [UInt8] {
        var writer = StateWriter(version: Self.stateVersion)
        learner.write(to: &writer)
        queue.hourly.write(to: &writer)
        return writer.bytes
    }

    /// Reads what `queueBytes` and `learntBytes` wrote.
    public init(queue bytes: [UInt8], learnt: [UInt8]) throws(StateError) {
        self.init()
        var reader = try StateReader(bytes, version: Self.stateVersion)
        try read(from: &reader)
        try reader.end()
        try read(learnt: learnt)
    }

    func write(to writer: inout StateWriter) {
        queue.write(to: &writer)
        standardiser.write(to: &writer)
        writer.put(pending) { writer, pending in pending.write(to: &writer) }
    }

    /// Reads what `write` wrote; what was learnt stays.
    mutating func read(from reader: inout StateReader) throws(StateError) {
        let hourly = queue.hourly
        queue = try SectorQueue(from: &reader)
        queue.hourly = hourly
        standardiser = try Standardiser(width: Features.count, from: &reader)
        pending = try reader.elements(atMost: Self.mostPending) { reader throws(StateError) in
            try Pending(from: &reader)
        }
    }

    mutating func read(learnt bytes: [UInt8]) throws(StateError) {
        var reader = try StateReader(bytes, version: Self.stateVersion)
        try learner.read(from: &reader)
        queue.hourly = try HourlyMedians(from: &reader)
        try reader.end()
    }
}

extension SectorQueue {
    func write(to writer: inout StateWriter) {
        writer.put(waiting) { writer, visit in visit.write(to: &writer) }
        writer.put(treated) { writer, visit in visit.write(to: &writer) }
        writer.put(ended) { writer, wait in
            writer.put(wait.endedAt)
            writer.put(wait.wait)
            writer.put(byte: wait.acuity)
            writer.put(UInt64(wait.ahead), width: 2)
        }
        for ring in endedByAcuity + [arrivals, departures, treatments] {
            writer.put(ring) { writer, value in writer.put(value) }
        }
        writer.put(gone) { writer, key in writer.put(key) }
        pace.write(to: &writer)
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init()
        waiting = try reader.elements(atMost: Self.mostWaiting) { reader throws(StateError) in
            try WaitingVisit(from: &reader)
        }
        treated = try reader.elements(atMost: Self.mostTreated) { reader throws(StateError) in
            try TreatedVisit(from: &reader)
        }
        ended = try reader.ring(capacity: ended.capacity) { reader throws(StateError) in
            EndedWait(
                endedAt: try reader.int64(), wait: try reader.int64(), acuity: try reader.acuity(),
                ahead: Int(try reader.unsigned(width: 2)))
        }
        for place in endedByAcuity.indices {
            endedByAcuity[place] = try Self.times(&reader, like: endedByAcuity[place])
        }
        arrivals = try Self.times(&reader, like: arrivals)
        departures = try Self.times(&reader, like: departures)
        treatments = try Self.times(&reader, like: treatments)
        gone = try reader.ring(capacity: gone.capacity) { reader throws(StateError) in try reader.key() }
        pace = try ServicePace(from: &reader)
    }

    private static func times(_ reader: inout StateReader, like ring: Ring<Int64>) throws(StateError) -> Ring<Int64> {
        try reader.ring(capacity: ring.capacity) { reader throws(StateError) in try reader.int64() }
    }
}

extension WaitingVisit {
    func write(to writer: inout StateWriter) {
        writer.put(visit)
        writer.put(arrivedAt)
        writer.put(byte: acuity)
        writer.put(UInt64(ahead), width: 2)
        let name = visitID.map { Array($0.utf8) } ?? []
        writer.put(UInt64(name.count), width: 2)
        for byte in name { writer.put(byte: Int(byte)) }
    }

    init(from reader: inout StateReader) throws(StateError) {
        visit = try reader.key()
        arrivedAt = try reader.int64()
        acuity = try reader.acuity()
        ahead = Int(try reader.unsigned(width: 2))
        var name: [UInt8] = []
        for _ in 0..<(try reader.unsigned(width: 2)) { name.append(UInt8(try reader.byte())) }
        guard !name.isEmpty else { return }
        guard let text = String(validating: name, as: UTF8.self) else { throw .damaged }
        visitID = text
    }
}

extension TreatedVisit {
    func write(to writer: inout StateWriter) {
        writer.put(visit)
        writer.put(startedAt)
        writer.put(arrivedAt ?? .min)
        writer.put(byte: acuity)
    }

    init(from reader: inout StateReader) throws(StateError) {
        visit = try reader.key()
        startedAt = try reader.int64()
        let arrival = try reader.int64()
        arrivedAt = arrival == .min ? nil : arrival
        acuity = try reader.acuity()
    }
}

extension StateReader {
    /// 1 to 5, or the bytes are damaged.
    mutating func acuity() throws(StateError) -> Int {
        let level = try byte()
        guard (1...5).contains(level) else { throw .damaged }
        return level
    }
}

extension Learner {
    func write(to writer: inout StateWriter) {
        writer.put(Int64(labels))
        writer.put(deviation)
        writer.put(deviationMinutes)
        leastSquares.write(to: &writer)
        heads.write(to: &writer)
        neural.write(to: &writer)
        for mixture in mixtures { mixture.write(to: &writer) }
        writer.put(spread) { writer, value in writer.put(value) }
        calibration.write(to: &writer)
    }

    mutating func read(from reader: inout StateReader) throws(StateError) {
        labels = Int(try reader.int64())
        guard labels >= 0 else { throw .damaged }
        deviation = try reader.double()
        deviationMinutes = try reader.double()
        try leastSquares.read(from: &reader)
        try heads.read(from: &reader)
        try neural.read(from: &reader)
        for level in mixtures.indices { try mixtures[level].read(from: &reader) }
        spread = try reader.ring(capacity: spread.capacity) { reader throws(StateError) in try reader.float() }
        calibration = try Calibration(from: &reader)
    }
}
