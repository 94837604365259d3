internal import CMicroHTTPD
internal import Service

/// What the server decides; libmicrohttpd moves the bytes.
///
/// Lives on the server's thread: libmicrohttpd calls back only inside `Daemon.turn` and the daemon's end.
final class ServerCore {
    private let limits: Limits
    private let router: Router
    private var table: ConnectionTable

    /// The present turn's time. Set by the loop, so that nothing in here asks a clock.
    var now: MonotonicTime
    /// Counted as things happen; the loop publishes it.
    var statistics = ServerStatistics()

    init(limits: Limits, routes: [Route], now: MonotonicTime) {
        self.limits = limits
        self.router = Router(routes)
        self.table = ConnectionTable(exchange: limits.exchange)
        self.now = now
    }

    /// Cuts whoever is too slow or too many.
    func cutConnections() {
        while let socket = table.takeOverdue(at: now) {
            vs_http_cut(socket)
            statistics.cutByDeadline += 1
        }
        while let socket = table.takeSurplus(over: limits.connections) {
            vs_http_cut(socket)
            statistics.cutForRoom += 1
        }
    }

    /// When `cutConnections` has something to do again.
    var nextDeadline: Deadline? { table.nextDeadline }

    // MARK: Called by libmicrohttpd

    func opened(socket: Int32) -> Int32 {
        statistics.accepted += 1
        defer { statistics.open = table.openCount }
        return table.open(socket: socket, at: now)
    }

    func closed(slot: Int32) {
        table.close(slot)
        statistics.open = table.openCount
    }

    func headersArrived(method: String, framing: Framing) -> RequestGate.Refusal? {
        let refusal = RequestGate.refusal(
            method: Method(rawValue: method), framing: framing, bodyLimitBytes: limits.bodyBytes)
        if refusal != nil { statistics.refused += 1 }
        return refusal
    }

    /// Whether the rest of the body may come.
    func bodyArrived(slot: Int32, bytes: Int) -> Bool {
        guard table.countBody(slot, bytes: bytes) > limits.bodyBytes else { return true }
        statistics.droppedBodies += 1
        return false
    }

    func requestArrived(method: String, path: String) -> Response {
        guard let method = Method(rawValue: method) else { return RequestGate.Refusal.unknownMethod.response }
        statistics.answered += 1
        return router.answer(Request(method: method, path: path))
    }

    func exchangeFinished(slot: Int32) {
        table.exchangeFinished(slot, at: now)
    }
}
