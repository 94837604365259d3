import PatientFlow
import Testing
import VitalSigns

/// Good messages become events with every field, bad ones rejections with the contract's reason.
@Suite struct FlowDecoderTests {
    @Test func `an event keeps every field, and its place in the log`() throws {
        let text = message([
            "event": "\"transfer\"", "toSectorId": "\"ward \\u00e9\"", "acuity": "3",
            "patientId": "\"FFEEDDCC-BBAA-9988-7766-554433221100\"",
        ])
        let slice = decode(text)
        let expected = FlowEvent(
            eventID: EventID(high: 0x0011_2233_4455_6677, low: 0x8899_AABB_CCDD_EEFF), facility: "north",
            sector: "ed", visit: "v-1", patient: PatientID(high: 0xFFEE_DDCC_BBAA_9988, low: 0x7766_5544_3322_1100),
            kind: .transfer, toSector: "ward é", acuity: 3, occurredAt: instant, partition: 3, offset: 100)
        #expect(slice.accepted.map(\.event) == [expected])
        #expect(slice.rejected.isEmpty)
        #expect(slice.unknownFields == 0 && slice.keyMismatches == 0)
        #expect(expected.sectorAfter == "ward é")
    }

    @Test func `what may be absent is absent`() throws {
        let event = try #require(decode(message(["acuity": "null", "patientId": "null"])).accepted.first?.event)
        #expect(event.acuity == nil && event.patient == nil && event.toSector == nil)
        #expect(event.sectorAfter == "ed")
    }

    @Test(arguments: FlowKind.allCases)
    func `each of the seven names is its kind`(kind: FlowKind) {
        let changes = ["event": "\"\(kind.code)\"", "toSectorId": "\"ward\""]
        let event = decode(message(changes)).accepted.first?.event
        #expect(event?.kind == kind)
        #expect(event?.toSector == (kind == .transfer ? "ward" : nil))
    }

    /// What is changed of a good message, and the detail; the reason is the detail's first word.
    static let table: [([String: String?], String)] = [
        // Required fields, absent or null.
        (["eventId": nil], "missing_field: eventId"), (["facilityId": "null"], "missing_field: facilityId"),
        (["sectorId": nil], "missing_field: sectorId"), (["visitId": "null"], "missing_field: visitId"),
        (["event": nil], "missing_field: event"), (["timestamp": "null"], "missing_field: timestamp"),
        (["event": "\"transfer\""], "missing_field: toSectorId"),
        (["event": "\"transfer\"", "toSectorId": "null"], "missing_field: toSectorId"),
        // Wrong types.
        (["eventId": "\"one\""], "wrong_type: eventId"), (["eventId": "7"], "wrong_type: eventId"),
        (["facilityId": "\"\""], "wrong_type: facilityId"), (["facilityId": "[]"], "wrong_type: facilityId"),
        (["sectorId": "\"a\\u0000b\""], "wrong_type: sectorId"),
        (["visitId": "\"\(String(repeating: "é", count: 128))\""], "wrong_type: visitId"),
        (["visitId": "\"\\ud800\""], "wrong_type: visitId"),
        (["event": "1"], "wrong_type: event"), (["event": "{\"a\":[]}"], "wrong_type: event"),
        (["event": "\"transfer\"", "toSectorId": "\"\""], "wrong_type: toSectorId"),
        (["event": "\"transfer\"", "toSectorId": "4"], "wrong_type: toSectorId"),
        (["acuity": "\"3\""], "wrong_type: acuity"), (["acuity": "2.5"], "wrong_type: acuity"),
        (["acuity": "true"], "wrong_type: acuity"), (["patientId": "12"], "wrong_type: patientId"),
        (["timestamp": "\"1767225600000\""], "wrong_type: timestamp"), (["timestamp": "1.5"], "wrong_type: timestamp"),
        // An event that nobody knows.
        (["event": "\"discharge\""], "unknown_event: event"), (["event": "\"\""], "unknown_event: event"),
        (["event": "\"Arrival\""], "unknown_event: event"),
        (["event": "\"arrival\\u0000\""], "unknown_event: event"),
        // Values that cannot be.
        (["patientId": "\"12\""], "invalid_patient_id: patientId"),
        (["timestamp": "0"], "invalid_timestamp: timestamp"),
        (["timestamp": "253402300800000"], "invalid_timestamp: timestamp"),
        (["timestamp": "1e400"], "invalid_timestamp: timestamp"),
        (["timestamp": "1767225900001"], "timestamp_in_future: timestamp"),
        (["acuity": "0"], "out_of_range: acuity"), (["acuity": "6"], "out_of_range: acuity"),
        (["acuity": "-1"], "out_of_range: acuity"), (["acuity": "1e99"], "out_of_range: acuity"),
        // Of several the first in the contract's order is the reason; the detail names all of them.
        (
            ["visitId": nil, "event": "\"no\"", "patientId": "\"x\"", "acuity": "9", "timestamp": "-5"],
            "missing_field: visitId; unknown_event: event; invalid_patient_id: patientId; "
                + "invalid_timestamp: timestamp; out_of_range: acuity"
        ),
        (
            ["eventId": "1", "event": "\"transfer\"", "toSectorId": "[1]", "acuity": "[]"],
            "wrong_type: eventId, toSectorId, acuity"
        ),
        (["eventId": "1", "event": "\"no\""], "wrong_type: eventId; unknown_event: event"),
    ]

    @Test(arguments: table)
    func `each bad field has its reason, and the detail names it`(changes: [String: String?], detail: String) throws {
        let slice = decode(message(changes))
        let rejected = try #require(slice.rejected.first)
        #expect(rejected.detail == detail)
        #expect(rejected.reason.code == String(detail.prefix { $0 != ":" }))
        #expect(slice.accepted.isEmpty && slice.unknownFields == 0 && slice.keyMismatches == 0)
    }

    @Test(arguments: [
        ["acuity": "1"], ["acuity": "5"], ["acuity": "3.0"], ["acuity": "30e-1"], ["timestamp": "1767225900000"],
        ["timestamp": "1"], ["timestamp": "1.7672256e12"], ["facilityId": "\"\(String(repeating: "f", count: 255))\""],
        // Only a transfer has a destination: elsewhere it is ignored, whatever it holds.
        ["toSectorId": "\"\""], ["toSectorId": "5"], ["toSectorId": "\"ward\""],
    ])
    func `what the contract allows is accepted`(changes: [String: String?]) {
        #expect(verdict(message(changes)) == "accepted")
    }

    @Test(arguments: [
        ("", "0 bytes", "empty_payload"), (" ", "blank", "malformed_json"),
        ("[]", "array", "not_an_object"), ("{\"event\":", "ends too early, after 9 bytes", "malformed_json"),
        (message() + "}", "unexpected at byte 147", "malformed_json"),
        (message(["note": "[1,{\"a\":tru}]"]), "unexpected at byte 162", "malformed_json"),
        (message(["note": "\"\\x\""]), "unexpected at byte 154", "malformed_json"),
    ])
    func `what is no JSON object has the reasons of the vital signs`(text: String, detail: String, code: String) {
        let rejected = decode(text).rejected.first
        #expect(rejected?.detail == detail)
        #expect(rejected?.reason.code == code)
    }

    @Test func `a tombstone is empty, a byte too many is oversize`() {
        #expect(decode([nil]).rejected.first?.detail == "tombstone")
        #expect(decode([nil]).rejected.first?.reason == .emptyPayload)
        let bytes = Array(message().utf8)
        #expect(decode([bytes], maxMessageBytes: bytes.count).accepted.count == 1)
        let refused = decode([bytes], maxMessageBytes: bytes.count - 1).rejected.first
        #expect(refused?.reason == .oversize)
        #expect(refused?.detail == "\(bytes.count) bytes, at most \(bytes.count - 1)")
    }

    @Test func `bytes that are no UTF-8 are malformed`() {
        var bytes = Array(message().utf8)
        bytes[bytes.firstIndex(of: UInt8(ascii: "h")) ?? 0] = 0xC0
        #expect(decode([bytes]).rejected.first?.detail == "not UTF-8")
    }

    @Test func `the future is the broker's, and can be switched off`() {
        let text = message()
        #expect(verdict(text, brokerTime: instant - 300_000) == "accepted")
        #expect(verdict(text, brokerTime: instant - 300_001) == "timestamp_in_future: timestamp")
        #expect(verdict(text, brokerTime: -1) == "accepted")
        let slice = decode([Array(text.utf8)], brokerTime: 1, maxFutureMilliseconds: nil)
        #expect(slice.accepted.count == 1)
    }

    @Test func `of a field given twice the last counts, also when the first was bad`() throws {
        let twice = message(["note": "1"]).dropLast() + ",\"acuity\":9,\"event\":5,\"acuity\":2,\"event\":\"triage\"}"
        let event = try #require(decode(String(twice)).accepted.first?.event)
        #expect(event.kind == .triage && event.acuity == 2)
        let taken = message().dropLast() + ",\"visitId\":null}"
        #expect(verdict(String(taken)) == "missing_field: visitId")
        let escaped = message().replacing("visitId", with: "visit\\u0049d")
        #expect(decode(escaped).accepted.first?.event.visit == "v-1")
    }

    @Test func `unknown fields and foreign keys are counted, once a message that is accepted`() {
        let payloads = [
            message(["a": "1", "b": "{\"eventId\":2}"]), message(["event": "\"no\"", "c": "1"]), message(),
        ].map { Array($0.utf8) }
        let slice = decode(payloads, key: "south")
        #expect(slice.unknownFields == 2 && slice.keyMismatches == 2)
        #expect(slice.accepted.map(\.messageIndex) == [0, 2] && slice.rejected.map(\.messageIndex) == [1])
        #expect(slice.accepted.map(\.event.offset) == [100, 102])
        #expect(decode(message(), key: nil).keyMismatches == 1)
        #expect(decode(message(), key: "north ").keyMismatches == 1)
        #expect(decode(message(["facilityId": "\"n\\u006frth\""])).keyMismatches == 0)
    }

    @Test func `names that look alike are two names`() {
        let one = decode(message(["visitId": "\"\u{e9}\""])).accepted.first?.event
        let two = decode(message(["visitId": "\"e\u{301}\""])).accepted.first?.event
        #expect(one?.visit.text == two?.visit.text)
        #expect(one?.visit != two?.visit && one?.visitID != two?.visitID)
        #expect(Set([one?.visitID, two?.visitID]).count == 2)
        #expect(FlowName("a") < "b" && FlowName("ab") > "a" && FlowName("Z") < "a" && FlowName("e\u{301}") < "\u{e9}")
    }

    @Test func `no detail holds a value`() {
        let secret = "SECRET"
        for name in arrivalMembers.map(\.name) + ["patientId", "acuity", "toSectorId"] {
            var changes = ["event": "\"transfer\"", "toSectorId": "\"ward\""]
            changes[name] = "[\"\(secret)\"]"
            let detail = verdict(message(changes))
            #expect(detail != "accepted" && !detail.contains(secret))
        }
    }
}
