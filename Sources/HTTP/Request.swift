/// A request whose headers have passed the server's checks. Its body was read, counted and thrown away.
public struct Request: Sendable, Equatable {
    /// The method; HEAD reaches a GET route as HEAD, the server leaves the body out.
    public let method: Method
    /// The path as it was sent, without the query and with its percent escapes.
    public let path: String

    /// Makes a request, as tests of a route need it.
    public init(method: Method, path: String) {
        self.method = method
        self.path = path
    }
}
