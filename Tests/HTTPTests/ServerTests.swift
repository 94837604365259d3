import Glibc
import HTTP
import Service
import Testing

@Suite(.timeLimit(.minutes(2))) struct ServerTests {
    @Test func `a route is answered, with its type, uncached, and without a banner`() throws {
        let server = try startServer()
        let answer = try HTTPClient.get(host: "127.0.0.1", port: server.port, path: "/ok?any=query")
        #expect(answer.status == 200)
        #expect(answer.body == Array("fine\n".utf8))
        #expect(answer.header("content-type") == "text/plain; charset=utf-8")
        #expect(answer.header("cache-control") == "no-store")
        #expect(answer.header("server") == nil)
        #expect(server.stop(within: hangBound))
    }

    @Test func `an unknown path is 404 and another method 405 with Allow`() throws {
        let server = try startServer()
        let client = try RawClient(port: server.port)
        client.send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.awaitState { client.statuses == ["404"] })
        client.send("DELETE /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(client.awaitEnd())
        #expect(client.statuses == ["404", "405"])
        #expect(client.text.contains("\r\nAllow: GET, HEAD\r\n"))
        #expect(server.stop(within: hangBound))
    }

    @Test(arguments: ["/ok%00", "/%6fk", "/ok/", "/ok%2f"]) func `a path is compared as it was sent`(
        path: String
    ) throws {
        let server = try startServer()
        #expect(try HTTPClient.get(host: "127.0.0.1", port: server.port, path: path).status == 404)
        #expect(server.stop(within: hangBound))
    }

    @Test func `HEAD tells the length and sends no body`() throws {
        let server = try startServer()
        let client = try RawClient(port: server.port)
        client.send("HEAD /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(client.awaitEnd())
        #expect(client.statuses == ["200"])
        #expect(client.text.contains("\r\nContent-Length: 5\r\n"))
        #expect(client.text.hasSuffix("\r\n\r\n"))
        #expect(server.stop(within: hangBound))
    }

    @Test func `a connection serves one request after the other, pipelined ones too`() throws {
        let server = try startServer()
        let client = try RawClient(port: server.port)
        let request = "GET /ok HTTP/1.1\r\nHost: x\r\n\r\n"
        client.send(request)
        #expect(client.awaitState { client.statuses.count == 1 })
        client.send(request + request)
        #expect(client.awaitState { client.statuses.count == 3 })
        #expect(server.statistics.accepted == 1)
        #expect(server.stop(within: hangBound))
        #expect(client.awaitEnd())
    }

    @Test func `a body within the limit is read and passed over`() throws {
        let server = try startServer(bodyBytes: 10)
        let client = try RawClient(port: server.port)
        client.send("POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789")
        client.send("GET /ok HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n")
        #expect(client.awaitState { client.statuses == ["405", "200"] })
        #expect(server.stop(within: hangBound))
    }

    @Test func `a large answer arrives whole`() throws {
        let server = try startServer()
        let answer = try HTTPClient.get(
            host: "127.0.0.1", port: server.port, path: "/large", timeout: hangBound, limitBytes: 64 << 20)
        #expect(answer.body.count == 32 << 20)
        #expect(server.stop(within: hangBound))
    }

    @Test func `stopping ends open connections and frees the port`() throws {
        let server = try startServer()
        let idle = try (0..<5).map { _ in try RawClient(port: server.port) }
        try requireStatistics(server) { $0.open == 5 }
        #expect(server.stop(within: hangBound))
        #expect(server.stop(within: hangBound))
        for client in idle { #expect(client.awaitEnd()) }
        #expect(server.statistics.open == 0)
        #expect(throws: HTTPError.self) {
            try HTTPClient.get(host: "127.0.0.1", port: server.port, path: "/ok")
        }
        let next = try Server(host: "127.0.0.1", port: server.port, routes: [])
        #expect(next.port == server.port)
        #expect(next.stop(within: hangBound))
    }

    @Test func `a server that is let go stops by itself`() throws {
        var server: Server? = try startServer()
        let client = try RawClient(port: try #require(server?.port))
        server = nil
        #expect(client.awaitEnd())
    }

    @Test func `a handler that blocks does not block the stop for ever`() throws {
        let gate = Gate()
        let server = try Server(host: "127.0.0.1", port: 0, routes: [gate.route])
        let client = try RawClient(port: server.port)
        client.send("GET /block HTTP/1.1\r\nHost: x\r\n\r\n")
        gate.awaitVisitor()
        #expect(!server.stop(within: .milliseconds(50)))
        gate.open()
        #expect(server.stop(within: hangBound))
        #expect(client.awaitEnd())
    }

    @Test func `all addresses of the machine are served, of both families`() throws {
        let server = try Server(host: "::", port: 0, routes: [Route(.get, "/ok") { _ in .text(200, "fine") }])
        for host in ["127.0.0.1", "::1", "localhost"] {
            #expect(try HTTPClient.get(host: host, port: server.port, path: "/ok").status == 200)
        }
        #expect(server.stop(within: hangBound))
    }

    @Test func `an address in use or unknown says so`() throws {
        let server = try startServer()
        let inUse = #expect(throws: HTTPError.self) { try Server(host: "127.0.0.1", port: server.port, routes: []) }
        #expect(inUse?.description == "cannot listen on 127.0.0.1:\(server.port): Address already in use")
        let foreign = #expect(throws: HTTPError.self) { try Server(host: "192.0.2.1", port: 0, routes: []) }
        #expect(foreign?.description == "cannot listen on 192.0.2.1:0: Cannot assign requested address")
        let unknown = #expect(throws: HTTPError.self) { try Server(host: "not a host", port: 0, routes: []) }
        guard case .unknownHost("not a host", _) = unknown else {
            Issue.record("\(String(describing: unknown))")
            return
        }
        #expect(server.stop(within: hangBound))
    }
}
