import Kafka
import Postgres
import Service
import Testing

/// Whatever arrives, the service goes on: a dead letter with the right reason, or a row, and the rest of the batch.
@Suite(.serialized, .ownThread, .databaseServer) struct BadInputTests {
    private static let now = WallClock.nowMilliseconds() / 1_000 * 1_000 - 60_000

    /// A sound message's beginning, up to and with the timestamp.
    private static let start = "{\"patientId\":\"\(Patients.id(900))\",\"timestamp\":\(now)"
    private static let sound = start + ",\"heartRate\":77,\"large_data\":\"\(Patients.marker)\"}"

    /// Every kind of issue 6's "Bad input", and CONTRACT's other reasons.
    private static let bad: [(name: String, reason: String, payload: [UInt8]?)] = [
        ("truncated", "malformed_json", Array(sound.utf8.dropLast(20))),
        ("invalid UTF-8", "malformed_json", bytes(start + ",\"heartRate\":77,\"x\":\"") + [0xFF] + bytes("\"}")),
        ("deeply nested", "malformed_json", bytes(start + ",\"heartRate\":77,\"x\":" + nested(100_000) + "}")),
        ("empty", "empty_payload", []),
        ("a tombstone", "empty_payload", nil),
        ("a number as a string", "wrong_type", bytes(start + ",\"heartRate\":\"77\"}")),
        ("a timestamp as a string", "wrong_type", at("\"\(now)\"")),
        ("NaN", "malformed_json", bytes(start + ",\"heartRate\":NaN}")),
        ("1e400 as a vital sign", "out_of_range", bytes(start + ",\"heartRate\":1e400}")),
        ("1e400 as a timestamp", "invalid_timestamp", at("1e400")),
        (
            "UTF-16 with a mark", "malformed_json",
            [0xFF, 0xFE] + sound.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        ),
        ("UTF-16 without one", "malformed_json", sound.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }),
        ("a JSON array", "not_an_object", bytes("[\(sound)]")),
        ("an unclosed array", "malformed_json", bytes("[\(sound)")),
        ("null as text", "not_an_object", bytes("null")),
        ("binary", "malformed_json", (0..<4_096).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }),
        ("two objects", "malformed_json", bytes(sound + sound)),
        ("blanks", "malformed_json", bytes(" \n ")),
        ("no patient", "missing_field", bytes("{\"timestamp\":\(now),\"heartRate\":77}")),
        (
            "no UUID", "invalid_patient_id",
            bytes("{\"patientId\":\"\(Patients.mark)\",\"timestamp\":\(now),\"heartRate\":77}")
        ),
        ("time 0", "invalid_timestamp", at("0")),
        ("tomorrow", "timestamp_in_future", at("\(now + 86_400_000)")),
        ("Fahrenheit", "temperature_fahrenheit_suspected", bytes(start + ",\"temperature\":98.6}")),
        ("out of range", "out_of_range", bytes(start + ",\"heartRate\":300.5}")),
        (
            "pressures swapped", "pressure_inverted",
            bytes(start + ",\"systolicPressure\":80,\"diastolicPressure\":120}")
        ),
        ("no vital sign", "no_vital_sign", bytes(start + "}")),
    ]

    /// What looks bad and is not.
    private static let strange: [SentMessage] = {
        var messages: [SentMessage] = []
        var doubled = SentReading(1, now, ["heartRate": 77])
        doubled.extra = "\"heartRate\":77"
        messages.append(SentMessage(doubled))
        var wrongKey = SentMessage(SentReading(2, now, ["heartRate": 77]))
        wrongKey.key = Array(Patients.id(3).utf8)
        messages.append(wrongKey)
        var noKey = SentMessage(SentReading(4, now, ["heartRate": 77]))
        noKey.key = nil
        messages.append(noKey)
        var unknown = SentReading(5, now, ["heartRate": 77])
        unknown.extra = "\"x\":{\"y\":[1e400,null,\(nested(100))]}"
        messages.append(SentMessage(unknown))
        var null = SentReading(6, now, ["heartRate": 77])
        null.extra = "\"temperature\":null,\"consciousness\":null"
        messages.append(SentMessage(null))
        return messages
    }()

    /// A sound message but for the timestamp, which is this text.
    private static func at(_ timestamp: String) -> [UInt8] {
        bytes("{\"patientId\":\"\(Patients.id(900))\",\"timestamp\":\(timestamp),\"heartRate\":77}")
    }
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
    private static func nested(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }

    @Test func `every kind of bad message is a dead letter and the rest of the batch is stored`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 1)
            var sent: [SentMessage] = []
            for (number, bad) in Self.bad.enumerated() {
                sent.append(SentMessage(SentReading(100 + number, Self.now, ["heartRate": 60])))
                sent.append(SentMessage(bad: bad.reason, bad.payload))
            }
            sent += Self.strange
            sent.append(SentMessage(SentReading(99, Self.now, ["heartRate": 60])))
            try log.send(sent)
            let service = try laboratory.serve(log)
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)

            var connection = try laboratory.connect()
            for (number, bad) in Self.bad.enumerated() {
                let found = try connection.texts(
                    "SELECT reason, encode(payload, 'hex'), detail, headers::text FROM bronze.dead_letter "
                        + "WHERE \"offset\" = \(2 * number + 1)")
                try #require(found.count == 1, "\(bad.name)")
                #expect(found[0][0] == bad.reason, "\(bad.name)")
                #expect(found[0][1] == bad.payload.map(Self.hex), "\(bad.name): the payload")
                let detail = found[0][2] ?? ""
                #expect(!detail.contains(Patients.mark) && !detail.contains("77"), "\(bad.name): detail \(detail)")
                #expect(found[0][3] == nil, "\(bad.name): it had no headers")
            }
            // The service goes on, with what came after.
            try log.send([SentReading(98, Self.now, ["heartRate": 61])])
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            try service.awaitReady()
            try service.stop()
        }
    }

    @Test func `detail names every bad field and no value`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 1)
            try log.send([
                SentMessage(
                    bad: "wrong_type",
                    Self.start + ",\"heartRate\":\"4711\",\"temperature\":4712,\"consciousness\":4713}")
            ])
            let service = try laboratory.serve(log)
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            var connection = try laboratory.connect()
            let detail = try #require(try connection.texts("SELECT detail FROM bronze.dead_letter").first?[0])
            for field in ["heartRate", "temperature", "consciousness"] { #expect(detail.contains(field), "\(detail)") }
            #expect(!detail.contains("471"), "\(detail)")
            try service.stop()
        }
    }

    @Test func `headers are kept in their order with null and binary values`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 1)
            let headers = [
                MessageHeader(name: "source", value: Array("ward \"3\"\n\u{1}ä".utf8)),
                MessageHeader(name: "binary", value: [0x00, 0xFF, 0x10]),
                MessageHeader(name: "null", value: nil),
                MessageHeader(name: "empty", value: []),
                MessageHeader(name: "source", value: Array("again".utf8)),
            ]
            try log.send([SentMessage(bad: "malformed_json", Array("{".utf8), headers: headers)])
            let service = try laboratory.serve(log)
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            var connection = try laboratory.connect()
            let found = try connection.texts(
                """
                SELECT headers = jsonb_build_array(jsonb_build_array('source', E'ward "3"\\n\\u0001ä'),
                    jsonb_build_array('binary', '{"base64": "AP8Q"}'::jsonb), jsonb_build_array('null', NULL),
                    jsonb_build_array('empty', ''), jsonb_build_array('source', 'again')), headers::text
                FROM bronze.dead_letter
                """)
            #expect(found.first?[0] == "t", "\(found)")
            try service.stop()
        }
    }

    /// The mock broker keeps 5 MiB a partition, but always the last message: the giants lie alone.
    @Test func `a message of 10 MB is oversize and keeps its first 64 KiB`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 4)
            // 8 MiB is the limit: one byte more is too long, the limit itself is a message like any other.
            func padded(_ patient: Int, to length: Int) -> String {
                let head =
                    "{\"patientId\":\"\(Patients.id(patient))\",\"timestamp\":\(Self.now),\"heartRate\":60,"
                    + "\"large_data\":\""
                return head + String(repeating: "x", count: length - head.utf8.count - 2) + "\"}"
            }
            let giant = Self.bytes(padded(1, to: 10_000_000))
            try log.send([SentMessage(bad: "oversize", giant)], to: 0)
            try log.send([SentMessage(bad: "oversize", padded(2, to: 8_388_609))], to: 1)
            var longest = SentMessage(SentReading(3, Self.now, ["heartRate": 60]))
            longest.payload = Self.bytes(padded(3, to: 8_388_608))
            try log.send([longest], to: 2)
            let service = try laboratory.serve(log)
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            var connection = try laboratory.connect()
            let found = try connection.texts(
                "SELECT length(payload), encode(payload, 'hex') FROM bronze.dead_letter WHERE partition = 0")
            #expect(found.first?[0] == "65536")
            #expect(found.first?[1] == Self.hex(Array(giant.prefix(65_536))))
            try log.send([SentMessage(SentReading(4, Self.now, ["heartRate": 61]))], to: 3)
            try laboratory.awaitPosition(log)
            try service.stop()
        }
    }

    @Test func `the first and the last instant that validation knows are stored`() throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 1)
            let last: Int64 = 253_402_300_799_999
            try log.send([
                SentMessage(SentReading(1, 1, ["heartRate": 60])),
                SentMessage(SentReading(2, last, ["heartRate": 60])),
                SentMessage(bad: "invalid_timestamp", SentReading(3, last + 1, ["heartRate": 60]).json),
            ])
            let service = try laboratory.serve(log, ["VALIDATION_MAX_FUTURE_SECONDS": "off"])
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            var connection = try laboratory.connect()
            let shown = try connection.texts("SELECT timestamp FROM health_records ORDER BY timestamp")
            #expect(shown == [["1"], ["\(last)"]])
            try service.stop()
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
