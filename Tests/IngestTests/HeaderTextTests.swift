import Ingest
import Kafka
import LaneLaboratory
import Testing

/// Headers of a dead letter as JSON text.
@Suite struct HeaderTextTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let value: [UInt8]?
        let json: String

        init(_ name: String, _ value: [UInt8]?, _ json: String) {
            (self.name, self.value, self.json) = (name, value, json)
        }

        init(_ name: String, _ value: String, _ json: String) { self.init(name, Array(value.utf8), json) }

        var testDescription: String { json }
    }

    static let table: [Case] = [
        Case("trace", "abc", #"["trace","abc"]"#),
        Case("", "", #"["",""]"#),
        Case("n", nil, #"["n",null]"#),
        Case("quote\"d", "back\\slash", #"["quote\"d","back\\slash"]"#),
        Case("control\u{1}", "\n\t\u{1f}\u{7f}", "[\"control\\u0001\",\"\\u000a\\u0009\\u001f\u{7f}\"]"),
        Case("é", "日本 🫀", #"["é","日本 🫀"]"#),
        // jsonb holds no U+0000, and no bytes that are not UTF-8.
        Case("nul", [0x61, 0x00], #"["nul",{"base64":"YQA="}]"#),
        Case("bytes", [0xFF], #"["bytes",{"base64":"/w=="}]"#),
        Case("bytes", [0xFF, 0xFE], #"["bytes",{"base64":"//4="}]"#),
        Case("bytes", [0xFF, 0xFE, 0xFD], #"["bytes",{"base64":"//79"}]"#),
        Case("bytes", [0xFF, 0xFE, 0xFD, 0x00], #"["bytes",{"base64":"//79AA=="}]"#),
        // Half a surrogate pair, an overlong slash, a truncated character.
        Case("bytes", [0xED, 0xA0, 0x80], #"["bytes",{"base64":"7aCA"}]"#),
        Case("bytes", [0xC0, 0xAF], #"["bytes",{"base64":"wK8="}]"#),
        Case("bytes", [0xE2, 0x82], #"["bytes",{"base64":"4oI="}]"#),
    ]

    private func headers(_ cases: [Case]) -> String? {
        let lab = LaneLab(partitions: 1)
        lab.join([0])
        var message = TestMessage.bad("{", "malformed_json")
        message.headers = cases.map { ($0.name, $0.value) }
        lab.log.append(message, to: 0)
        lab.settle()
        return lab.database.letters.values.first?.headers
    }

    @Test(arguments: table)
    func `a header is a pair of name and value`(row: Case) {
        #expect(headers([row]) == "[\(row.json)]")
    }

    @Test func `headers keep their order, the same name may come twice, and none is null`() {
        #expect(headers(Self.table) == "[" + Self.table.map(\.json).joined(separator: ",") + "]")
        #expect(headers([]) == nil)
    }
}
