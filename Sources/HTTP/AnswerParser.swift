/// Reads an HTTP answer that has arrived as a whole, its connection closed behind it.
package enum AnswerParser {
    /// The answer, or nil when it is none or is shorter than it says.
    package static func parse(_ bytes: [UInt8]) -> HTTPClient.Answer? {
        guard let headEnd = endOfHead(bytes) else { return nil }
        var lines = bytes[..<headEnd].split(separator: UInt8(ascii: "\n"))[...]
        guard let statusLine = lines.popFirst(), let status = status(of: trimmed(statusLine)) else { return nil }
        var headers: [Response.Header] = []
        for line in lines {
            let line = trimmed(line)
            if line.isEmpty { continue }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            headers.append(.init(name, String(decoding: trimmed(line[line.index(after: colon)...]), as: UTF8.self)))
        }
        var body = bytes[headEnd...]
        if let text = headers.first(where: { $0.name == "content-length" })?.value {
            guard let length = Int(text), length >= 0, length <= body.count else { return nil }
            body = body.prefix(length)
        }
        return HTTPClient.Answer(status: status, headers: headers, body: Array(body))
    }

    /// The index behind the empty line.
    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        let end = Array("\r\n\r\n".utf8)
        guard bytes.count >= end.count else { return nil }
        return (0...(bytes.count - end.count)).first { bytes[$0...].starts(with: end) }.map { $0 + end.count }
    }

    /// 200 of `HTTP/1.1 200 OK`.
    private static func status(of line: ArraySlice<UInt8>) -> Int? {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard parts.count >= 2, parts[0].starts(with: "HTTP/1.".utf8), parts[1].count == 3 else { return nil }
        guard let status = Int(String(decoding: parts[1], as: UTF8.self)), (100...599).contains(status) else {
            return nil
        }
        return status
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0d }
        var line = line.drop(while: isBlank)
        while let last = line.last, isBlank(last) { line.removeLast() }
        return line
    }
}
