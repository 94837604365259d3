/// What was predicted for a visit and from what, kept until its wait ends.
struct Pending {
    var visit: VisitKey
    var acuity: Int
    /// Standardised features, without the constant.
    var features: [Int16]
    /// Roots of minutes: each expert's word, in the order of `Learner.voices`.
    var voices: [UInt16]
    /// Roots of minutes: what each mixture said, one per level.
    var mixed: [UInt16]
    /// Roots of minutes: lower and upper bound per coverage.
    var bounds: [UInt16]

    func write(to writer: inout StateWriter) {
        writer.put(visit)
        writer.put(byte: acuity)
        for value in features { writer.put(UInt64(UInt16(bitPattern: value)), width: 2) }
        for value in voices + mixed + bounds { writer.put(UInt64(value), width: 2) }
    }

    init(visit: VisitKey, acuity: Int, features: [Int16], voices: [UInt16], mixed: [UInt16], bounds: [UInt16]) {
        self.visit = visit
        self.acuity = acuity
        self.features = features
        self.voices = voices
        self.mixed = mixed
        self.bounds = bounds
    }

    init(from reader: inout StateReader) throws(StateError) {
        visit = try reader.key()
        acuity = try reader.byte()
        guard (1...5).contains(acuity) else { throw .damaged }
        features = try Self.row(Features.count, &reader).map { Int16(bitPattern: $0) }
        voices = try Self.row(Learner.voices, &reader)
        mixed = try Self.row(QuantileHeads.levels.count, &reader)
        bounds = try Self.row(2 * Calibration.coverages.count, &reader)
    }

    private static func row(_ count: Int, _ reader: inout StateReader) throws(StateError) -> [UInt16] {
        var values: [UInt16] = []
        for _ in 0..<count { values.append(UInt16(try reader.unsigned(width: 2))) }
        return values
    }
}
