internal import Ingest
internal import VitalSigns

/// A dead letter as `retry` reads it.
struct DeadLetter {
    var offset: Int64
    var reason: String
    var detail: String
    /// Nil for a tombstone.
    var payload: [UInt8]?
    var receivedAtMilliseconds: Int64

    /// Whether only the beginning of the payload was kept: an oversize one's detail begins with its whole length.
    var isCut: Bool {
        guard reason == RejectReason.oversize.code, let length = detail.split(separator: " ").first.flatMap({ Int($0) })
        else { return false }
        return length > payload?.count ?? 0
    }
}

/// Judges dead letters under today's settings.
struct DeadLetterJudge: ~Copyable {
    enum Verdict {
        case accepted(Reading, OriginNames?)
        case rejected(RejectReason)
    }

    private var decoder: SliceDecoder

    init(maxMessageBytes: Int, maxFutureMilliseconds: Int64?) {
        decoder = SliceDecoder(maxMessageBytes: maxMessageBytes, maxFutureMilliseconds: maxFutureMilliseconds)
    }

    /// The broker's timestamp is not kept with a letter: the time at which it was received stands for it.
    mutating func judge(_ letter: DeadLetter, partition: Int32) -> Verdict {
        var reading = Reading()
        let payload = letter.payload ?? []
        let accepted = payload.withUnsafeBytes { bytes in
            var raw = RawMessage(
                payload: letter.payload == nil ? nil : bytes.baseAddress, payloadLength: bytes.count, key: nil,
                keyLength: 0, offset: letter.offset, timestampMilliseconds: letter.receivedAtMilliseconds,
                partition: partition)
            return withUnsafePointer(to: &raw) { raw in
                decoder.decode(UnsafeBufferPointer(start: raw, count: 1), into: &reading).acceptedCount == 1
            }
        }
        guard accepted else { return .rejected(decoder.rejection(at: 0).reason) }
        guard decoder.originCount == 1 else { return .accepted(reading, nil) }
        let names = decoder.withOriginTexts(0) { facility, sector, device in
            OriginNames(facility: Self.text(facility), sector: Self.text(sector), device: Self.text(device))
        }
        return .accepted(reading, names)
    }

    private static func text(_ bytes: UnsafeBufferPointer<UInt8>?) -> String? {
        bytes.map { String(decoding: $0, as: UTF8.self) }
    }
}
