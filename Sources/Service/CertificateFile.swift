/// Certificates in a file, as PEM (RFC 7468): base64 between lines of dashes. Keys beside them are passed over unread.
public enum CertificateFile {
    private static let mostBytes = 8 << 20

    /// All certificates of a file, in order; empty when it holds none. What cannot be read as one is left out.
    public static func read(_ path: String) throws(SystemError) -> [Certificate] {
        certificates(in: try FileSystem.readText(path, mostBytes: mostBytes))
    }

    /// All certificates of a PEM text.
    public static func certificates(in text: String) -> [Certificate] {
        var found: [Certificate] = []
        var encoded: [UInt8]?
        for line in text.utf8.split(whereSeparator: { $0 == 10 || $0 == 13 }) {
            let isDashed = line.starts(with: "-----".utf8)
            if isDashed, line.starts(with: "-----BEGIN ".utf8) {
                // Also "TRUSTED CERTIFICATE" and "X509 CERTIFICATE"; not "CERTIFICATE REQUEST".
                encoded = String(Substring(line)).contains("CERTIFICATE-----") ? [] : nil
            } else if isDashed {
                if let bytes = encoded.flatMap(base64), let certificate = Certificate(der: bytes) {
                    found.append(certificate)
                }
                encoded = nil
            } else {
                encoded?.append(contentsOf: line)
            }
        }
        return found
    }

    /// The bytes of a base64 text (RFC 4648, 4); nil when a character is none of its alphabet.
    static func base64(_ text: [UInt8]) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count * 3 / 4)
        var bits: UInt32 = 0
        var count = 0
        for character in text {
            let value: UInt8
            switch character {
            case 65...90: value = character - 65
            case 97...122: value = character - 71
            case 48...57: value = character + 4
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            case UInt8(ascii: "="), 9, 32: continue
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
