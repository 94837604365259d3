import HTTP
import Testing

struct RouterTests {
    private let router = Router([
        Route(.get, "/both") { request in .text(200, "get \(request.method.rawValue)") },
        Route(.post, "/both") { _ in .text(201, "post") },
        Route(.post, "/write") { _ in .text(201, "post") },
    ])

    private func answer(_ method: Method, _ path: String) -> Response {
        router.answer(Request(method: method, path: path))
    }

    @Test func `method and path find their route`() {
        #expect(answer(.get, "/both") == .text(200, "get GET"))
        #expect(answer(.post, "/both") == .text(201, "post"))
        #expect(answer(.head, "/both") == .text(200, "get HEAD"))
    }

    @Test(arguments: ["/", "/both/", "/BOTH", "/bot", "/%62oth", "//both", ""])
    func `any other path is unknown`(path: String) {
        #expect(answer(.get, path).status == 404)
        #expect(answer(.delete, path).status == 404)
    }

    @Test func `any other method is told what is allowed`() {
        #expect(answer(.delete, "/both").status == 405)
        #expect(answer(.delete, "/both").headers == [.init("Allow", "GET, HEAD, POST")])
        #expect(answer(.head, "/write").headers == [.init("Allow", "POST")])
    }
}
