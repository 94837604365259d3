/// A line of librdkafka about a connection, taken apart:
/// `[thrd:ssl://b1:9093/3]: ssl://b1:9093/3: SSL handshake failed: ... (after 9ms in state SSL_HANDSHAKE)`.
struct ConnectionLine {
    /// `b1:9093`; "the broker" when the line names none.
    let peer: String
    /// What happened: without thread, broker, time and state.
    let body: Substring
    /// The connection's state at that time, such as `APIVERSION_QUERY`; empty when the line does not say.
    let state: Substring

    init(_ text: String) {
        var rest = text[...]
        if rest.hasPrefix("[thrd:"), let end = rest.firstRange(of: "]: ") { rest = rest[end.upperBound...] }
        var peer = ""
        // "ssl://b1:9093/3: ", and "GroupCoordinator: b1:9093: " of a broker that is known by its role.
        while let end = rest.firstRange(of: ": ") {
            let head = rest[..<end.lowerBound]
            guard !head.contains(where: { $0 == " " || $0 == "'" }) else { break }
            let isRole = head == "GroupCoordinator" || head == "TxnCoordinator"
            guard let address = Self.address(head) else {
                guard isRole else { break }
                rest = rest[end.upperBound...]
                continue
            }
            peer = address
            rest = rest[end.upperBound...]
        }
        var state: Substring = ""
        if let after = rest.ranges(of: " (after ").last {
            let tail = rest[after.upperBound...]
            if let mark = tail.firstRange(of: " in state ") {
                state = tail[mark.upperBound...].prefix { $0.isLetter || $0 == "_" }
                rest = rest[..<after.lowerBound]
            }
        }
        self.peer = peer.isEmpty ? "the broker" : peer
        self.state = state
        body = rest
    }

    func has(_ part: String) -> Bool { body.contains(part) }

    /// What follows a part of the body, without blanks around it.
    func rest(after part: String) -> String? {
        guard let found = body.firstRange(of: part) else { return nil }
        let rest = body[found.upperBound...]
        // A verdict begins with a blank or a colon on purpose.
        return part == CertificateVerdict.mark ? String(rest) : String(rest.drop { $0 == " " })
    }

    /// The number of a TLS alert: `... SSL alert number 42`.
    var alert: Int? {
        body.firstRange(of: "alert number ").flatMap { Int(body[$0.upperBound...].prefix { $0.isNumber }) }
    }

    /// Four bytes that were taken for a message's length: `Invalid response size 352518400 (0..100000000)`.
    var responseSize: Int? {
        body.firstRange(of: "Invalid response size ").flatMap {
            Int(body[$0.upperBound...].prefix { $0 == "-" || $0.isNumber })
        }
    }

    /// The last part of OpenSSL's error: `error:05800088:x509 certificate routines::no certificate or crl found`.
    var openSSLReason: Substring {
        guard let last = body.ranges(of: ":").last else { return body }
        let reason = body[last.upperBound...].drop { $0 == " " }
        // "system lib" and "BIO lib" only say that the file itself could not be read.
        return reason.hasSuffix(" lib") ? "it cannot be read" : reason
    }

    /// `b1:9093` of `ssl://b1:9093/bootstrap` or `b1:9093`.
    private static func address(_ head: Substring) -> String? {
        var address = head
        if let scheme = address.firstRange(of: "://") { address = address[scheme.upperBound...] }
        if let slash = address.firstIndex(of: "/") { address = address[..<slash] }
        guard let colon = address.lastIndex(of: ":"), UInt16(address[address.index(after: colon)...]) != nil else {
            return nil
        }
        return String(address)
    }
}
