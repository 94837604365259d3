/// Why a JSON text cannot be used.
public enum JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Not JSON, at this byte.
    case malformed(offset: Int)
    /// Nested deeper than `JSONValue.maximumDepth`.
    case tooDeep
    /// A member is absent, or of another kind than expected.
    case unexpected(member: String)

    /// One line for the operator.
    public var description: String {
        switch self {
        case .malformed(let offset): "not JSON at byte \(offset)"
        case .tooDeep: "JSON nested too deeply"
        case .unexpected(let member): "JSON member \(member) is absent or of another kind"
        }
    }
}

/// A small JSON text, read as a whole: answers of our own service, not messages.
package indirect enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Deeper nesting is refused: reading recurses.
    package static let maximumDepth = 32

    package init(parsing bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes)
        self = try parser.parse()
    }

    /// A member of an object; throws when this is no object or has none of that name.
    func member(_ name: String) throws(JSONError) -> JSONValue {
        guard case .object(let members) = self, let value = members[name] else { throw .unexpected(member: name) }
        return value
    }

    /// A member of an object, nil when there is none.
    func optionalMember(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    func elements(_ name: String) throws(JSONError) -> [JSONValue] {
        guard case .array(let elements) = try member(name) else { throw .unexpected(member: name) }
        return elements
    }

    func text() throws(JSONError) -> String {
        guard case .string(let text) = self else { throw .unexpected(member: "text") }
        return text
    }

    func integer() throws(JSONError) -> Int64 {
        guard case .integer(let number) = self else { throw .unexpected(member: "integer") }
        return number
    }

    func double() throws(JSONError) -> Double {
        switch self {
        case .double(let number): return number
        case .integer(let number): return Double(number)
        // What JSONWriter makes of a number that is not finite.
        case .null: return .nan
        default: throw .unexpected(member: "number")
        }
    }
}
