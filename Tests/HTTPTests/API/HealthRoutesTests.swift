import API
import HTTP
import Service
import Testing

@Suite(.timeLimit(.minutes(2))) struct HealthRoutesTests {
    /// A server whose snapshot the test can change.
    private func start(_ health: Locked<ServiceHealth>) throws -> Server {
        try Server(
            host: "127.0.0.1", port: 0,
            routes: HealthRoutes.routes(staleMilliseconds: 10_000) { health.withLock { $0 } })
    }

    private func get(_ server: Server, _ path: String) throws -> HTTPClient.Answer {
        try HTTPClient.get(host: "127.0.0.1", port: server.port, path: path, timeout: hangBound)
    }

    @Test func `ready and alive are 200, and their opposites 503 with reasons`() throws {
        let health = Locked(ServiceHealth(lanes: [lane()]))
        let server = try start(health)
        #expect(try get(server, "/healthz").status == 200)
        #expect(try get(server, "/readyz").status == 200)

        health.withLock { $0.lanes[0].database = .unavailable(reason: "away") }
        #expect(try get(server, "/healthz").status == 200)
        let unready = try get(server, "/readyz")
        #expect(unready.status == 503)
        #expect(unready.header("content-type") == "application/json")
        #expect(try ReadinessReport(parsing: unready.body).reasons == ["lane-0: database not writable: away"])

        health.withLock { $0.lanes[0].lastTurnAgeMilliseconds = 60_000 }
        let stalled = try get(server, "/healthz")
        #expect(stalled.status == 503)
        #expect(
            String(decoding: stalled.body, as: UTF8.self)
                == #"{"status":"stalled","reasons":["lane-0: no turn for 60000 ms"],"#
                + #""lanes":[{"name":"lane-0","lastTurnAgeMilliseconds":60000}]}"#)
        #expect(server.stop(within: hangBound))
    }

    @Test func `every other path is 404`() throws {
        let server = try start(Locked(ServiceHealth(lanes: [lane()])))
        for path in ["/", "/health", "/healthz/", "/readyz/x", "/metrics"] {
            #expect(try get(server, path).status == 404)
        }
        #expect(server.stop(within: hangBound))
    }
}
