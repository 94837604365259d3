import PatientFlow
import TestSupport
import Testing
import VitalSigns

/// Random, truncated, bit-flipped and spliced payloads: nothing traps, every message has one verdict, whatever was
/// accepted keeps to the contract, and what is JSON is judged exactly as the decoder of vital signs judges it.
@Suite struct FlowFuzzTests {
    static let bases = [
        message(),
        message(["event": "\"transfer\"", "toSectorId": "\"ward\"", "acuity": "3", "x": "[1,{\"y\":null}]"]),
        message(["patientId": "\"00112233-4455-6677-8899-aabbccddeeff\"", "visitId": "\"\\u00e9\\ud83d\\ude00é\""]),
        message(["event": "\"left_without_being_seen\"", "timestamp": "1.7672256e12", "acuity": "null"]),
    ].map { Array($0.utf8) }

    static let tokens = [
        "{", "}", "[", "]", ":", ",", "\"event\"", "\"\"", "1", "-0.5e+3", "true", "null", " ", "-", "\"", "\\", "\\\"",
        "e", ".", "\u{0}", "\u{feff}", "\"acuity\":", "\"toSectorId\":", "\\u0000", "\"\\ud800\"", "é",
    ].map { Array($0.utf8) }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `no payload traps, and every one has one verdict`(seed: UInt64) throws {
        var numbers = SeededNumbers(seed: seed)
        var decoder = FlowDecoder(maxMessageBytes: 1 << 20, maxFutureMilliseconds: 300_000)
        var vitals = SliceDecoder(maxMessageBytes: 1 << 20, maxFutureMilliseconds: 300_000)
        var accepted = 0
        var malformed = 0
        for _ in 0..<80 {
            let payloads = (0..<256).map { _ in payload(&numbers) }
            let slice = decode(payloads, with: &decoder)
            let indices = (slice.accepted.map(\.messageIndex) + slice.rejected.map(\.messageIndex)).sorted()
            try #require(indices == Array(0..<256))
            for found in slice.accepted { try #require(isPossible(found.event), "\(payloads[found.messageIndex])") }
            for rejected in slice.rejected {
                try #require(rejected.detail.utf8.count <= 1024 && rejected.detail.utf8.allSatisfy { $0 < 0x7F })
            }
            let judged = vitalsReasons(payloads, &vitals)
            for rejected in slice.rejected where rejected.reason.rawValue <= RejectReason.notAnObject.rawValue {
                try #require(judged[rejected.messageIndex] == rejected.reason, "\(payloads[rejected.messageIndex])")
                malformed += 1
            }
            let shapeless = judged.count { $0.rawValue <= RejectReason.notAnObject.rawValue }
            let ours = slice.rejected.count { $0.reason.rawValue <= RejectReason.notAnObject.rawValue }
            try #require(shapeless == ours)
            accepted += slice.accepted.count
        }
        // A generator that makes only rubbish would prove little.
        #expect(accepted > 1_500)
        #expect(malformed > 5_000)
    }

    private func payload(_ numbers: inout SeededNumbers) -> [UInt8] {
        var bytes = numbers.pick(Self.bases)
        switch numbers.below(9) {
        case 0: return (0..<numbers.below(80)).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
        case 1: return (0...numbers.below(14)).flatMap { _ in numbers.pick(Self.tokens) }
        case 2: bytes.removeLast(numbers.below(bytes.count))
        case 3:
            let back = numbers.pick(Self.bases)
            return Array(bytes[..<numbers.below(bytes.count)]) + Array(back[numbers.below(back.count)...])
        case 4: bytes.insert(contentsOf: numbers.pick(Self.tokens), at: numbers.below(bytes.count + 1))
        case 5: bytes.remove(at: numbers.below(bytes.count))
        case 6: break
        default: for _ in 0...numbers.below(3) { bytes[numbers.below(bytes.count)] ^= 1 << UInt8(numbers.below(8)) }
        }
        return bytes
    }

    /// What the decoder of vital signs says of the same bytes; no payload here is a reading.
    private func vitalsReasons(_ payloads: [[UInt8]], _ decoder: inout SliceDecoder) -> [RejectReason] {
        payloads.map { payload in
            payload.withUnsafeBytes { bytes in
                let message = RawMessage(
                    payload: bytes.baseAddress, payloadLength: bytes.count, key: nil, keyLength: 0, offset: 0,
                    timestampMilliseconds: instant, partition: 0)
                var reading = Reading()
                let outcome = withUnsafePointer(to: message) {
                    decoder.decode(UnsafeBufferPointer(start: $0, count: 1), into: &reading)
                }
                return outcome.rejectedCount == 1 ? decoder.rejection(at: 0).reason : .noVitalSign
            }
        }
    }

    private func isPossible(_ event: FlowEvent) -> Bool {
        let names = [event.facility, event.sector, event.visit] + [event.toSector].compactMap { $0 }
        return names.allSatisfy { (1...255).contains($0.text.utf8.count) && !$0.text.utf8.contains(0) }
            && event.occurredAt > 0 && event.occurredAt <= instant + 300_000
            && (event.acuity.map { (1...5).contains($0) } ?? true)
            && (event.kind == .transfer) == (event.toSector != nil)
    }
}
