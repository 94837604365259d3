import Simulation
import Testing

@Suite struct VitalsGeneratorTests {
    @Test func `the same seed gives the same bytes, another seed another hospital`() throws {
        let first = generated(5_000, try .forTest(seed: 11, shares: .rich))
        let again = generated(5_000, try .forTest(seed: 11, shares: .rich))
        let other = generated(5_000, try .forTest(seed: 12, shares: .rich))
        #expect(first == again)
        #expect(Set(first.map(\.key)).isDisjoint(with: other.map(\.key)))
    }

    @Test(arguments: [
        (seed: 1, patients: 1), (seed: 2, patients: 2), (seed: 3, patients: 3), (seed: 4, patients: 40),
        (seed: 5, patients: 500),
    ])
    func `every prediction equals the naive fold of the messages in order`(seed: UInt64, patients: Int) throws {
        var ledger = NaiveLedger()
        var counts = MessageCounts()
        generate(8_000, try .forTest(seed: seed, patients: patients, shares: .rich)) { streamed in
            let (ledgerClass, reason) = ledger.apply(streamed.payload, brokerTime: streamClock)
            if streamed.message.ledgerClass != ledgerClass || streamed.message.reason != reason {
                let told = String(decoding: streamed.payload.prefix(400), as: UTF8.self)
                Issue.record("seed \(seed): \(streamed.message) but \(ledgerClass): \(told)")
            }
            counts.add(streamed.message, bytes: streamed.payload.count)
        }
        for ledgerClass in LedgerClass.allCases {
            #expect(counts.ledger(ledgerClass) == ledger.classes[ledgerClass, default: 0])
        }
        for reason in RejectionReason.allCases {
            #expect(counts.deadLetters(reason) == ledger.reasons[reason, default: 0])
        }
        #expect(counts.total == 8_000)
        #expect(counts.ledger(.inserted) == ledger.rows.count)
        #expect(counts.ledger(.stale) == 0)
    }

    @Test func `the counts do not depend on how partitions are interleaved`() throws {
        // One after the other instead of side by side: only the order within a key is the same.
        var ledger = NaiveLedger()
        var counts = MessageCounts()
        let messages = generated(10_000, try .forTest(seed: 6, shares: .rich))
        for partition in [2, 0, 3, 1] {
            for streamed in messages where Int(streamed.key[0]) % 4 == partition {
                _ = ledger.apply(streamed.payload, brokerTime: streamClock)
                counts.add(streamed.message, bytes: streamed.payload.count)
            }
        }
        for ledgerClass in LedgerClass.allCases {
            #expect(counts.ledger(ledgerClass) == ledger.classes[ledgerClass, default: 0])
        }
    }

    @Test func `the shares are kept`() throws {
        var counts = MessageCounts()
        generate(50_000, try .forTest(seed: 7, patients: 200, shares: .rich)) {
            counts.add($0.message, bytes: $0.payload.count)
        }
        // Wide enough for the first messages, which have nothing to repeat, and for chance.
        #expect((3_700...4_200).contains(counts.sent(.late)))
        #expect((7_200...7_800).contains(counts.sent(.duplicate)))
        #expect((4_700...5_200).contains(counts.sent(.merge)))
        #expect((5_700...6_300).contains(counts.sent(.correction)))
        #expect((850...1_150).contains(counts.sent(.future)))
        #expect((2_800...3_200).contains(counts.sent(.malformed)))
    }

    @Test func `a producer without shares sends new readings only`() throws {
        var ledger = NaiveLedger()
        generate(3_000, try .forTest(seed: 8)) { streamed in
            #expect(streamed.message.kind == .reading)
            _ = ledger.apply(streamed.payload, brokerTime: streamClock)
        }
        #expect(ledger.rows.count == 3_000)
    }

    // One patient has no late readings: there is nobody to be read in between.
    @Test(arguments: [
        (patients: 1, lateAtLeast: 0), (patients: 2, lateAtLeast: 500), (patients: 5, lateAtLeast: 1_000),
    ])
    func `new readings of a patient go forward, late ones back, and none is ahead of its message`(
        patients: Int, lateAtLeast: Int
    ) throws {
        var newest: [[UInt8]: Int64] = [:]
        var generator = VitalsGenerator(try .forTest(seed: 9, patients: patients, slotMilliseconds: 3, shares: .rich))
        var lateCount = 0
        var wrong: [GeneratedMessage] = []
        for _ in 0..<20_000 {
            let clock = generator.nextEventTime
            let message = generator.next(wallClockMilliseconds: streamClock)
            let key = generator.withMessage { key, _ in Array(key) }
            let last = newest[key, default: 0]
            if message.eventTime > clock { wrong.append(message) }
            if message.kind == .reading {
                if message.eventTime <= last { wrong.append(message) }
                newest[key] = message.eventTime
            } else if message.kind == .late {
                if message.eventTime >= last { wrong.append(message) }
                lateCount += 1
            }
        }
        #expect(wrong.isEmpty)
        #expect(lateCount >= lateAtLeast)
    }

    @Test func `a future reading lies more than a day ahead of the wall clock it is sent at`() throws {
        var ledger = NaiveLedger()
        var shares = MessageShares()
        shares.future = MessageShares.whole
        for clock in [streamStart, streamClock] {
            for streamed in generated(200, try .forTest(shares: shares), wallClock: clock) {
                let (_, reason) = ledger.apply(streamed.payload, brokerTime: clock + 86_400_000 - 300_001)
                #expect(reason == .timestampInFuture)
            }
        }
    }

    @Test func `an oversize message is a good one of exactly the chosen length`() throws {
        var ledger = NaiveLedger()
        var shares = MessageShares()
        shares.oversize = MessageShares.whole
        for streamed in generated(20, try .forTest(shares: shares, oversizeBytes: 20_001)) {
            #expect(streamed.payload.count == 20_001)
            #expect(streamed.message.ledgerClass == .rejected && streamed.message.reason == .oversize)
            let (_, strict) = ledger.apply(streamed.payload, brokerTime: streamClock, longest: 20_000)
            #expect(strict == .oversize)
            let (_, generous) = ledger.apply(streamed.payload, brokerTime: streamClock, longest: 20_001)
            #expect(generous == nil)
        }
    }

    @Test func `every reason but the length and the future is among the malformed`() throws {
        var shares = MessageShares()
        shares.malformed = MessageShares.whole
        let reasons = Set(generated(1_000, try .forTest(shares: shares)).compactMap(\.message.reason))
        #expect(reasons == Set(RejectionReason.allCases).subtracting([.oversize, .timestampInFuture]))
    }

    @Test func `the opaque field has the chosen length`() throws {
        let plain = generated(10, try .forTest())
        let padded = generated(10, try .forTest(largeDataBytes: 500))
        #expect(zip(plain, padded).allSatisfy { $0.payload.count + 500 == $1.payload.count })
    }
}
