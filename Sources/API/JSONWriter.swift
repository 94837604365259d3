/// Writes one JSON text (RFC 8259), without blanks, member by member.
package struct JSONWriter {
    /// What is written so far; a JSON text once the outermost object is closed.
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// An empty text.
    package init() {}

    /// Writes an object without a name: the outermost one, or an element of an array.
    package mutating func object(_ members: (inout JSONWriter) -> Void) {
        separate()
        enclose("{", "}", members)
    }

    /// Writes an object as a member.
    package mutating func object(_ name: String, _ members: (inout JSONWriter) -> Void) {
        key(name)
        enclose("{", "}", members)
    }

    /// Writes an array of objects.
    package mutating func array<Element>(
        _ name: String, _ elements: [Element], members: (inout JSONWriter, Element) -> Void
    ) {
        key(name)
        enclose("[", "]") { writer in
            for element in elements { writer.object { writer in members(&writer, element) } }
        }
    }

    /// Writes an array of strings.
    package mutating func member(_ name: String, _ texts: [String]) {
        key(name)
        enclose("[", "]") { writer in
            for text in texts {
                writer.separate()
                writer.string(text)
                writer.needsComma = true
            }
        }
    }

    /// Writes a string.
    package mutating func member(_ name: String, _ text: String) {
        key(name)
        string(text)
        needsComma = true
    }

    /// Writes an integer, or null.
    package mutating func member(_ name: String, _ number: Int64?) {
        key(name)
        raw(number.map(String.init) ?? "null")
        needsComma = true
    }

    /// Writes a number; JSON has none that is not finite, so those become null.
    package mutating func member(_ name: String, _ number: Double) {
        key(name)
        raw(number.isFinite ? "\(number)" : "null")
        needsComma = true
    }

    private mutating func enclose(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ content: (inout JSONWriter) -> Void
    ) {
        bytes.append(UInt8(ascii: open))
        needsComma = false
        content(&self)
        bytes.append(UInt8(ascii: close))
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = false
    }

    private mutating func key(_ name: String) {
        separate()
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func raw(_ text: String) {
        bytes += text.utf8
    }

    /// A quoted string. What must be escaped is: quotes, backslashes, and everything below U+0020; the rest is UTF-8,
    /// which a Swift string always is.
    private mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0a:
                raw("\\n")
            case 0x09:
                raw("\\t")
            case 0x0d:
                raw("\\r")
            case 0..<0x20:
                raw(byte < 0x10 ? "\\u000" : "\\u00")
                raw(String(byte, radix: 16))
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
