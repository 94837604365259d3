import TestSupport
import Testing
import VitalSigns

/// Random, truncated, bit-flipped and spliced payloads: nothing traps, every one has a verdict, and the verdict on
/// JSON's grammar is an independent judge's.
@Suite struct FuzzTests {
    static let payloadsPerSeed = 52_000

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `no payload traps, and malformed is what an independent judge calls malformed`(seed: UInt64) throws {
        var generator = PayloadGenerator(seed: seed, bases: JSONCorpus.bases)
        var decoder = SliceDecoder(maxMessageBytes: 1 << 20, maxFutureMilliseconds: 300_000)
        var readings = Array(repeating: Reading(), count: 512)
        var accepted = 0
        var malformed = 0
        var judged = 0
        while judged < Self.payloadsPerSeed {
            let payloads = (0..<512).map { _ in generator.payload() }
            let slice = Slice(payloads)
            let outcome = slice.decode(with: &decoder, into: &readings)
            try #require(outcome.acceptedCount + outcome.rejectedCount == payloads.count)
            var reasons = [RejectReason?](repeating: nil, count: payloads.count)
            for index in 0..<outcome.rejectedCount {
                let rejection = decoder.rejection(at: index)
                reasons[rejection.messageIndex] = rejection.reason
                try #require(decoder.withDetail(at: index) { $0.count <= 1024 && $0.allSatisfy { $0 < 0x7F } })
            }
            for (index, payload) in payloads.enumerated() {
                try #require(agrees(reasons[index], payload), "seed \(seed), payload \(payload)")
                malformed += reasons[index] == .malformedJSON ? 1 : 0
            }
            for reading in readings[..<outcome.acceptedCount] { try #require(isPossible(reading)) }
            accepted += outcome.acceptedCount
            judged += payloads.count
        }
        // A generator that makes only rubbish would prove little.
        #expect(accepted > judged / 20)
        #expect(malformed > judged / 4)
    }

    @Test(arguments: JSONCorpus.table)
    func `each payload of the corpus has its verdict`(text: String, code: String) {
        #expect(decode(text).code == code)
        #expect((JSONJudge.judge(Array(text.utf8)) == .malformed) == (code == "malformed_json"))
    }

    private func agrees(_ reason: RejectReason?, _ payload: [UInt8]) -> Bool {
        if payload.isEmpty { return reason == .emptyPayload }
        switch JSONJudge.judge(payload) {
        case .malformed: return reason == .malformedJSON
        case .other: return reason == .notAnObject
        case .object: return reason != .malformedJSON && reason != .notAnObject && reason != .emptyPayload
        }
    }

    /// Whatever was accepted keeps to the contract's limits.
    private func isPossible(_ reading: Reading) -> Bool {
        for index in 0..<Reading.numericCount {
            let value = reading.values[index]
            if reading.presence & (1 << UInt8(index)) == 0 {
                guard value.bitPattern == 0 else { return false }
            } else {
                guard Double(value) >= Limits.lowest[index], Double(value) <= Limits.highest[index] else {
                    return false
                }
            }
        }
        let consciousness = reading.categorical & Reading.consciousnessMask
        return reading.presence != 0 && reading.time > 0 && reading.time <= Limits.latestTimeMilliseconds
            && reading.categorical < 16 && consciousness <= 5
            && (consciousness != 0) == (reading.presence & Reading.consciousnessBit != 0)
    }
}
