/// What an X.509 certificate says of itself: whose it is, who signed it, how long it lasts. Nothing is verified here;
/// that is the TLS library's. Made to tell people why it refused one, or when it will.
///
/// Fields as in RFC 5280, "Internet X.509 Public Key Infrastructure Certificate", 4.1,
/// https://www.rfc-editor.org/rfc/rfc5280.
public struct Certificate: Hashable, Sendable {
    /// Common name of its holder, else the organisation, else empty. Cut and cleaned for showing.
    public let subject: String
    /// The same of its signer.
    public let issuer: String
    /// When it begins to hold, in seconds since 1970.
    public let startsAt: Int64
    /// When it has ended, in seconds since 1970.
    public let endsAt: Int64
    /// Names and addresses of hosts that it is for, cleaned for showing, at most 16.
    public let hosts: [String]
    /// Whether its holder has signed it himself.
    public let isSelfIssued: Bool

    private static let mostHosts = 16
    private static let alternativeNames: [UInt8] = [0x55, 0x1D, 0x11]

    /// Reads a certificate in its binary form; nil when it is none. The bytes may be a stranger's.
    public init?(der: [UInt8]) {
        var outer = DERReader(der)
        guard var certificate = outer.sequence(), var body = certificate.sequence() else { return nil }
        body.skip(tag: 0xA0)
        guard body.skip(tag: DERReader.integer), body.skip(tag: DERReader.sequenceTag), let issuer = body.next(),
            var validity = body.sequence(), let subject = body.next(), body.skip(tag: DERReader.sequenceTag),
            let start = validity.next(), let end = validity.next(),
            let startsAt = CertificateTime.seconds(tag: start.tag, start.content),
            let endsAt = CertificateTime.seconds(tag: end.tag, end.content)
        else { return nil }
        self.subject = Self.name(subject.content)
        self.issuer = Self.name(issuer.content)
        isSelfIssued = subject.content == issuer.content
        self.startsAt = startsAt
        self.endsAt = endsAt
        hosts = Self.hosts(&body)
    }

    /// Days from `seconds` (since 1970) to its end, rounded down; negative when it has ended.
    public func daysLeft(at seconds: Int64) -> Int64 { (endsAt - seconds).flooredQuotient(86_400) }

    /// When it ends, as `2026-01-31T09:05:00Z`.
    public var endText: String { Self.text(endsAt) }

    /// When it begins.
    public var startText: String { Self.text(startsAt) }

    private static func text(_ seconds: Int64) -> String {
        UTCText.timestamp(milliseconds: seconds * 1_000).replacing(".000Z", with: "Z")
    }

    /// The common name (2.5.4.3) of a distinguished name, else its organisation (2.5.4.10).
    private static func name(_ content: ArraySlice<UInt8>) -> String {
        var organisation = ""
        var sets = DERReader(content)
        while let set = sets.next() {
            var pairs = DERReader(set.content)
            while var pair = pairs.sequence() {
                guard let kind = pair.next(), kind.tag == DERReader.objectIdentifier, let value = pair.next() else {
                    break
                }
                if Array(kind.content) == [0x55, 0x04, 0x03] { return clean(value.content) }
                if Array(kind.content) == [0x55, 0x04, 0x0A] { organisation = clean(value.content) }
            }
        }
        return organisation
    }

    private static func hosts(_ body: inout DERReader) -> [String] {
        while let field = body.next() {
            guard field.tag == 0xA3 else { continue }
            var wrapper = DERReader(field.content)
            guard var extensions = wrapper.sequence() else { return [] }
            while var entry = extensions.sequence() {
                guard let kind = entry.next(), Array(kind.content) == alternativeNames else { continue }
                var value = entry.next()
                if value?.tag == 0x01 { value = entry.next() }  // BOOLEAN: critical
                guard let value, value.tag == 0x04 else { return [] }
                return generalNames(value.content)
            }
        }
        return []
    }

    private static func generalNames(_ content: ArraySlice<UInt8>) -> [String] {
        var reader = DERReader(content)
        guard var names = reader.sequence() else { return [] }
        var found: [String] = []
        while found.count < mostHosts, let name = names.next() {
            switch (name.tag, name.content.count) {
            case (0x82, _): found.append(clean(name.content))
            case (0x87, 4): found.append(name.content.map { "\($0)" }.joined(separator: "."))
            case (0x87, 16):
                let bytes = Array(name.content)
                let groups = stride(from: 0, to: 16, by: 2).map { place in
                    String(UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1]), radix: 16)
                }
                found.append(groups.joined(separator: ":"))
            default: continue
            }
        }
        return found
    }

    /// Printable ASCII without quotes, at most 64 characters: the text may be a stranger's.
    private static func clean(_ content: ArraySlice<UInt8>) -> String {
        let shown = content.prefix(64).map { (0x20..<0x7F).contains($0) && $0 != 0x22 ? $0 : UInt8(ascii: "?") }
        return String(decoding: shown, as: UTF8.self)
    }
}

/// Walks the elements of one level of DER (ITU-T X.690): a tag of one byte, a length, the content. Reads nothing
/// beyond its slice, whatever the lengths say.
struct DERReader {
    static let integer: UInt8 = 0x02
    static let objectIdentifier: UInt8 = 0x06
    static let sequenceTag: UInt8 = 0x30

    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next element; nil at the end, or when it is malformed.
    mutating func next() -> (tag: UInt8, content: ArraySlice<UInt8>)? {
        guard let tag = rest.first, tag & 0x1F != 0x1F else { return nil }
        let afterTag = rest.dropFirst()
        guard let first = afterTag.first else { return nil }
        var content = afterTag.dropFirst()
        var length = Int(first)
        if first >= 0x80 {
            let width = Int(first & 0x7F)
            guard (1...4).contains(width), content.count >= width else { return nil }
            length = content.prefix(width).reduce(0) { $0 << 8 | Int($1) }
            content = content.dropFirst(width)
        }
        guard content.count >= length else { return nil }
        rest = content.dropFirst(length)
        return (tag, content.prefix(length))
    }

    /// The inside of the next element, if that is a SEQUENCE.
    mutating func sequence() -> DERReader? {
        guard let element = next(), element.tag == Self.sequenceTag else { return nil }
        return DERReader(element.content)
    }

    /// Passes over the next element if it has this tag.
    @discardableResult
    mutating func skip(tag: UInt8) -> Bool {
        var ahead = self
        guard let element = ahead.next(), element.tag == tag else { return false }
        self = ahead
        return true
    }
}

/// The two ways in which certificates write a time (RFC 5280, 4.1.2.5), both in UTC with seconds.
enum CertificateTime {
    /// Seconds since 1970, nil when it is no such time.
    static func seconds(tag: UInt8, _ content: ArraySlice<UInt8>) -> Int64? {
        let digits = Array(content)
        let yearWidth = tag == 0x17 ? 2 : 4
        guard tag == 0x17 || tag == 0x18, digits.count == yearWidth + 11, digits.last == UInt8(ascii: "Z"),
            digits.dropLast().allSatisfy({ (48...57).contains($0) })
        else { return nil }
        func number(_ start: Int, _ width: Int) -> Int64 {
            digits[start..<start + width].reduce(0) { $0 * 10 + Int64($1 - 48) }
        }
        var year = number(0, yearWidth)
        if tag == 0x17 { year += year < 50 ? 2_000 : 1_900 }
        let fields = (0..<5).map { number(yearWidth + 2 * $0, 2) }
        guard (1...12).contains(fields[0]), (1...31).contains(fields[1]), fields[2] < 24, fields[3] < 60,
            fields[4] <= 60
        else { return nil }
        let days = UTCText.daysSince1970(year: year, month: fields[0], day: fields[1])
        return days * 86_400 + fields[2] * 3_600 + fields[3] * 60 + fields[4]
    }
}

extension UTCText {
    /// Days since 1970-01-01 of a day in the Gregorian calendar, by the era method of H. Hinnant (days_from_civil; see
    /// `civil`).
    static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.flooredQuotient(400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
