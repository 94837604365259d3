/// A path and what answers it.
///
/// The handler runs on the server's only thread: it must not block, or every client waits with it.
public struct Route: Sendable {
    /// The exact path, beginning with `/`, compared byte by byte as it was sent.
    public let path: String
    /// The method it answers. A GET route answers HEAD too.
    public let method: Method
    /// Makes the answer.
    public let handler: @Sendable (Request) -> Response

    /// A route for one method of one path.
    public init(_ method: Method, _ path: String, handler: @escaping @Sendable (Request) -> Response) {
        precondition(path.utf8.first == UInt8(ascii: "/"), "a route's path begins with /")
        precondition(method != .head, "a GET route answers HEAD")
        self.path = path
        self.method = method
        self.handler = handler
    }
}
