internal import Kafka
internal import Postgres
internal import VitalSigns

/// The COPY data of one commit, produced piece by piece while the socket takes it.
@safe final class CopyStream {
    enum Kind {
        case inserts, changes, replacements, deadLetters
        /// All there is, header and trailer included.
        case bytes([UInt8])
    }

    private let buffer: UnsafeMutableRawPointer
    private let rows = UnsafeMutableBufferPointer<Reading>.allocate(capacity: CopyRowEncoder.readingsPerStep)
    private static let pieceBytes = Connection.copyPieceBytes
    /// What goes as a whole, dead letters (one may be longer than a piece) and `bytes`.
    private var whole = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var kind = Kind.inserts
    /// Next row of the kind, or next byte of `whole`.
    private var next = 0
    private var count = 0
    private var isComplete = false

    init() {
        unsafe buffer = .allocate(byteCount: Self.pieceBytes, alignment: 16)
    }

    deinit {
        unsafe buffer.deallocate()
        unsafe rows.deallocate()
        unsafe whole.deallocate()
    }

    /// Starts on the rows of one kind.
    func start(_ kind: Kind, batch: Batch, plan: BatchPlan) {
        self.kind = kind
        next = 0
        isComplete = false
        switch kind {
        case .inserts: count = plan.insertCount
        case .changes: count = plan.changes.count
        case .replacements: count = plan.replacements.count
        case .deadLetters: keep(DeadLetterEncoder.encode(batch.deadLetters))
        case .bytes(let bytes): keep(bytes)
        }
    }

    private func keep(_ bytes: [UInt8]) {
        unsafe whole.deallocate()
        unsafe whole = .allocate(byteCount: bytes.count, alignment: 1)
        unsafe whole.copyBytes(from: bytes)
    }

    /// Sends pieces until all is sent (true) or the socket takes no more (false); then call again.
    func push(into connection: inout Connection, plan: BatchPlan) throws(PostgresError) -> Bool {
        if try !connection.flush() { return false }
        switch kind {
        case .deadLetters, .bytes: return try unsafe connection.putCopy(UnsafeRawBufferPointer(whole), from: &next)
        case .inserts, .changes, .replacements: break
        }
        while !isComplete {
            let filled = fill(plan)
            if try unsafe !connection.putCopy(UnsafeRawBufferPointer(start: buffer, count: filled)) { return false }
        }
        return true
    }

    /// Fills the buffer with whole rows.
    private func fill(_ plan: BatchPlan) -> Int {
        var encoder = unsafe CopyRowEncoder(at: buffer)
        if next == 0 { encoder.append(CopyRowEncoder.header) }
        let limit = unsafe buffer + (Self.pieceBytes - CopyRowEncoder.longestStep)
        let inserts = plan.insertRows
        while next < count, unsafe encoder.cursor < limit {
            switch kind {
            case .inserts:
                next += unsafe encoder.appendReadings(of: inserts, from: next, through: rows)
            case .changes:
                encoder.appendChange(plan.changes[next])
                next += 1
            case .replacements:
                encoder.appendReplacement(plan.replacements[next])
                next += 1
            case .deadLetters, .bytes: preconditionFailure("these go as a whole")
            }
        }
        if next == count {
            // The row limit leaves room for it.
            encoder.append(CopyRowEncoder.trailer)
            isComplete = true
        }
        return unsafe encoder.cursor - buffer
    }
}

/// Dead letters in binary COPY format: topic, partition, offset, reason, detail, payload, headers, received_at.
enum DeadLetterEncoder {
    /// Header, rows and trailer.
    static func encode(_ letters: DeadLetterBuffer) -> [UInt8] {
        var bytes = CopyRowEncoder.header
        for letter in letters.letters {
            put(Int16(8), &bytes)
            putText(letter.position.partition.topic, &bytes)
            put(Int32(4), &bytes)
            put(letter.position.partition.partition, &bytes)
            put(Int32(8), &bytes)
            put(letter.position.offset, &bytes)
            putText(letter.reason.code, &bytes)
            putRange(letter.detail, of: letters, prefix: [], &bytes)
            putRange(letter.payload, of: letters, prefix: [], &bytes)
            // jsonb's wire form is a version number before the text.
            putRange(letter.headers, of: letters, prefix: [1], &bytes)
            put(Int32(8), &bytes)
            put(Wire.timestamp(milliseconds: letter.receivedAtMilliseconds), &bytes)
        }
        return bytes + CopyRowEncoder.trailer
    }

    private static func putText(_ text: String, _ bytes: inout [UInt8]) {
        put(Int32(text.utf8.count), &bytes)
        bytes += Array(text.utf8)
    }

    private static func putRange(
        _ range: Range<Int>?, of letters: DeadLetterBuffer, prefix: [UInt8], _ bytes: inout [UInt8]
    ) {
        guard let range else {
            put(Int32(-1), &bytes)
            return
        }
        put(Int32(range.count + prefix.count), &bytes)
        bytes += prefix
        unsafe letters.withBytes(range) { part in unsafe bytes.append(contentsOf: part) }
    }

    private static func put<Value: FixedWidthInteger>(_ value: Value, _ bytes: inout [UInt8]) {
        var shift = Value.bitWidth
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
