/// A five-character SQLSTATE, the code by which PostgreSQL names an error.
///
/// Codes starting with `VS` are this product's own: `VS001` fenced, `VS002` a stored row is not as it was read,
/// `VS003` the caller's books do not add up.
public struct SQLState: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The five characters, for example `23505`.
    public let code: String

    /// Wraps a code as the server sent it.
    public init(_ code: String) {
        self.code = code
    }

    /// Wraps a code written in the source.
    public init(stringLiteral value: StaticString) {
        code = value.description
    }

    /// The first two characters, which name the class.
    public var classCode: Substring { code.prefix(2) }

    /// The code itself.
    public var description: String { code }

    /// Another owner, epoch or offset: nothing of this transaction may be stored.
    public static let fenced: SQLState = "VS001"
    /// A stored row is not as it was read before.
    public static let changedMeanwhile: SQLState = "VS002"
    /// The caller's books do not add up.
    public static let ledgerMismatch: SQLState = "VS003"
    /// Unique key violated.
    public static let uniqueViolation: SQLState = "23505"
    /// A lock was not granted within `lock_timeout`.
    public static let lockNotAvailable: SQLState = "55P03"
    /// The role lacks a privilege.
    public static let insufficientPrivilege: SQLState = "42501"
    /// No such table or view.
    public static let undefinedTable: SQLState = "42P01"
    /// No such database.
    public static let undefinedDatabase: SQLState = "3D000"
}
