extension CountForecaster {
    /// What the bytes of `serialised` begin with. Another feature or list makes another version.
    public static let stateVersion: UInt32 = 1

    /// All that the forecaster knows, as bytes; what is read back goes on bit for bit.
    public func serialised() -> [UInt8] {
        var writer = StateWriter(version: Self.stateVersion)
        writer.put(byte: Int(kind.rawValue))
        writer.put(horizons) { writer, hours in writer.put(byte: hours) }
        history.write(to: &writer)
        for place in horizons.indices {
            models[place].write(to: &writer)
            writer.put(spreads[place]) { writer, value in writer.put(value) }
            writer.put(rootVariance[place])
            writer.put(excess[place])
            writer.put(Int64(labels[place]))
            writer.put(open[place]) { writer, row in
                writer.put(row.hour)
                writer.put(row.row)
                writer.put(row.said)
                writer.put(row.mean)
            }
        }
        return writer.bytes
    }

    /// Reads what `serialised` wrote, of this kind.
    init(serialised bytes: [UInt8], kind: Kind) throws(StateError) {
        try self.init(serialised: bytes)
        guard self.kind == kind, horizons == FlowPredictor.horizons else { throw .damaged }
    }

    /// Reads what `serialised` wrote.
    public init(serialised bytes: [UInt8]) throws(StateError) {
        var reader = try StateReader(bytes, version: Self.stateVersion)
        guard let kind = Kind(rawValue: UInt8(try reader.byte())) else { throw .damaged }
        let horizons = try reader.elements(atMost: 48) { reader throws(StateError) in try reader.byte() }
        guard horizons.allSatisfy({ (1...48).contains($0) }) else { throw .damaged }
        self.init(kind, horizons: horizons)
        try history.read(from: &reader)
        for place in horizons.indices {
            try models[place].read(from: &reader)
            spreads[place] = try reader.ring(capacity: Self.kept) { reader throws(StateError) in try reader.float() }
            rootVariance[place] = try reader.double()
            excess[place] = try reader.double()
            labels[place] = Int(try reader.int64())
            open[place] = try reader.elements(atMost: 48) { reader throws(StateError) in
                (try reader.int64(), try reader.doubles(Self.width), try reader.double(), try reader.double())
            }
        }
        try reader.end()
        guard open.joined().allSatisfy({ HourlyHistory.isHour($0.hour) }) else { throw .damaged }
        if let hour = history.newest { newest = horizons.indices.map { forecast(hour: hour, horizon: $0).told } }
    }
}
