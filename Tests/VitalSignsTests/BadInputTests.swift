import Testing
import VitalSigns

/// Every kind of bad input becomes a dead letter with the right reason, and the rest of its slice is accepted.
@Suite struct BadInputTests {
    /// Payload, expected code, expected detail.
    static let table: [(String, String, String)] = [
        // Truncated, blank, and more or less than one JSON text.
        (String(vitals("\"heartRate\":60").dropLast()), "malformed_json", "ends too early, after 92 bytes"),
        (String(vitals("\"heartRate\":60,\"deviceId\":\"x\"").dropLast(2)), "malformed_json", "a string is not closed"),
        ("   \n", "malformed_json", "blank"),
        (vitals("\"heartRate\":60") + "}", "malformed_json", "unexpected at byte 93"),
        (vitals("\"heartRate\":60") + "{}", "malformed_json", "unexpected at byte 93"),
        (vitals("\"heartRate\":60,"), "malformed_json", "unexpected at byte 93"),
        ("{\"a\":[1,2}", "malformed_json", "unexpected at byte 9"),
        ("[", "malformed_json", "ends too early, after 1 bytes"),
        ("[1,2", "malformed_json", "ends too early, after 4 bytes"),
        ("patient", "malformed_json", "unexpected at byte 0"),
        // JSON, but not an object.
        ("[\(vitals("\"heartRate\":60"))]", "not_an_object", "array"),
        ("null", "not_an_object", "null"),
        (" 5 ", "not_an_object", "number"),
        ("\"text\"", "not_an_object", "string"),
        ("true", "not_an_object", "boolean"),
        // What some writers take for JSON.
        (vitals("\"heartRate\":NaN"), "malformed_json", "unexpected at byte 90"),
        (vitals("\"heartRate\":Infinity"), "malformed_json", "unexpected at byte 90"),
        (vitals("'heartRate':60"), "malformed_json", "unexpected at byte 78"),
        (vitals("\"heartRate\":060"), "malformed_json", "unexpected at byte 90"),
        (vitals("\"heartRate\":60,\"x\":.5"), "malformed_json", "unexpected at byte 97"),
        // Numbers beyond a double.
        (vitals("\"heartRate\":1e400"), "out_of_range", "out_of_range: heartRate"),
        (vitals("\"heartRate\":-1e400"), "out_of_range", "out_of_range: heartRate"),
        (
            "{\"patientId\":\"\(patient)\",\"timestamp\":1e400,\"heartRate\":60}", "invalid_timestamp",
            "invalid_timestamp: timestamp"
        ),
        // Wrong types.
        (vitals("\"heartRate\":\"60\""), "wrong_type", "wrong_type: heartRate"),
        (vitals("\"heartRate\":true"), "wrong_type", "wrong_type: heartRate"),
        (vitals("\"heartRate\":[60]"), "wrong_type", "wrong_type: heartRate"),
        (vitals("\"heartRate\":{\"value\":60}"), "wrong_type", "wrong_type: heartRate"),
        (vitals("\"consciousness\":1"), "wrong_type", "wrong_type: consciousness"),
        (vitals("\"supplementalOxygen\":1"), "wrong_type", "wrong_type: supplementalOxygen"),
        (vitals("\"supplementalOxygen\":\"true\""), "wrong_type", "wrong_type: supplementalOxygen"),
        (vitals("\"heartRate\":60,\"large_data\":5"), "wrong_type", "wrong_type: large_data"),
        (vitals("\"heartRate\":60,\"deviceId\":7"), "wrong_type", "wrong_type: deviceId"),
        (vitals("\"heartRate\":60,\"deviceId\":\"a\\u0000b\""), "wrong_type", "wrong_type: deviceId"),
        (vitals("\"heartRate\":60,\"sectorId\":\"\\ud800\""), "wrong_type", "wrong_type: sectorId"),
        (
            vitals("\"heartRate\":60,\"facilityId\":\"\(String(repeating: "é", count: 128))\""), "wrong_type",
            "wrong_type: facilityId"
        ),
        // Required fields.
        ("{}", "missing_field", "missing_field: patientId, timestamp; no_vital_sign"),
        ("{\"heartRate\":60,\"timestamp\":1}", "missing_field", "missing_field: patientId"),
        ("{\"heartRate\":60,\"patientId\":null,\"timestamp\":1}", "missing_field", "missing_field: patientId"),
        (vitals("\"deviceId\":\"d\""), "no_vital_sign", "no_vital_sign"),
        (vitals("\"heartRate\":null"), "no_vital_sign", "no_vital_sign"),
        (vitals("\"consciousness\":\"a\""), "out_of_range", "out_of_range: consciousness"),
        (vitals("\"consciousness\":\"\""), "out_of_range", "out_of_range: consciousness"),
        (
            vitals("\"systolicPressure\":80,\"diastolicPressure\":80"), "pressure_inverted",
            "pressure_inverted: systolicPressure, diastolicPressure"
        ),
    ]

    @Test(arguments: table)
    func `each bad message has its reason and a detail that names what is bad`(
        payload: String, code: String, detail: String
    ) {
        let verdict = decode(payload)
        #expect(verdict.code == code)
        #expect(verdict.detail == detail)
        #expect(verdict.outcome.rejectedCount == 1)
    }

    @Test(arguments: [
        "", "e7ae8b434c7050b58b2213dffb4a9f91", "e7ae8b43-4c70-50b5-8b22-13dffb4a9f9",
        "e7ae8b43-4c70-50b5-8b22-13dffb4a9f911", "{e7ae8b43-4c70-50b5-8b22-13dffb4a9f91}",
        "g7ae8b43-4c70-50b5-8b22-13dffb4a9f91", "e7ae8b43_4c70-50b5-8b22-13dffb4a9f91",
        "e7ae8b43-4c70-50b5-8b22-13dffb4a9f9/", "e7ae8b43-4c70-50b5-8b22-13dffb4a9f9:",
        "e7ae8b43-4c70-50b5-8b22-13dffb4a9f9@", "e7ae8b43-4c70-50b5-8b22-13dffb4a9f9`",
        "e7ae8b43-4c70-50b5-8b22-13dffb4a9fé", "e7ae8b4-34c70-50b5-8b22-13dffb4a9f91", "12345",
        "e7ae8b43-4c70-50b5-8b22-13dffb4a9f9 ", "e7ae8b43-4c70-50b5-8b22-13dffb4a9f\\u0000",
    ])
    func `a patient's id that is no UUID is refused`(id: String) {
        let verdict = decode("{\"patientId\":\"\(id)\",\"timestamp\":1,\"heartRate\":60}")
        #expect(verdict.detail == "invalid_patient_id: patientId")
    }

    @Test(arguments: [
        ("0", "invalid_timestamp"), ("-1", "invalid_timestamp"), ("1", "accepted"), ("1e-400", "wrong_type"),
        ("0.5", "wrong_type"), ("1767225600000.5", "wrong_type"), ("1767225600000.0000000000000000001", "wrong_type"),
        ("\"1767225600000\"", "wrong_type"), ("true", "wrong_type"), ("null", "missing_field"),
        ("253402300799999", "accepted"), ("253402300800000", "invalid_timestamp"),
        ("9223372036854775807", "invalid_timestamp"), ("9223372036854775808", "invalid_timestamp"),
        ("18446744073709551617", "invalid_timestamp"), ("-9223372036854775809", "invalid_timestamp"),
        ("1e99999999999999999999", "invalid_timestamp"), ("1e-99999999999999999999", "wrong_type"),
        ("0e99999999999999999999", "invalid_timestamp"), ("-0", "invalid_timestamp"),
    ])
    func `an instant is an integer after 1970 and before the year 10000`(text: String, code: String) {
        let payload = "{\"patientId\":\"\(patient)\",\"timestamp\":\(text),\"heartRate\":60}"
        #expect(decode(payload, brokerTime: -1).code == code)
    }

    @Test func `the future begins five minutes after the broker's timestamp`() {
        let payload = vitals("\"heartRate\":60")
        #expect(decode(payload, brokerTime: instant - 300_000).code == "accepted")
        #expect(decode(payload, brokerTime: instant - 300_001).code == "timestamp_in_future")
        #expect(decode(payload, brokerTime: instant - 300_001).detail == "timestamp_in_future: timestamp")
        // A message without a broker's timestamp, and the check switched off.
        #expect(decode(payload, brokerTime: -1).code == "accepted")
        let off = decode(Array(payload.utf8), brokerTime: 0, maxFutureMilliseconds: nil)
        #expect(off.code == "accepted")
        #expect(decode(Array(payload.utf8), brokerTime: instant - 1, maxFutureMilliseconds: 0).reason != nil)
    }

    @Test func `no payload, no bytes and too many bytes`() {
        #expect(decode(nil as [UInt8]?).code == "empty_payload")
        #expect(decode(nil as [UInt8]?).detail == "tombstone")
        #expect(decode([] as [UInt8]).detail == "0 bytes")
        let payload = vitals("\"heartRate\":60")
        #expect(decode(payload, maxMessageBytes: payload.utf8.count).code == "accepted")
        let oversize = decode(payload, maxMessageBytes: payload.utf8.count - 1)
        #expect(oversize.code == "oversize")
        #expect(oversize.detail == "93 bytes, at most 92")
    }

    @Test func `bytes that are not UTF-8 are malformed wherever they stand`() {
        let cases: [[UInt8]] = [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80],
        ]
        for bytes in cases {
            for (before, after) in [("\"large_data\":\"", "\",\"heartRate\":60"), ("\"heartRate\":60,\"", "\":1")] {
                let parts = vitals(before + "|" + after).split(separator: "|")
                let verdict = decode(Array(parts[0].utf8) + bytes + Array(parts[1].utf8))
                #expect(verdict.detail == "not UTF-8")
            }
        }
    }

    @Test func `UTF-16, a byte order mark and binary are malformed`() {
        let text = vitals("\"heartRate\":60")
        let littleEndian = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let bigEndian = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        let payloads: [[UInt8]] = [
            littleEndian, bigEndian, [0xFF, 0xFE] + littleEndian, [0xFE, 0xFF] + bigEndian,
            [0xEF, 0xBB, 0xBF] + Array(text.utf8), Array(0...255), Array(repeating: 0, count: 100),
        ]
        for payload in payloads {
            #expect(decode(payload).code == "malformed_json")
        }
    }

    @Test func `1,024 levels are allowed, one more is not, and a million end nothing`() {
        for (open, close, inner) in [("[", "]", ""), ("{\"a\":", "}", "0")] {
            let nested = { (levels: Int) in
                let opened = String(repeating: open, count: levels) + inner
                return vitals("\"heartRate\":60,\"x\":" + opened + String(repeating: close, count: levels))
            }
            #expect(decode(nested(1023)).code == "accepted")
            #expect(decode(nested(1024)).detail == "nested deeper than 1024 levels")
            #expect(decode(nested(1_000_000)).detail == "nested deeper than 1024 levels")
            #expect(decode(String(repeating: open, count: 1_000_000)).code == "malformed_json")
        }
    }

    @Test func `ten megabytes are oversize by default and judged when allowed`() {
        let padding = String(repeating: "x", count: 10_000_000)
        let payload = vitals("\"large_data\":\"\(padding)\",\"heartRate\":60")
        #expect(decode(payload).code == "oversize")
        #expect(decode(payload, maxMessageBytes: 1 << 30).code == "accepted")
        #expect(decode(String(repeating: "9", count: 10_000_000), maxMessageBytes: 1 << 30).code == "not_an_object")
        let digits = vitals("\"heartRate\":" + String(repeating: "9", count: 10_000_000))
        #expect(decode(digits, maxMessageBytes: 1 << 30).code == "out_of_range")
    }

    @Test func `a text longer than 255 bytes is refused, however it is written`() {
        for (character, most) in [("x", 255), ("\\u0078", 255), ("\\u00e9", 127), ("\\ud83d\\ude00", 63)] {
            let text = { (count: Int) in
                vitals("\"heartRate\":60,\"sectorId\":\"\(String(repeating: character, count: count))\"")
            }
            #expect(decode(text(most)).code == "accepted")
            #expect(decode(text(most + 1)).detail == "wrong_type: sectorId")
            #expect(decode(text(100_000)).detail == "wrong_type: sectorId")
        }
    }

    @Test func `of several reasons the first in the contract's order counts, and the detail names every bad field`() {
        let verdict = decode(
            """
            {"patientId":7,"timestamp":-5,"heartRate":"x","temperature":98.6,"oxygenSaturation":101,\
            "respiratoryRate":-1,"systolicPressure":60,"diastolicPressure":90,"consciousness":"Z","deviceId":{}}
            """)
        #expect(verdict.reason == .wrongType)
        #expect(
            verdict.detail == """
                wrong_type: heartRate, patientId, deviceId; invalid_timestamp: timestamp; \
                temperature_fahrenheit_suspected: temperature; \
                out_of_range: oxygenSaturation, respiratoryRate, consciousness; \
                pressure_inverted: systolicPressure, diastolicPressure
                """)
        let worst = decode(vitals("\"heartRate\":\"x\",\"a\":[}"))
        #expect(worst.reason == .malformedJSON)
    }

    @Test func `a detail never repeats a value or an unknown name of the payload`() {
        let secret = "Tremblay"
        let payloads = [
            "{\"patientId\":\"\(secret)\",\"timestamp\":\"\(secret)\",\"heartRate\":\"\(secret)\",\"\(secret)\":1}",
            vitals("\"consciousness\":\"\(secret)\",\"deviceId\":[\"\(secret)\"]"), "{\"\(secret)\":\(secret)}", secret,
            "\"\(secret)\"", "{\"\(secret)\"",
        ]
        for payload in payloads {
            let verdict = decode(payload)
            #expect(verdict.reason != nil)
            #expect(!verdict.detail.contains(secret))
        }
    }

    @Test func `the longest detail fits`() {
        let all = """
            {"patientId":1,"timestamp":"","heartRate":"","temperature":"","oxygenSaturation":"","respiratoryRate":"",\
            "systolicPressure":"","diastolicPressure":"","consciousness":0,"supplementalOxygen":0,"facilityId":0,\
            "sectorId":0,"deviceId":0,"large_data":0}
            """
        let detail = decode(all).detail
        #expect(detail.hasPrefix("wrong_type: heartRate, temperature") && detail.hasSuffix("deviceId, large_data"))
    }

    @Test func `the codes are the contract's, in its order`() {
        #expect(
            RejectReason.allCases.map(\.code) == [
                "empty_payload", "oversize", "malformed_json", "not_an_object", "missing_field", "wrong_type",
                "unknown_event", "invalid_patient_id", "invalid_timestamp", "timestamp_in_future",
                "temperature_fahrenheit_suspected", "out_of_range", "pressure_inverted", "no_vital_sign",
            ])
    }

    @Test func `bad messages between good ones cost the good ones nothing`() {
        let good = Array(vitals("\"heartRate\":60").utf8)
        let payloads = Self.table.flatMap { [good, Array($0.0.utf8)] } + [good]
        let slice = Slice(payloads)
        var decoder = SliceDecoder(maxMessageBytes: 1 << 20, maxFutureMilliseconds: nil)
        var readings: [Reading] = []
        let outcome = slice.decode(with: &decoder, into: &readings)
        #expect(outcome.acceptedCount == Self.table.count + 1)
        #expect(outcome.rejectedCount == Self.table.count)
        for index in 0..<outcome.rejectedCount {
            #expect(decoder.rejection(at: index).messageIndex == 2 * index + 1)
            #expect(decoder.rejection(at: index).reason.code == Self.table[index].1)
            #expect(detail(decoder, index) == Self.table[index].2)
        }
    }
}
