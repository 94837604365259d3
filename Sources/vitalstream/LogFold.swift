internal import Ingest
internal import Kafka
internal import VitalSigns

/// What the tables must hold by the log: every message judged and applied again, one at a time in offset order.
///
/// Exact while each patient stays in one partition and messages were first read in offset order, which is what the
/// contract promises to be a function of the log. One thread only.
final class LogFold {
    /// In bits of `Reading.categorical` that no reading uses.
    enum Mark {
        /// Messages of more than one partition or topic, or one that was retried and read again: in which order they
        /// were applied, the log does not say.
        static let mixed: UInt8 = 1 << 4
        /// A retried dead letter took part: when it was applied, the log does not say.
        static let retried: UInt8 = 1 << 5
        /// The table has the row.
        static let seen: UInt8 = 1 << 6
        /// What the bits of a reading are.
        static let valueMask: UInt8 = 0b0000_1111
    }

    /// The rows of `silver.vital_reading`.
    let rows = LogFoldRows(.key)
    /// The rows of the history: presence names the values replaced, partition and offset the message that did it.
    let history = LogFoldRows(.keyAndMessage)
    /// Numbers of the origins met, from 1.
    private(set) var origins: [OriginNames: Int32] = [:]
    /// How many rows have messages of more than one partition or topic.
    private(set) var mixedRows = 0

    private var decoder: SliceDecoder
    /// Judges retried letters, which today's settings may reject again.
    private var lenient = SliceDecoder(maxMessageBytes: 1 << 30, maxFutureMilliseconds: nil)
    private let raw = UnsafeMutablePointer<RawMessage>.allocate(capacity: 1)
    private let decoded = UnsafeMutablePointer<Reading>.allocate(capacity: 1)
    private var retries: [(retry: LogFoldStream.Retry, reading: Reading)] = []
    /// Which topic made the rows from an index on; only with several topics.
    private var makers: [(firstRow: Int, topic: Int)] = []

    init(maxMessageBytes: Int, maxFutureMilliseconds: Int64?) {
        decoder = SliceDecoder(maxMessageBytes: maxMessageBytes, maxFutureMilliseconds: maxFutureMilliseconds)
    }

    deinit {
        raw.deallocate()
        decoded.deallocate()
    }

    /// Judges and applies one message. Offsets of a stream come in ascending order.
    func take(_ record: MessageRecord, of stream: LogFoldStream) {
        stream.messages += 1
        if !stream.awaitedHashes.isEmpty, let hash = stream.awaitedHashes.removeValue(forKey: record.offset),
            MessageHash.of(record) != hash
        {
            stream.foreignOffsets.append(record.offset)
        }
        raw.initialize(
            to: RawMessage(
                payload: record.payload, payloadLength: record.payloadLength, key: record.key,
                keyLength: record.keyLength, offset: record.offset,
                timestampMilliseconds: record.timestampMilliseconds, partition: record.partition))
        let retry = stream.retried.isEmpty ? nil : stream.retried[record.offset]
        let reading = decode(with: &decoder)
        if reading == nil {
            stream.letters.append(
                LogFoldStream.Letter(offset: record.offset, reason: decoder.rejection(at: 0).reason))
        }
        if let retry {
            guard let accepted = reading ?? decode(with: &lenient) else { return }
            retries.append((retry, accepted))
            if retry.isVoid, reading != nil { apply(accepted, of: stream) }
        } else if let reading {
            apply(reading, of: stream)
        } else {
            stream.classes.rejected += 1
        }
    }

    /// Applies the retried letters, in the order of their retries, after all else: their values never replace one.
    func applyRetries() {
        for (retry, reading) in retries.sorted(by: { $0.retry.order < $1.retry.order }) {
            guard let index = rows.find(reading) else {
                rows.append(reading)
                continue
            }
            let row = rows.pointer(at: index)
            markIfMixed(row, index, reading, topic: nil)
            row.pointee.categorical |= retry.isVoid ? Mark.mixed : Mark.retried
            _ = row.pointee.apply(reading, neverCorrects: true)
        }
        retries = []
    }

    /// Numbers an origin of the database that no message carried too.
    func number(of names: OriginNames) -> Int32 {
        if let number = origins[names] { return number }
        let number = Int32(origins.count + 1)
        origins[names] = number
        return number
    }

    private func decode(with decoder: inout SliceDecoder) -> Reading? {
        let outcome = decoder.decode(UnsafeBufferPointer(start: raw, count: 1), into: decoded)
        guard outcome.acceptedCount == 1 else { return nil }
        if decoder.originCount == 1 {
            let names = decoder.withOriginTexts(0) { facility, sector, device in
                OriginNames(facility: Self.text(facility), sector: Self.text(sector), device: Self.text(device))
            }
            decoded.pointee.origin = number(of: names)
        }
        return decoded.pointee
    }

    private func apply(_ reading: Reading, of stream: LogFoldStream) {
        guard let index = rows.find(reading) else {
            if makers.last?.topic != stream.topic { makers.append((rows.count, stream.topic)) }
            rows.append(reading)
            stream.classes.inserted += 1
            return
        }
        let row = rows.pointer(at: index)
        markIfMixed(row, index, reading, topic: stream.topic)
        var before = row.pointee
        let outcome = row.pointee.apply(reading)
        switch outcome.verdict {
        case .inserted: stream.classes.inserted += 1
        case .merged: stream.classes.merged += 1
        case .corrected: stream.classes.corrected += 1
        case .duplicate: stream.classes.duplicate += 1
        case .stale: stream.classes.stale += 1
        }
        guard outcome.replaced != 0 else { return }
        before.presence = outcome.replaced
        before.categorical &= Mark.valueMask
        before.partition = reading.partition
        before.offset = reading.offset
        before.origin = 0
        history.append(before)
    }

    private func markIfMixed(_ row: UnsafeMutablePointer<Reading>, _ index: Int, _ reading: Reading, topic: Int?) {
        guard row.pointee.categorical & Mark.mixed == 0 else { return }
        let isSameTopic = topic.map { maker(of: index) == $0 } ?? true
        guard row.pointee.partition != reading.partition || !isSameTopic else { return }
        row.pointee.categorical |= Mark.mixed
        mixedRows += 1
    }

    /// The topic whose message made a row.
    private func maker(of index: Int) -> Int {
        if makers.count == 1 { return makers[0].topic }
        return makers.last { $0.firstRow <= index }?.topic ?? 0
    }

    private static func text(_ bytes: UnsafeBufferPointer<UInt8>?) -> String? {
        bytes.map { String(decoding: $0, as: UTF8.self) }
    }
}
