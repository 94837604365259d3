extension SectorPredictor {
    /// What the bytes of `serialised` begin with. Another feature, expert or list makes another version.
    public static let stateVersion: UInt32 = 1

    /// All that the sector knows, queue and learning, as bytes: the same state gives the same bytes on every machine,
    /// and what is read back goes on as if nothing had happened. At most 128 kB.
    public func serialised() -> [UInt8] {
        var writer = StateWriter()
        writer.put(UInt64(Self.stateVersion), width: 4)
        queue.write(to: &writer)
        standardiser.write(to: &writer)
        learner.write(to: &writer)
        writer.put(pending) { writer, pending in pending.write(to: &writer) }
        return writer.bytes
    }

    /// Reads what `serialised` wrote.
    public init(serialised bytes: [UInt8]) throws(StateError) {
        self.init()
        var reader = StateReader(bytes)
        let version = UInt32(try reader.unsigned(width: 4))
        guard version == Self.stateVersion else { throw .unknownVersion(version) }
        queue = try SectorQueue(from: &reader)
        standardiser = try Standardiser(width: Features.count, from: &reader)
        try learner.read(from: &reader)
        pending = try reader.elements(atMost: Self.mostPending) { reader throws(StateError) in
            try Pending(from: &reader)
        }
        try reader.end()
    }
}

extension SectorQueue {
    func write(to writer: inout StateWriter) {
        writer.put(now)
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
        hourly.write(to: &writer)
        pace.write(to: &writer)
    }

    init(from reader: inout StateReader) throws(StateError) {
        self.init()
        now = try reader.int64()
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
        hourly = try HourlyMedians(from: &reader)
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
    }

    init(from reader: inout StateReader) throws(StateError) {
        visit = try reader.key()
        arrivedAt = try reader.int64()
        acuity = try reader.acuity()
        ahead = Int(try reader.unsigned(width: 2))
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
