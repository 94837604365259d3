import HTTP
import Service
import Testing

@Suite(.timeLimit(.minutes(2))) struct HTTPClientTests {
    @Test func `nobody listening is an error with its cause`() throws {
        let server = try startServer()
        #expect(server.stop(within: hangBound))
        let error = #expect(throws: HTTPError.self) {
            try HTTPClient.get(host: "127.0.0.1", port: server.port, path: "/ok")
        }
        #expect(error?.description == "cannot connect to 127.0.0.1:\(server.port): Connection refused")
    }

    @Test func `an answer that does not come in time is an error`() throws {
        let gate = Gate()
        let server = try Server(host: "127.0.0.1", port: 0, routes: [gate.route])
        let error = #expect(throws: HTTPError.self) {
            try HTTPClient.get(host: "127.0.0.1", port: server.port, path: "/block", timeout: .milliseconds(50))
        }
        #expect(error == .deadlineExceeded(address: "127.0.0.1:\(server.port)"))
        gate.open()
        #expect(server.stop(within: hangBound))
    }

    @Test func `an answer that is too long is an error`() throws {
        let server = try startServer()
        let error = #expect(throws: HTTPError.self) {
            try HTTPClient.get(
                host: "127.0.0.1", port: server.port, path: "/large", timeout: hangBound, limitBytes: 1_000)
        }
        #expect(error == .answerTooLong(address: "127.0.0.1:\(server.port)", limitBytes: 1_000))
        #expect(server.stop(within: hangBound))
    }
}
