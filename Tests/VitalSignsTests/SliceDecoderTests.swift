import Glibc
import Testing
import VitalSigns

@Suite struct SliceDecoderTests {
    @Test func `every field of the format arrives in its place`() throws {
        let verdict = decode(
            vitals(
                """
                "heartRate":71,"temperature":36.6,"oxygenSaturation":97.5,"respiratoryRate":16,"systolicPressure":121,\
                "diastolicPressure":78.25,"consciousness":"V","supplementalOxygen":true,"large_data":"xxxx"
                """))
        let reading = try #require(verdict.reading)
        #expect(reading.patientHigh == 0xe7ae_8b43_4c70_50b5)
        #expect(reading.patientLow == 0x8b22_13df_fb4a_9f91)
        #expect(reading.time == instant)
        let expected: [Float] = [71, 36.6, 97.5, 16, 121, 78.25]
        #expect(expected.indices.allSatisfy { reading.values[$0] == expected[$0] })
        #expect(reading.presence == 0xFF)
        #expect(reading.categorical == 3 | Reading.supplementalOxygenValue)
        #expect(reading.offset == 42)
        #expect(reading.partition == 3)
        #expect(reading.origin == 0)
        #expect(verdict.origin == nil)
        #expect(
            verdict.outcome == SliceOutcome(acceptedCount: 1, rejectedCount: 0, unknownFields: 0, keyMismatches: 0))
    }

    @Test func `accepted readings stand one behind the other in the order of their messages`() {
        let good = { (rate: Int) in Array(vitals("\"heartRate\":\(rate)").utf8) }
        let slice = Slice([good(1), Array("{".utf8), good(2), [], Array("[]".utf8), good(3)])
        var decoder = SliceDecoder(maxMessageBytes: 1000, maxFutureMilliseconds: nil)
        var readings: [Reading] = []
        let outcome = slice.decode(with: &decoder, into: &readings)
        #expect(outcome.acceptedCount == 3)
        #expect(outcome.rejectedCount == 3)
        #expect(readings[..<3].map(\.offset) == [0, 2, 5])
        #expect(readings[..<3].map { $0.values[0] } == [1, 2, 3])
        #expect(decoder.rejectedCount == 3)
        let rejections = (0..<3).map { decoder.rejection(at: $0) }
        #expect(
            rejections == [
                Rejection(messageIndex: 1, reason: .malformedJSON),
                Rejection(messageIndex: 3, reason: .emptyPayload),
                Rejection(messageIndex: 4, reason: .notAnObject),
            ])
    }

    @Test func `a decode forgets the results of the one before, also when slices grow`() {
        var decoder = SliceDecoder(maxMessageBytes: 1000, maxFutureMilliseconds: nil)
        var readings: [Reading] = []
        let bad = Slice(Array(repeating: Array("{".utf8), count: 3))
        #expect(bad.decode(with: &decoder, into: &readings).rejectedCount == 3)
        let placed = Array(vitals("\"heartRate\":1,\"sectorId\":\"s\"").utf8)
        let good = Slice(Array(repeating: placed, count: 700))
        let outcome = good.decode(with: &decoder, into: &readings)
        #expect(outcome.acceptedCount == 700)
        #expect(decoder.rejectedCount == 0)
        #expect(decoder.originCount == 700)
        #expect(decoder.originReadingIndex(699) == 699)
        let none = decoder.decode(UnsafeBufferPointer(start: nil, count: 0), into: &readings)
        #expect(none == SliceOutcome(acceptedCount: 0, rejectedCount: 0, unknownFields: 0, keyMismatches: 0))
        #expect(decoder.originCount == 0)
    }

    @Test func `a slice decoded a thousand times over gives a thousand times the same`() {
        let text = String(repeating: "x", count: 255)
        let members = """
            "heartRate":60,"facilityId":"\(text)","sectorId":"\(text)","deviceId":"\(text)","y":1
            """
        let slice = Slice(Array(repeating: Array(vitals(members).utf8), count: 8), key: "nobody")
        var decoder = SliceDecoder(maxMessageBytes: 10_000, maxFutureMilliseconds: nil)
        var readings: [Reading] = []
        let expected = SliceOutcome(acceptedCount: 8, rejectedCount: 0, unknownFields: 8, keyMismatches: 8)
        for _ in 0..<1000 {
            #expect(slice.decode(with: &decoder, into: &readings) == expected)
            #expect(originTexts(decoder, 7) == [text, text, text])
        }
    }

    @Test func `null equals absent`() {
        let verdict = decode(
            vitals("\"heartRate\":null,\"temperature\":37,\"consciousness\":null,\"deviceId\":null,\"large_data\":null")
        )
        #expect(verdict.reading?.presence == 0b10)
        #expect(verdict.reading?.values[0] == 0)
        #expect(verdict.origin == nil)
    }

    @Test func `of a field given twice the last counts, as in most readers of JSON`() {
        #expect(decode(vitals("\"heartRate\":1,\"heartRate\":2")).reading?.values[0] == 2)
        #expect(decode(vitals("\"heartRate\":\"x\",\"heartRate\":2")).reading?.values[0] == 2)
        #expect(decode(vitals("\"heartRate\":2,\"heartRate\":999")).reason == .outOfRange)
        #expect(decode(vitals("\"heartRate\":999,\"heartRate\":null,\"temperature\":37")).reading?.presence == 0b10)
        #expect(decode(vitals("\"heartRate\":60,\"patientId\":\"x\"")).reason == .invalidPatientID)
        #expect(decode(vitals("\"heartRate\":60,\"timestamp\":null")).reason == .missingField)
    }

    @Test func `a key written with escapes is the same key`() {
        #expect(decode(vitals("\"heart\\u0052ate\":61")).reading?.values[0] == 61)
        #expect(decode(vitals("\"heartRate\\u0000\":61,\"temperature\":37")).outcome.unknownFields == 1)
    }

    @Test func `a patient's id may be in capitals or escaped`() {
        for id in [patient.uppercased(), patient.replacing("-", with: "\\u002d")] {
            let verdict = decode("{\"patientId\":\"\(id)\",\"timestamp\":1,\"heartRate\":60}")
            #expect(verdict.reading?.patientHigh == 0xe7ae_8b43_4c70_50b5)
            #expect(verdict.outcome.keyMismatches == 0)
        }
    }

    @Test func `origin texts are lent unescaped, absent ones as nil`() {
        let verdict = decode(
            vitals("\"heartRate\":60,\"facilityId\":\"a\\n\\u00e9\\ud83d\\ude00é\",\"deviceId\":\"\""))
        #expect(verdict.origin == ["a\né😀é", nil, ""])
        let longest = String(repeating: "é", count: 127) + "x"
        #expect(decode(vitals("\"heartRate\":60,\"sectorId\":\"\(longest)\"")).origin == [nil, longest, nil])
    }

    @Test func `only accepted messages leave an origin`() {
        let members = [
            "\"heartRate\":1", "\"heartRate\":2,\"deviceId\":\"d2\"", "\"deviceId\":\"d3\"",
            "\"heartRate\":4,\"facilityId\":\"f4\",\"sectorId\":\"s4\"",
        ]
        let slice = Slice(members.map { Array(vitals($0).utf8) })
        var decoder = SliceDecoder(maxMessageBytes: 1000, maxFutureMilliseconds: nil)
        var readings: [Reading] = []
        _ = slice.decode(with: &decoder, into: &readings)
        #expect(decoder.originCount == 2)
        #expect([0, 1].map { decoder.originReadingIndex($0) } == [1, 2])
        #expect(originTexts(decoder, 0) == [nil, nil, "d2"])
        #expect(originTexts(decoder, 1) == ["f4", "s4", nil])
    }

    @Test func `unknown fields of any shape are ignored and counted`() {
        let verdict = decode(
            vitals(
                """
                "heartRate":60,"HeartRate":"x","a":[1,{"b":[]},"\\ud800"],"n":1e400,"":{},"t":true
                """))
        #expect(verdict.reading != nil)
        #expect(verdict.outcome.unknownFields == 5)
    }

    @Test func `a Kafka key that is not the patient is counted, not refused`() {
        let payload = Array(vitals("\"heartRate\":60").utf8)
        let cases: [([UInt8]?, Int64)] = [
            (Array(patient.utf8), 0), (Array(patient.uppercased().utf8), 0), (nil, 1), ([], 1),
            (Array("somebody".utf8), 1), (Array(repeating: 0xFF, count: 36), 1),
            (Array("00000000-4c70-50b5-8b22-13dffb4a9f91".utf8), 1),
        ]
        for (key, mismatches) in cases {
            let verdict = decode(payload, key: key)
            #expect(verdict.reading != nil)
            #expect(verdict.outcome.keyMismatches == mismatches)
        }
    }

    @Test(arguments: [
        ("97.5", 97.5), ("-0.0", 0), ("-0", 0), ("-1e-400", 0), ("1e-400", 0), ("0e99999", 0), ("9.75e1", 97.5),
        ("975E-1", 97.5),
        ("97.500000000000000000000000000000000", 97.5), ("0.0000000000975e12", 97.5),
        ("33.333333333333336", 33.333333333333336), ("0.1", 0.1), ("16777217e-6", 16.777217),
        ("99.99999999999999999999999999", 100), ("18446744073709551617e-18", 18.446744073709551617),
    ])
    func `a number is the nearest double, rounded to float, and never minus zero`(text: String, value: Double) throws {
        let reading = try #require(decode(vitals("\"oxygenSaturation\":\(text)")).reading)
        #expect(reading.values[2].bitPattern == Float(value).bitPattern)
    }

    @Test(arguments: [
        "1767225600000", "1767225600000.0", "1767225600000.000000000000000000000", "1.7672256e12", "1.7672256E+12",
        "17672256000000000e-4", "0.0017672256e15",
    ])
    func `an instant may be written with a fraction of zeros or an exponent`(text: String) {
        let verdict = decode("{\"patientId\":\"\(patient)\",\"timestamp\":\(text),\"heartRate\":60}")
        #expect(verdict.reading?.time == instant)
    }

    @Test func `blanks may stand wherever JSON allows them`() {
        let text = vitals(" \"heartRate\" : 60 , \"temperature\":\n37\t")
        #expect(decode("\r\n \(text)\t ").reading?.presence == 0b11)
    }

    @Test func `a message of eight megabytes is accepted, and small ones after it`() {
        let padding = String(repeating: "x", count: 8_000_000)
        let large = Array(vitals("\"large_data\":\"\(padding)\",\"heartRate\":60").utf8)
        let small = Array(vitals("\"heartRate\":61").utf8)
        let slice = Slice([small, large, small])
        var decoder = SliceDecoder(maxMessageBytes: 8_388_608, maxFutureMilliseconds: nil)
        var readings: [Reading] = []
        for _ in 0..<2 { #expect(slice.decode(with: &decoder, into: &readings).acceptedCount == 3) }
        #expect(readings.map { $0.values[0] } == [61, 60, 61])
    }

    @Test func `no byte behind a payload or a key is read`() throws {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let memory = try #require(mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        defer { munmap(memory, 2 * page) }
        try #require(mprotect(memory + page, page, PROT_NONE) == 0)
        var decoder = SliceDecoder(maxMessageBytes: 1000, maxFutureMilliseconds: nil)
        var reading = Reading()
        let whole = Array(vitals("\"heartRate\":61,\"consciousness\":\"A\",\"facilityId\":\"f\",\"x\":[true]").utf8)
        for length in 1...whole.count {
            let start = memory + (page - length)
            start.copyMemory(from: whole, byteCount: length)
            let keyLength = min(length, 36)
            let message = RawMessage(
                payload: start, payloadLength: length, key: memory + (page - keyLength), keyLength: keyLength,
                offset: 0, timestampMilliseconds: -1, partition: 0)
            let outcome = withUnsafePointer(to: message) {
                decoder.decode(UnsafeBufferPointer(start: $0, count: 1), into: &reading)
            }
            #expect(outcome.acceptedCount == (length == whole.count ? 1 : 0))
        }
    }

    @Test func `a partition that a reading cannot hold is a programmer's error`() async {
        await #expect(processExitsWith: .failure) {
            var decoder = SliceDecoder(maxMessageBytes: 1000, maxFutureMilliseconds: nil)
            var reading = Reading()
            let message = RawMessage(
                payload: nil, payloadLength: 0, key: nil, keyLength: 0, offset: 0, timestampMilliseconds: -1,
                partition: 65_536)
            _ = withUnsafePointer(to: message) {
                decoder.decode(UnsafeBufferPointer(start: $0, count: 1), into: &reading)
            }
        }
    }
}
