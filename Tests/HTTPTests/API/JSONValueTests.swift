import API
import HTTP
import TestSupport
import Testing

struct JSONValueTests {
    private func parse(_ text: String) throws(JSONError) -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test func `every kind of value is read`() throws {
        let text = #" {"a" : [1, -2.5e1, 0, -0, 1E2], "b":{}, "c":[ ], "d":true,"e":false,"f":null,"g":"x"} "#
        #expect(
            try parse(text + "\r\n\t")
                == .object([
                    "a": .array([.integer(1), .double(-25), .integer(0), .integer(0), .double(100)]),
                    "b": .object([:]), "c": .array([]), "d": .bool(true), "e": .bool(false), "f": .null,
                    "g": .string("x"),
                ]))
        #expect(try parse("9223372036854775807") == .integer(.max))
        #expect(try parse("9223372036854775808") == .double(9_223_372_036_854_775_808))
    }

    @Test func `escapes are read, surrogate pairs too`() throws {
        #expect(try parse(#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00""#) == .string("\"\\/\u{8}\u{c}\n\r\tAé😀"))
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "[1", "[1,", "[1,]", "[,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "tru", "nul",
        "\"", "\"a",
        "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud83d\"", "\"\\ud83d\\u0041\"", "\"\\ude00\"", "\"\n\"", "01", "-",
        "+1", "1.", ".5",
        "1e", "1e400", "NaN", "1 2", "[1]]", "'a'",
    ]) func `what is not JSON is refused`(text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test func `deep nesting is refused, not followed`() {
        #expect(throws: JSONError.tooDeep) { try parse(String(repeating: "[", count: 100_000)) }
    }

    @Test func `text that is not UTF-8 is refused`() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xff, 0x22]) }
    }

    @Test func `broken texts never trap`() {
        var random = SeededNumbers(seed: 5)
        let whole = Array(#"{"a":[1,-2.5e10,"\ud83d\ude00 é",null,true,{"b":"\u0041"}]}"#.utf8)
        for _ in 0..<20_000 {
            var bytes = Array(whole.prefix(Int(random.next() % UInt64(whole.count + 1))))
            for _ in 0..<2 where !bytes.isEmpty {
                bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
            }
            do throws(JSONError) { _ = try JSONValue(parsing: bytes) } catch { continue }
        }
    }
}
