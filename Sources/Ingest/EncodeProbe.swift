package import VitalSigns

/// Encodes a plan's new rows as a commit does, into memory that nobody reads: what the bench times.
@safe package struct EncodeProbe: ~Copyable {
    private let buffer: UnsafeMutableRawPointer
    private static let pieceBytes = 65_536

    /// With a buffer of one piece.
    package init() {
        unsafe buffer = .allocate(byteCount: Self.pieceBytes, alignment: 16)
    }

    deinit { unsafe buffer.deallocate() }

    /// Encodes every row to insert.
    package mutating func encode(_ plan: BatchPlan) {
        let limit = unsafe buffer + (Self.pieceBytes - CopyRowEncoder.longestRow)
        var encoder = unsafe CopyRowEncoder(at: buffer)
        let rows = plan.insertRows
        for index in 0..<rows.count {
            if unsafe encoder.cursor >= limit { encoder = unsafe CopyRowEncoder(at: buffer) }
            encoder.appendReading(rows[index])
        }
    }
}
