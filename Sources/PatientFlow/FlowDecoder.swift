internal import CSimdJSON
public import VitalSigns  // messages come in as its `RawMessage`

/// Turns messages of `patient-flow` into validated events and rejections.
///
/// Grammar, UTF-8, sizes and fields given twice are judged by the very code that judges vital signs. The topic is a
/// few messages a second at most, so an event is a value with strings of its own and costs some allocations.
/// One thread at a time; a lane owns one.
@safe
public struct FlowDecoder: ~Copyable {
    /// Owned: made in `init`, freed in `deinit`, never handed out.
    private let handle: OpaquePointer

    /// A decoder with its settings, as for `SliceDecoder`.
    ///
    /// `maxMessageBytes` is 1 to 1 GiB; longer payloads are rejected as oversize. `maxFutureMilliseconds` says how
    /// far an event time may be ahead of the broker's timestamp; nil switches that check off.
    public init(maxMessageBytes: Int, maxFutureMilliseconds: Int64?) {
        precondition(maxMessageBytes >= 1 && maxMessageBytes <= 1 << 30, "maxMessageBytes is 1 to 1 GiB")
        precondition(maxFutureMilliseconds.map { $0 >= 0 } ?? true, "maxFutureMilliseconds is not negative")
        var judging = vs_judging()
        judging.max_message_bytes = maxMessageBytes
        judging.max_future_ms = maxFutureMilliseconds ?? -1
        judging.latest_time_ms = Limits.latestTimeMilliseconds
        unsafe handle = vs_flow_decoder_create(&judging)
    }

    deinit {
        unsafe vs_flow_decoder_destroy(handle)
    }

    /// Judges every message, in order.
    ///
    /// Payloads and keys are only read during the call. Never fails: what cannot be used is a rejection.
    /// - Complexity: linear in the bytes; the largest payload and the slice's events are all that is held.
    public mutating func decode(_ messages: UnsafeBufferPointer<RawMessage>) -> FlowSlice {
        var slice = FlowSlice()
        for index in messages.indices {
            let message = unsafe messages[index]
            var raw = unsafe vs_message()
            unsafe raw.payload = message.payload
            unsafe raw.payload_length = message.payloadLength
            unsafe raw.key = message.key
            unsafe raw.key_length = message.keyLength
            unsafe raw.offset = message.offset
            unsafe raw.timestamp_ms = message.timestampMilliseconds
            unsafe raw.partition = message.partition
            var found = unsafe vs_flow_event()
            let reason = unsafe vs_flow_decode(handle, &raw, &found)
            if Int(reason) == VS_REASON_COUNT {
                let event = unsafe Self.event(found, partition: message.partition, offset: message.offset)
                slice.accepted.append(FlowSlice.Accepted(messageIndex: index, event: event))
                unsafe slice.unknownFields += found.unknown_fields
                unsafe slice.keyMismatches += Int64(found.key_mismatch)
            } else {
                guard let known = RejectReason(rawValue: reason) else {
                    preconditionFailure("RejectReason and vs_reason differ")
                }
                slice.rejected.append(FlowSlice.Rejected(messageIndex: index, reason: known, detail: detail()))
            }
        }
        return slice
    }

    /// Takes the texts out of the decoder's memory, which the next message will overwrite.
    private static func event(_ found: vs_flow_event, partition: Int32, offset: Int64) -> FlowEvent {
        guard let kind = unsafe FlowKind(rawValue: found.kind) else {
            preconditionFailure("FlowKind and CSimdJSON's kinds differ")
        }
        let patient = unsafe PatientID(high: found.patient_high, low: found.patient_low)
        return unsafe FlowEvent(
            eventID: EventID(high: found.event_high, low: found.event_low), facility: name(found.facility),
            sector: name(found.sector), visit: name(found.visit), patient: found.has_patient == 0 ? nil : patient,
            kind: kind, toSector: kind == .transfer ? name(found.to_sector) : nil,
            acuity: found.acuity == 0 ? nil : Int(found.acuity), occurredAt: found.time_ms, partition: partition,
            offset: offset)
    }

    private static func name(_ text: vs_text) -> FlowName {
        unsafe FlowName(utf8: UnsafeBufferPointer(start: text.start, count: text.length))
    }

    /// Of the message judged last, which was rejected.
    private func detail() -> String {
        unsafe String(unsafeUninitializedCapacity: Int(VS_DETAIL_CAPACITY)) { room in
            guard let start = room.baseAddress else { return 0 }
            return unsafe vs_flow_rejection_detail(handle, start, room.count)
        }
    }
}
