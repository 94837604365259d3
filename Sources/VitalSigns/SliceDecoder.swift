internal import CSimdJSON

/// Turns slices of `vitals` messages into validated readings, rejections and origin texts.
///
/// One C call judges a whole slice. Results other than the readings (rejections, origins) stay inside the decoder
/// until the next `decode`. Buffers grow to the largest slice seen; after that nothing is allocated, but for
/// messages above 1 MiB, whose memory is given back at the end of their slice.
/// One thread at a time; a lane owns one.
@safe
public struct SliceDecoder: ~Copyable {
    /// Owned: made in `init`, freed in `deinit`, never handed out.
    private let handle: OpaquePointer
    private var outcome = vs_outcome()

    /// A decoder with its settings.
    ///
    /// `maxMessageBytes` is 1 to 1 GiB; longer payloads are rejected as oversize. `maxFutureMilliseconds` says how
    /// far an event time may be ahead of the broker's timestamp; nil switches that check off.
    public init(maxMessageBytes: Int, maxFutureMilliseconds: Int64?) {
        precondition(maxMessageBytes >= 1 && maxMessageBytes <= 1 << 30, "maxMessageBytes is 1 to 1 GiB")
        precondition(maxFutureMilliseconds.map { $0 >= 0 } ?? true, "maxFutureMilliseconds is not negative")
        precondition(Self.layoutsAgree, "Reading or RawMessage and their C structs differ")
        var options = vs_options()
        options.judging.max_message_bytes = maxMessageBytes
        options.judging.max_future_ms = maxFutureMilliseconds ?? -1
        options.judging.latest_time_ms = Limits.latestTimeMilliseconds
        let lowest = Limits.lowest
        let highest = Limits.highest
        options.lowest = (lowest[0], lowest[1], lowest[2], lowest[3], lowest[4], lowest[5])
        options.highest = (highest[0], highest[1], highest[2], highest[3], highest[4], highest[5])
        options.fahrenheit_lowest = Limits.fahrenheit.lowerBound
        options.fahrenheit_highest = Limits.fahrenheit.upperBound
        unsafe handle = vs_decoder_create(&options)
    }

    deinit {
        unsafe vs_decoder_destroy(handle)
    }

    /// Version of simdjson that it was compiled against.
    public static var libraryVersion: String { unsafe String(cString: vs_simdjson_version()) }

    /// Judges every message; accepted ones are written to `readings` one after the other, in order.
    ///
    /// `readings` must have room for as many readings as there are messages. Payloads and keys are only read during
    /// the call. Never fails: what cannot be used is a rejection.
    /// - Complexity: about 0.2 µs for a message of 170 bytes; no allocation after warm-up.
    public mutating func decode(
        _ messages: UnsafeBufferPointer<RawMessage>, into readings: UnsafeMutablePointer<Reading>
    ) -> SliceOutcome {
        // The structs agree in layout (checked in `init`); C reads and writes them during the call only.
        let first = unsafe UnsafeRawPointer(messages.baseAddress)?.assumingMemoryBound(to: vs_message.self)
        let target = unsafe UnsafeMutableRawPointer(readings).assumingMemoryBound(to: vs_reading.self)
        outcome = unsafe vs_decode_slice(handle, first, messages.count, target)
        return SliceOutcome(
            acceptedCount: outcome.accepted, rejectedCount: outcome.rejected,
            unknownFields: outcome.unknown_fields, keyMismatches: outcome.key_mismatches)
    }

    /// Rejections of the last slice.
    public var rejectedCount: Int { outcome.rejected }

    /// One rejection of the last slice, in the order of their messages.
    public func rejection(at index: Int) -> Rejection {
        precondition(index >= 0 && index < outcome.rejected, "no such rejection")
        guard let reason = unsafe RejectReason(rawValue: vs_rejection_reason(handle, index)) else {
            preconditionFailure("RejectReason and vs_reason differ")
        }
        return unsafe Rejection(messageIndex: vs_rejection_message(handle, index), reason: reason)
    }

    /// Lends the detail of a rejection: ASCII text that names every bad field, never a value of one.
    ///
    /// At most 1,024 bytes, often none. Made on demand, no allocation.
    public func withDetail<Result, Failure: Error>(
        at index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(index >= 0 && index < outcome.rejected, "no such rejection")
        return try unsafe withUnsafeTemporaryAllocation(
            of: UInt8.self, capacity: Int(VS_DETAIL_CAPACITY)
        ) { (text) throws(Failure) in
            guard let base = text.baseAddress else { preconditionFailure("a buffer of 1,024 bytes has an address") }
            let length = unsafe vs_rejection_detail(handle, index, base, text.count)
            return try unsafe body(UnsafeBufferPointer(start: base, count: length))
        }
    }

    /// Accepted readings of the last slice that say where they come from.
    public var originCount: Int { outcome.origins }

    /// The position among the accepted readings of the k-th one with an origin; ascending in k.
    public func originReadingIndex(_ index: Int) -> Int {
        precondition(index >= 0 && index < outcome.origins, "no such origin")
        return unsafe vs_origin_at(handle, index).reading_index
    }

    /// Lends the texts of the k-th origin: valid UTF-8 without U+0000, at most 255 bytes, nil where absent.
    ///
    /// The bytes live until the next `decode`.
    public func withOriginTexts<Result, Failure: Error>(
        _ index: Int,
        _ body: (
            _ facility: UnsafeBufferPointer<UInt8>?, _ sector: UnsafeBufferPointer<UInt8>?,
            _ device: UnsafeBufferPointer<UInt8>?
        ) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(index >= 0 && index < outcome.origins, "no such origin")
        let origin = unsafe vs_origin_at(handle, index)
        return try unsafe body(
            Self.text(origin.texts.0, origin.lengths.0), Self.text(origin.texts.1, origin.lengths.1),
            Self.text(origin.texts.2, origin.lengths.2))
    }

    private static func text(_ start: UnsafePointer<UInt8>?, _ length: Int) -> UnsafeBufferPointer<UInt8>? {
        guard let start = unsafe start else { return nil }
        return unsafe UnsafeBufferPointer(start: start, count: length)
    }
}
