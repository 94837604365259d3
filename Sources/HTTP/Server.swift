internal import CMicroHTTPD
public import Service  // SystemError stands in HTTPError, and the statistics are awaited with a Deadline.

/// An HTTP/1.1 server on a thread of its own.
///
/// It serves small answers to many clients and lends none of them more than its `Limits`: time runs per exchange, not
/// per silence, so a byte a second is cut off like no byte at all. Requests that can be read in two ways (two lengths,
/// a length and a transfer encoding) are refused and their connection ends.
public final class Server: Sendable {
    /// The port it listens on, also when any was asked for.
    public let port: UInt16
    private let loop: ServerLoop
    private let thread: ServiceThread

    /// Listens and starts serving.
    ///
    /// - Parameters:
    ///   - host: an address of this machine or a name; `0.0.0.0` and `::` are all of them.
    ///   - port: 0 takes any that is free.
    ///   - routes: their handlers run on the server's thread and must not block.
    public init(host: String, port: UInt16, routes: [Route], limits: Limits = Limits()) throws(HTTPError) {
        var boundPort: UInt16 = 0
        let listener = try Socket.listening(host: host, port: port, boundPort: &boundPort)
        let core = ServerCore(limits: limits, routes: routes, now: .now())
        let daemon = try Daemon(listener: listener, core: core, limits: limits)
        do throws(SystemError) {
            let loop = ServerLoop(daemon: daemon, core: core, wake: try WakeEvent())
            self.loop = loop
            self.port = boundPort
            self.thread = try ServiceThread(name: "http") { loop.run() }
        } catch {
            throw .cannotStart(error)
        }
    }

    deinit {
        // The thread keeps what it needs; it ends by itself soon after.
        loop.requestStop()
    }

    /// Version of the libmicrohttpd that is loaded.
    public static var libraryVersion: String { unsafe String(cString: vs_http_library_version()) }

    /// Stops listening, closes every connection and ends the thread. May be called again; any thread but its own.
    ///
    /// - Returns: false when a handler still blocks the thread after `limit`.
    public func stop(within limit: Duration) -> Bool {
        loop.requestStop()
        return thread.join(within: limit)
    }

    /// What it has done so far, as of the thread's last turn.
    public var statistics: ServerStatistics { loop.published.withLock { $0 } }

    /// Waits until the statistics satisfy `condition`.
    ///
    /// - Returns: false when they do not before the deadline.
    public func awaitStatistics(
        until deadline: Deadline, satisfying condition: (ServerStatistics) -> Bool
    ) -> Bool {
        loop.published.wait(until: deadline) { !condition($0) }
    }
}
