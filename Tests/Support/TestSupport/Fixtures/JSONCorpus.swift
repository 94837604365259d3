/// Payloads that are hard for readers of JSON, with their verdicts; also what the fuzz tests start from.
///
/// The borderline ones come from comparing the decoder with Python's json module on some hundred thousand generated
/// payloads, and from the blind spots of simdjson's first stage (what touches a scalar or a string).
package enum JSONCorpus {
    /// The patient and the instant of all of them.
    package static let patient = "e7ae8b43-4c70-50b5-8b22-13dffb4a9f91"
    package static let instant: Int64 = 1_767_225_600_000

    /// A message of that patient and instant, with more members behind them.
    package static func vitals(_ members: String) -> String {
        "{\"patientId\":\"\(patient)\",\"timestamp\":\(instant),\(members)}"
    }

    /// Well-formed messages that carry every field and many spellings.
    package static let bases: [[UInt8]] = [
        vitals("\"heartRate\":83.0,\"temperature\":36.71,\"oxygenSaturation\":96.0,\"large_data\":\"\""),
        vitals(
            """
            "heartRate": 71,"temperature":36.6,"oxygenSaturation":97.5,"respiratoryRate":16,"systolicPressure":121,\
            "diastolicPressure":78,"consciousness":"A","supplementalOxygen":false,"facilityId":"MUHC",\
            "sectorId":"icu","deviceId":"monitor-7"
            """),
        vitals("\"consciousness\":\"U\",\"x\":[1,-2.5e-3,{\"y\":[[],{}],\"z\":null},true,false,\"\\u00e9\\\\\\\"\"]"),
        vitals(
            "\"supplementalOxygen\":true,\"facilityId\":\"h\\u00f4pital \\ud83d\\ude00 é漢😀\",\"large_data\":\"\\n\\/\""),
        vitals("\"heartRate\":1.2345678901234567890123e2,\"temperature\":3660e-2,\"n\":1e400"),
        "  {\n \"timestamp\" : 1767225600000.0 ,\r\n\t\"patientId\" : \"\(patient.uppercased())\" , \"heartRate\" : 60 } ",
        "[\(vitals("\"heartRate\":60"))]", "\"a string\"", "-12.5e+3", "[[[[1,2],[]],{\"a\":{}}],null]",
    ].map { Array($0.utf8) }

    /// A value in an unknown field of an otherwise good message, or the whole payload, and its verdict.
    package static let table: [(String, String)] =
        good.map { (vitals("\"heartRate\":60,\"x\":\($0)"), "accepted") }
        + bad.map { (vitals("\"heartRate\":60,\"x\":\($0)"), "malformed_json") }
        + whole

    private static let good = [
        "0", "-0", "0.0", "1e400", "-1E-400", "123456789012345678901234567890", "0e0", "1.5e+10", "[]", "{}",
        "[[]]", "\"\"", "\"\\ud800\"", "\"\\udc00x\"", "\"\\ud83d\\ude00\"", "\"\\u0000\"", "\"\\\\\"",
        "\"\\\\\\\"\"", "\"\u{7F}\"", "\"\u{2028}\"", "\"\u{10FFFF}\"", "[1 ,\t2\r\n]", "{\"\":{\"\":0}}",
        "{\"a\":1,\"a\":2}", "\"{[,:]}\"", "\"//\"", "\"\\/\\b\\f\\n\\r\\t\\u00Ff\"", "[\"a\",\"b\"]",
        "\"                                                              a\"",
    ]

    private static let bad = [
        "", "01", "-", "+1", ".5", "5.", "5.e1", "1e", "1e+", "--1", "0x10", "1_000", "1 2", "1\"a\"", "1\"",
        "NaN", "-Infinity", "tru", "True", "truex", "true1", "true\"", "nul", "null\"", "null\u{0}",
        "undefined", "'a'", "\"a\"b", "\"a\"\"b\"", "\"a\" \"b\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12g4\"",
        "\"\\u123\"", "\"\\ud83d\\u\"", "\"\\", "\"\t\"", "\"\n\"", "\"\u{1}\"", "\"\u{0}\"", "\\\"a\"",
        "\"a\"\\", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "[}", "{]", "{", "{,}", "{\"a\"}",
        "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}", "{\"a\",1}", "{a:1}", "{1:1}", "{null:1}", "{\"a\":1 \"b\":2}",
        "{\"a\"::1}", "{\"a\":1:2}", "[\"a\":1]", "{\"\\x\":1}", "{\"a\":1]", "1//c", "/**/1", "1\u{0B}",
        "\u{0C}1", "\u{A0}1", "\u{FEFF}1", "1,", "1,,\"y\":2", "[1],2", ":1", "1\u{0}", "\u{0}", "1e1e1",
        "1.2.3", "-a", "0-1", "[\"\\\\\"\"]",
    ]

    private static let whole = [
        ("{}{}", "malformed_json"), ("{} x", "malformed_json"), ("{},", "malformed_json"),
        ("1,2", "malformed_json"), ("}", "malformed_json"), ("]", "malformed_json"), (",", "malformed_json"),
        (":", "malformed_json"), ("\\", "malformed_json"), ("\"", "malformed_json"),
        ("\u{0}", "malformed_json"), ("\u{FEFF}{}", "malformed_json"), ("\"\\ud800\"", "not_an_object"),
        (" [ ] ", "not_an_object"), ("1e400", "not_an_object"), ("-0", "not_an_object"),
        ("{\"patientId\"", "malformed_json"), ("{\"patientId\":", "malformed_json"),
        ("{:1}", "malformed_json"),
    ]
}
