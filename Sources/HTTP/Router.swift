/// Finds the route of a request; answers 404 and 405 by itself.
package struct Router: Sendable {
    private let routes: [String: [Method: Route]]

    /// Traps when two routes answer the same method of the same path.
    package init(_ routes: [Route]) {
        var table: [String: [Method: Route]] = [:]
        for route in routes {
            let previous = table[route.path, default: [:]].updateValue(route, forKey: route.method)
            precondition(previous == nil, "two routes for one method of one path")
        }
        self.routes = table
    }

    /// The route's answer, or 404 for an unknown path, or 405 with the methods that the path does answer.
    package func answer(_ request: Request) -> Response {
        guard let methods = routes[request.path] else { return .text(404, "no such path") }
        let wanted = request.method == .head ? .get : request.method
        if let route = methods[wanted] { return route.handler(request) }
        var allowed = methods.keys.map(\.rawValue)
        if methods[.get] != nil { allowed.append(Method.head.rawValue) }
        return .text(
            405, "method not allowed", headers: [.init("Allow", allowed.sorted().joined(separator: ", "))])
    }
}
