/// The id of a facility, a sector or a visit: a text that is its bytes.
///
/// Swift takes two strings for equal when they look alike (é as one scalar or as two), PostgreSQL's `text` when their
/// bytes are equal. The database is the judge, so names are compared, ordered and hashed by their UTF-8 bytes, which
/// is also the order of `COLLATE "C"`.
public struct FlowName: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The text itself.
    public let text: String

    /// A name of a text.
    public init(_ text: String) {
        self.text = text
    }

    /// A name of UTF-8 bytes.
    public init(utf8 bytes: UnsafeBufferPointer<UInt8>) {
        text = unsafe String(decoding: bytes, as: UTF8.self)
    }

    /// A name written in the source.
    public init(stringLiteral text: String) {
        self.text = text
    }

    /// The text itself.
    public var description: String { text }

    /// Whether the bytes are the same.
    public static func == (left: Self, right: Self) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    /// Whether the bytes come before the other's.
    public static func < (left: Self, right: Self) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    /// Feeds the bytes.
    public func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        hasher.combine(text.utf8.count)
    }
}
