import HTTP
import TestSupport
import Testing

struct AnswerParserTests {
    private func parse(_ text: String) -> HTTPClient.Answer? { AnswerParser.parse(Array(text.utf8)) }

    @Test func `an answer has a status, headers and a body`() throws {
        let answer = try #require(
            parse("HTTP/1.1 503 Not now\r\nA-Header:  some value \r\nContent-Length: 3\r\n\r\nabc"))
        #expect(answer.status == 503)
        #expect(answer.header("a-header") == "some value")
        #expect(answer.body == Array("abc".utf8))
    }

    @Test func `without a length the body ends with the connection`() {
        #expect(parse("HTTP/1.0 200 OK\r\n\r\na\r\n\r\nb")?.body == Array("a\r\n\r\nb".utf8))
        #expect(parse("HTTP/1.0 204\r\n\r\n")?.body == [])
    }

    @Test(arguments: [
        "", "\r\n\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        // Shorter than it says: the connection broke.
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ]) func `anything else is no answer`(text: String) {
        #expect(parse(text) == nil)
    }

    @Test func `broken answers never trap`() {
        var random = SeededNumbers(seed: 7)
        let whole = Array("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nA: b\r\n\r\nabc".utf8)
        for _ in 0..<20_000 {
            var bytes = Array(whole.prefix(Int(random.next() % UInt64(whole.count + 1))))
            for _ in 0..<3 where !bytes.isEmpty {
                bytes[Int(random.next() % UInt64(bytes.count))] ^= UInt8(truncatingIfNeeded: random.next())
            }
            _ = AnswerParser.parse(bytes)
        }
    }
}
