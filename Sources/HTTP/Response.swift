/// What a route answers.
///
/// The server adds `Cache-Control: no-store`, the length and the date, and names neither itself nor its version.
public struct Response: Sendable, Equatable {
    /// A header line of its own; neither part may hold a line break.
    public struct Header: Sendable, Equatable {
        /// As it is sent, such as `Allow`.
        public let name: String
        /// As it is sent.
        public let value: String

        /// A header with that name and value.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The status code, 200 to 599.
    public let status: Int
    /// The value of Content-Type.
    public let contentType: String
    /// Headers beyond those that every answer has.
    public let headers: [Header]
    /// The whole body; it is copied once more when it is sent.
    public let body: [UInt8]

    /// An answer with a body of any kind.
    public init(status: Int, contentType: String, headers: [Header] = [], body: [UInt8]) {
        precondition((200...599).contains(status), "no final status code")
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// A line of plain text; a line end is added.
    public static func text(_ status: Int, _ line: String, headers: [Header] = []) -> Response {
        Response(
            status: status, contentType: "text/plain; charset=utf-8", headers: headers, body: Array((line + "\n").utf8))
    }

    /// A JSON text that is complete already.
    public static func json(_ status: Int, _ body: [UInt8]) -> Response {
        Response(status: status, contentType: "application/json", body: body)
    }
}
