package import VitalSigns

/// Encodes a plan's new rows as a commit does, into memory that nobody reads: what the bench times.
@safe package struct EncodeProbe: ~Copyable {
    private let buffer: UnsafeMutableRawPointer
    private let rows = UnsafeMutableBufferPointer<Reading>.allocate(capacity: CopyRowEncoder.readingsPerStep)
    private static let pieceBytes = 65_536

    /// With a buffer of one piece.
    package init() {
        unsafe buffer = .allocate(byteCount: Self.pieceBytes, alignment: 16)
    }

    deinit {
        unsafe buffer.deallocate()
        unsafe rows.deallocate()
    }

    /// Encodes every row to insert.
    package mutating func encode(_ plan: BatchPlan) {
        let limit = unsafe buffer + (Self.pieceBytes - CopyRowEncoder.longestStep)
        var encoder = unsafe CopyRowEncoder(at: buffer)
        let inserts = plan.insertRows
        var next = 0
        while next < inserts.count {
            if unsafe encoder.cursor >= limit { encoder = unsafe CopyRowEncoder(at: buffer) }
            next += unsafe encoder.appendReadings(of: inserts, from: next, through: rows)
        }
    }
}
