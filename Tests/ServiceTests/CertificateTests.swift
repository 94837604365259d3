import Service
import Testing

@Suite struct CertificateTests {
    // Made with openssl 3.0.19: `openssl req -x509 -days 20000 -subj '/O=Ward/CN=far "future"' -addext
    // "subjectAltName=DNS:a.example,DNS:*.b.example,IP:10.0.0.7,IP:2001:db8::1,email:x@y"`; its end needs four digits.
    private static let far = """
        -----BEGIN CERTIFICATE-----
        MIIB5jCCAYugAwIBAgIUfCvqKQ3IK21mwD7ZnrTWDNPOQNswCgYIKoZIzj0EAwIw
        JjENMAsGA1UECgwEV2FyZDEVMBMGA1UEAwwMZmFyICJmdXR1cmUiMCAXDTI2MTEy
        MTE3Mjc1NloYDzIwODEwODI0MTcyNzU2WjAmMQ0wCwYDVQQKDARXYXJkMRUwEwYD
        VQQDDAxmYXIgImZ1dHVyZSIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT7RnnC
        rc/a2yC7ZYpmIiSczWPAUbB16lUsxzOjQYfqoqwkiZ9rGWtXVD4GTYv1E5T/z+rt
        TpG0X4IqRgFul0Mdo4GUMIGRMB0GA1UdDgQWBBT5wnx+bHYdPw2apvrDIHnvz2wE
        hjAfBgNVHSMEGDAWgBT5wnx+bHYdPw2apvrDIHnvz2wEhjAPBgNVHRMBAf8EBTAD
        AQH/MD4GA1UdEQQ3MDWCCWEuZXhhbXBsZYILKi5iLmV4YW1wbGWHBAoAAAeHECAB
        DbgAAAAAAAAAAAAAAAGBA3hAeTAKBggqhkjOPQQDAgNJADBGAiEAneVrqDhKGN4q
        6XLGqr7dyvw3kGsT59i830cQNMQYWJgCIQCtFUztPmrg2Oe3KqObVcfoUNQxHuGZ
        xa6lqRATvVQEbg==
        -----END CERTIFICATE-----
        """
    // Version 1, without extensions, issued by the one above; ended a day before it began.
    private static let past = """
        -----BEGIN CERTIFICATE-----
        MIIBKTCB0AIBBzAKBggqhkjOPQQDAjAmMQ0wCwYDVQQKDARXYXJkMRUwEwYDVQQD
        DAxmYXIgImZ1dHVyZSIwHhcNMjYxMTIxMTcyNzU2WhcNMjYxMTIwMTcyNzU2WjAc
        MRowGAYDVQQKDBFPbmx5IE9yZ2FuaXNhdGlvbjBZMBMGByqGSM49AgEGCCqGSM49
        AwEHA0IABPtGecKtz9rbILtlimYiJJzNY8BRsHXqVSzHM6NBh+qirCSJn2sZa1dU
        PgZNi/UTlP/P6u1OkbRfgipGAW6XQx0wCgYIKoZIzj0EAwIDSAAwRQIhAI/td6j/
        XlD7lC/juD+cb0RZyxI9iTOuriLp4WUP/kYwAiBD49mLcDobyiYiJXLF97sh7fZx
        jNa3XTnLtPF9G9Sn8g==
        -----END CERTIFICATE-----
        """

    @Test func `a certificate tells whose it is, who signed it, for which hosts, and until when`() throws {
        let certificate = try #require(CertificateFile.certificates(in: Self.far).first)
        #expect(certificate.subject == "far ?future?")
        #expect(certificate.issuer == certificate.subject)
        #expect(certificate.isSelfIssued)
        #expect(certificate.hosts == ["a.example", "*.b.example", "10.0.0.7", "2001:db8:0:0:0:0:0:1"])
        #expect(certificate.startText == "2026-11-21T17:27:56Z")
        #expect(certificate.endText == "2081-08-24T17:27:56Z")
        #expect(certificate.endsAt == 3_523_282_076)
    }

    @Test func `an old one without extensions and common name is read too`() throws {
        let certificate = try #require(CertificateFile.certificates(in: Self.past).first)
        #expect(certificate.subject == "Only Organisation")
        #expect(certificate.issuer == "far ?future?")
        #expect(!certificate.isSelfIssued)
        #expect(certificate.hosts.isEmpty)
        #expect(certificate.endsAt == 1_795_195_676)
    }

    // The day counts down to 0 on the last day, and below afterwards.
    @Test(arguments: [(-86_400, 1), (-86_399, 0), (0, 0), (1, -1), (86_400, -1), (86_401, -2)] as [(Int64, Int64)])
    func `days left are whole days`(offset: Int64, days: Int64) throws {
        let certificate = try #require(CertificateFile.certificates(in: Self.past).first)
        #expect(certificate.daysLeft(at: certificate.endsAt + offset) == days)
    }

    @Test func `a file may hold several, keys and remarks beside them, and Windows' line ends`() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"
        let text = "a remark\n" + key + Self.far + "\n" + key + Self.past + "\n"
        #expect(CertificateFile.certificates(in: text).map(\.subject) == ["far ?future?", "Only Organisation"])
        #expect(CertificateFile.certificates(in: text.replacing("\n", with: "\r\n")).count == 2)
        #expect(CertificateFile.certificates(in: key).isEmpty)
        let request = Self.far.replacing("CERTIFICATE", with: "CERTIFICATE REQUEST")
        #expect(CertificateFile.certificates(in: request).isEmpty)
        #expect(CertificateFile.certificates(in: "").isEmpty)
    }

    // A certificate is shown by whoever answers, before anybody trusts it.
    @Test func `bytes that are no certificate never trap`() throws {
        let text = Self.far.split(separator: "\n").dropFirst().dropLast().joined()
        let good = try #require(bytes(ofBase64: text))
        #expect(Certificate(der: good) != nil)
        for length in 0..<good.count { _ = Certificate(der: Array(good.prefix(length))) }
        for place in good.indices {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0x84, 0xFF, good[place] ^ 0x20] {
                var bad = good
                bad[place] = value
                if let certificate = Certificate(der: bad) {
                    #expect(certificate.subject.utf8.allSatisfy { (0x20..<0x7F).contains($0) })
                    _ = certificate.endText
                }
            }
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let count = Int.random(in: 0..<80, using: &random)
            let noise = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            _ = Certificate(der: noise)
            _ = Certificate(der: [0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF] + noise)
        }
    }

    /// Base64 by the book, apart from the reader's own way.
    private func bytes(ofBase64 text: String) -> [UInt8]? {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var bits: [Bool] = []
        for character in text.utf8 where character != UInt8(ascii: "=") {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            for shift in (0..<6).reversed() { bits.append(value >> shift & 1 == 1) }
        }
        return stride(from: 0, to: bits.count / 8 * 8, by: 8).map { start in
            bits[start..<start + 8].reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
        }
    }
}
