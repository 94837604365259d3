import Glibc
import HTTP
import Service
import Testing

/// A client that sends what it likes and watches how its connection ends.
final class RawClient {
    /// How a connection ended, as the client sees it.
    enum End: Equatable {
        case closed
        case reset
    }

    private let socket: Socket
    private(set) var received: [UInt8] = []
    private(set) var end: End?

    init(port: UInt16) throws {
        socket = try Socket.connected(host: "127.0.0.1", port: port, by: .after(hangBound))
    }

    var descriptor: Int32 { socket.descriptor }
    var text: String { String(decoding: received, as: UTF8.self) }
    /// Status codes of the answers received, in order.
    var statuses: [String] {
        text.split(separator: "HTTP/1.1 ", omittingEmptySubsequences: false).dropFirst().map { String($0.prefix(3)) }
    }

    /// Sends what the kernel takes now; notes the end when the other side is gone.
    ///
    /// - Returns: how many bytes went.
    @discardableResult
    func send(_ bytes: ArraySlice<UInt8>) -> Int {
        do {
            return try socket.send(bytes)
        } catch {
            end = .reset
            return 0
        }
    }

    @discardableResult
    func send(_ text: String) -> Int { send(Array(text.utf8)[...]) }

    /// Tells the server that nothing more will come.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Takes what is there now.
    func receive() {
        guard end == nil else { return }
        do {
            while let count = try socket.receive(into: &received, limit: 65_536) {
                if count == 0 {
                    end = .closed
                    return
                }
            }
        } catch {
            end = .reset
        }
    }

    /// Reads until the connection ends. False when it does not before the bound.
    func awaitEnd() -> Bool { awaitState { self.end != nil } }

    /// Reads until the condition holds. False when it does not before the bound, or the connection ended without.
    func awaitState(_ condition: () -> Bool) -> Bool {
        let deadline = Deadline.after(hangBound)
        var poll = PollSet(capacity: 1)
        poll.set(0, descriptor, read: true)
        while !condition() {
            if end != nil || deadline.hasPassed() || poll.wait(until: deadline) == 0 { return false }
            receive()
        }
        return true
    }
}

/// Sends as much of `bytes` as the server takes, reading what it answers, until all is sent or the connection ends.
func pour(_ bytes: [UInt8], into client: RawClient) -> Bool {
    let deadline = Deadline.after(hangBound)
    var poll = PollSet(capacity: 1)
    var rest = bytes[...]
    while !rest.isEmpty && client.end == nil {
        poll.set(0, client.descriptor, read: true, write: true)
        guard poll.wait(until: deadline) > 0 else { return false }
        if poll.isReadable(0) { client.receive() }
        if client.end == nil { rest = rest.dropFirst(client.send(rest)) }
    }
    return true
}

/// Nothing here takes so long unless it hangs.
let hangBound = Duration.seconds(30)

/// A server with one small route on `/ok` and one of 32 MiB on `/large`.
func startServer(
    exchange: Duration = .seconds(60), connections: Int = 512, bodyBytes: Int64 = 65_536
) throws -> Server {
    let large = [UInt8](repeating: UInt8(ascii: "x"), count: 32 << 20)
    return try Server(
        host: "127.0.0.1", port: 0,
        routes: [
            Route(.get, "/ok") { _ in .text(200, "fine") },
            Route(.get, "/large") { _ in Response(status: 200, contentType: "text/plain", body: large) },
        ],
        limits: Limits(exchange: exchange, connections: connections, bodyBytes: bodyBytes))
}

/// Expects that a well-behaved client is answered now.
///
/// - Returns: how long that took.
@discardableResult
func expectAnswered(_ server: Server, sourceLocation: SourceLocation = #_sourceLocation) -> Duration {
    let start = MonotonicTime.now()
    do {
        let answer = try HTTPClient.get(host: "127.0.0.1", port: server.port, path: "/ok", timeout: hangBound)
        #expect(answer.status == 200, sourceLocation: sourceLocation)
    } catch {
        Issue.record("not answered: \(error)", sourceLocation: sourceLocation)
    }
    return MonotonicTime.now() - start
}

/// Waits for the server's own account of what happened; the test ends here when it does not come.
func requireStatistics(
    _ server: Server, sourceLocation: SourceLocation = #_sourceLocation,
    satisfying condition: (ServerStatistics) -> Bool
) throws {
    let isSatisfied = server.awaitStatistics(until: .after(hangBound), satisfying: condition)
    try #require(isSatisfied, "\(server.statistics)", sourceLocation: sourceLocation)
}

/// A route that holds its server's thread until it is opened.
final class Gate: Sendable {
    private enum State { case empty, visited, open }
    private let state = Locked(State.empty)

    var route: Route {
        Route(.get, "/block") { [state] _ in
            state.withLock { if $0 == .empty { $0 = .visited } }
            state.signal()
            _ = state.wait(until: .after(hangBound)) { $0 != .open }
            return .text(200, "late")
        }
    }

    /// Waits until a request stands in the gate.
    func awaitVisitor(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(state.wait(until: .after(hangBound)) { $0 == .empty }, sourceLocation: sourceLocation)
    }

    func open() {
        state.withLock { $0 = .open }
        state.signal()
    }
}
