import Simulation
import Testing

@Suite struct ReplayKeyTests {
    @Test(arguments: [
        // As existing producers write it, compact, and last.
        (line: #"{"patientId": "a-1", "heartRate": 83.0}"#, key: "a-1"),
        (line: #"{"patientId":"a-1"}"#, key: "a-1"),
        (line: #"  {"heartRate":80,"patientId" : "a-1" }  "#, key: "a-1"),
        // The name as a value, or deeper down, is not the field.
        (line: #"{"note":"patientId","patientId":"a-2"}"#, key: "a-2"),
        (line: #"{"inner":{"patientId":"no"},"list":["patientId"],"patientId":"a-3"}"#, key: "a-3"),
        (line: #"{"note":"a \"patientId\": \"no\"","patientId":"a-4"}"#, key: "a-4"),
        (line: #"{"patientId":""}"#, key: ""),
    ])
    func `the field's value is the key`(line: String, key: String) {
        #expect(found(line) == key)
    }

    @Test(arguments: [
        "", "   ", "not json", "null", #"["patientId","a"]"#, #"{"heartRate":80}"#, #"{"patientId":7}"#,
        // Cut in the middle: not JSON, so no key.
        #"{"patientId":"a-1","heartRate":8"#, #"{"patientId":"a-1"#, #"{"patientId""#, "{", "}",
        // An escape would need decoding, and no identifier has one.
        #"{"patientId":"a\u002d1"}"#, #"{"patientId":"a\"}"#,
    ])
    func `a line without a usable field has no key`(line: String) {
        #expect(found(line) == nil)
    }

    @Test(arguments: [
        (line: #"{"facilityId":"f-1","timestamp":1736121600000}"#, time: 1_736_121_600_000 as Int64?),
        (line: #"{"timestamp" : 17 , "facilityId":"f-1"}"#, time: 17),
        (line: #"{"inner":{"timestamp":3},"timestamp":-4}"#, time: -4),
        (line: #"{"facilityId":"f-1","timestamp":"17"}"#, time: nil),
        (line: #"{"facilityId":"f-1","timestamp":1.5}"#, time: nil),
        (line: #"{"facilityId":"f-1","timestamp":99999999999999999999}"#, time: nil),
        (line: #"{"facilityId":"f-1"}"#, time: nil),
    ])
    func `another field may be the key, and the timestamp is read`(line: String, time: Int64?) {
        Array(line.utf8).withUnsafeBytes { bytes in
            let key = ReplayKey.range(in: bytes, field: "facilityId").map { String(decoding: bytes[$0], as: UTF8.self) }
            #expect(key == (line.contains("f-1") ? "f-1" : nil))
            #expect(ReplayKey.timestamp(in: bytes) == time)
        }
    }

    @Test func `no bytes whatever make it read beyond the line`() {
        var random = SeededRandom(seed: 99)
        let seeds = Array(#"{"inner":{"x":[1,"\"]},"patientId":"a-1","y":"\\"}"#.utf8)
        for _ in 0..<20_000 {
            var bytes = Array(seeds.prefix(random.below(seeds.count + 1)))
            for _ in 0..<random.below(4) where !bytes.isEmpty {
                bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            bytes.withUnsafeBytes { line in
                if let range = ReplayKey.range(in: line), range.upperBound > line.count {
                    Issue.record("\(bytes)")
                }
                _ = ReplayKey.timestamp(in: line)
            }
        }
    }

    private func found(_ line: String) -> String? {
        Array(line.utf8).withUnsafeBytes { bytes in
            ReplayKey.range(in: bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
        }
    }
}
