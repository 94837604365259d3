import TestSupport
import VitalSigns

/// What became of one message.
struct Judgement {
    /// The reading when it was accepted.
    var reading: Reading?
    /// The reason when it was rejected.
    var reason: RejectReason?
    var detail = ""
    var outcome: SliceOutcome
    /// Facility, sector, device; nil when the reading carries none of them.
    var origin: [String?]?

    /// "accepted" or the reason's code; what the tables of these tests name.
    var code: String { reason?.code ?? "accepted" }
}

let patient = JSONCorpus.patient
let instant = JSONCorpus.instant

/// A message of a patient and an instant, with more members behind them.
func vitals(_ members: String) -> String { JSONCorpus.vitals(members) }

/// Decodes one payload with a decoder of its own.
func decode(
    _ payload: [UInt8]?, key: [UInt8]? = Array(patient.utf8), brokerTime: Int64 = instant,
    maxMessageBytes: Int = 8_388_608, maxFutureMilliseconds: Int64? = 300_000
) -> Judgement {
    var decoder = SliceDecoder(maxMessageBytes: maxMessageBytes, maxFutureMilliseconds: maxFutureMilliseconds)
    var reading = Reading()
    return withBytes(payload) { payloadBytes in
        withBytes(key) { keyBytes in
            let message = RawMessage(
                payload: payloadBytes?.baseAddress, payloadLength: payloadBytes?.count ?? 0,
                key: keyBytes?.baseAddress, keyLength: keyBytes?.count ?? 0, offset: 42,
                timestampMilliseconds: brokerTime, partition: 3)
            let outcome = withUnsafePointer(to: message) { pointer in
                decoder.decode(UnsafeBufferPointer(start: pointer, count: 1), into: &reading)
            }
            guard outcome.acceptedCount == 1 else {
                return Judgement(reason: decoder.rejection(at: 0).reason, detail: detail(decoder, 0), outcome: outcome)
            }
            let origin = decoder.originCount == 0 ? nil : originTexts(decoder, 0)
            return Judgement(reading: reading, outcome: outcome, origin: origin)
        }
    }
}

func decode(_ text: String, brokerTime: Int64 = instant, maxMessageBytes: Int = 8_388_608) -> Judgement {
    decode(Array(text.utf8), brokerTime: brokerTime, maxMessageBytes: maxMessageBytes)
}

func detail(_ decoder: borrowing SliceDecoder, _ index: Int) -> String {
    decoder.withDetail(at: index) { String(decoding: $0, as: UTF8.self) }
}

func originTexts(_ decoder: borrowing SliceDecoder, _ index: Int) -> [String?] {
    decoder.withOriginTexts(index) { facility, sector, device in
        [facility, sector, device].map { $0.map { String(decoding: $0, as: UTF8.self) } }
    }
}

/// Lends the bytes; an empty array too has an address, nil has none.
private func withBytes<Result>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
    guard let bytes else { return body(nil) }
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: bytes)
    return body(UnsafeRawBufferPointer(rebasing: copy[..<bytes.count]))
}

/// Payloads laid out one behind the other, as a slice of messages; each message's offset is its position.
final class Slice {
    private let bytes: UnsafeMutableRawBufferPointer
    private(set) var messages: [RawMessage] = []

    init(_ payloads: [[UInt8]], key: String = patient) {
        let keyBytes = Array(key.utf8)
        bytes = .allocate(byteCount: keyBytes.count + payloads.reduce(0) { $0 + $1.count } + 1, alignment: 1)
        bytes.copyBytes(from: keyBytes)
        let start = UnsafeRawPointer(bytes.baseAddress)
        var at = keyBytes.count
        for payload in payloads {
            UnsafeMutableRawBufferPointer(rebasing: bytes[at...]).copyBytes(from: payload)
            messages.append(
                RawMessage(
                    payload: start.map { $0 + at }, payloadLength: payload.count, key: start,
                    keyLength: keyBytes.count, offset: Int64(messages.count), timestampMilliseconds: instant,
                    partition: 1))
            at += payload.count
        }
    }

    deinit { bytes.deallocate() }

    func decode(with decoder: inout SliceDecoder, into readings: inout [Reading]) -> SliceOutcome {
        if readings.count < messages.count {
            readings = Array(repeating: Reading(), count: messages.count)
        }
        return messages.withUnsafeBufferPointer { messages in
            readings.withUnsafeMutableBufferPointer { readings in
                guard let first = readings.baseAddress else { preconditionFailure("a slice has messages") }
                return decoder.decode(messages, into: first)
            }
        }
    }
}
