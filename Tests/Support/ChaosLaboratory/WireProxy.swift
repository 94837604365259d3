import Glibc
import Service
import TestSupport

/// Stands between a service and PostgreSQL, understands the protocol's messages, and can stop or cut a session at a
/// chosen one of them.
package final class WireProxy: Sendable {
    /// A place in a lane's transaction.
    package enum Moment: String, Sendable {
        /// The commit's statements are about to reach the server.
        case beforeFence
        /// The fence holds; the server's wish for COPY data is about to reach the service.
        case afterFence
        /// The first piece of COPY data has passed, the rest has not.
        case insideCopy
        /// All data have passed; the end of the COPY, and with it COMMIT, has not.
        case beforeCommit
        /// The server has committed; its word for it is about to reach the service.
        case commitAnswer
        /// The service has just heard that the server has committed.
        case afterAnswer
        /// The server has taken partitions over for the service; its word for it is about to reach the service.
        case takeOverAnswer
    }

    /// What happens at that place.
    package enum Action: Sendable {
        /// Calls this, and passes nothing on until `release`.
        case hold(@Sendable () -> Void)
        /// Closes both ends.
        case cut
    }

    struct State: ~Copyable {
        var trap: (moment: Moment, action: Action)?
        var isHeld = false
        var isStopped = false
        var descriptors: Set<Int32> = []
    }

    /// Where a service finds it.
    package let port: UInt16
    let state = Locked(State())
    private let listener: Int32
    private let target: UInt16

    /// Starts passing connections on to the server at `target`.
    package init(target: UInt16) throws {
        self.target = target
        (listener, port) = try Loopback.listen()
        _ = try ServiceThread(name: "proxy") { [self] in acceptAll() }
    }

    /// The next session that comes to `moment` is stopped there, once.
    package func arm(_ moment: Moment, _ action: Action) {
        state.withLock { $0.trap = (moment, action) }
    }

    /// Whether no session has come to the armed moment yet.
    package var isArmed: Bool { state.withLock { $0.trap != nil } }

    /// Takes the trap away. False when it has sprung already.
    @discardableResult
    package func disarm() -> Bool {
        state.withLock { state in
            defer { state.trap = nil }
            return state.trap != nil
        }
    }

    /// Cuts every connection that stands.
    package func cutAll() {
        state.withLock { state in
            for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    /// Waits until the trap has sprung.
    package func awaitSprung(within limit: Duration = .seconds(30)) throws {
        guard state.wait(until: .after(limit), while: { $0.trap != nil }) else {
            throw TestFailure("no session came to the armed moment within \(limit)")
        }
    }

    /// Lets a held session go on.
    package func release() {
        state.withLock { $0.isHeld = false }
        state.signal()
    }

    /// Ends all.
    package func stop() {
        state.withLock { state in
            state.isStopped = true
            for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
        shutdown(listener, Int32(SHUT_RDWR))
        state.signal()
    }

    private func acceptAll() {
        defer { close(listener) }
        while true {
            let client = accept(listener, nil, nil)
            if client < 0 { return }
            guard let server = Loopback.connect(port: target) else {
                close(client)
                continue
            }
            Loopback.undelay(client)
            let isWanted = state.withLock { state in
                if state.isStopped { return false }
                state.descriptors.formUnion([client, server])
                return true
            }
            let session = WireSession(client: client, server: server, proxy: self)
            do {
                guard isWanted else { throw TestFailure("stopped") }
                _ = try ServiceThread(name: "proxy-session") { session.run() }
            } catch {
                session.close()
            }
        }
    }
}

/// One connection through the proxy, on a thread of its own.
///
/// Unchecked: made by the accepting thread, then used by its own thread alone.
final class WireSession: @unchecked Sendable {
    private let client: Int32
    private let server: Int32
    private let proxy: WireProxy
    private var fromClient: [UInt8] = []
    private var fromServer: [UInt8] = []
    private var hasStarted = false
    /// Which transaction the last query was.
    private var isCommit = false
    private var isTakeOver = false

    private enum Verdict {
        case pass
        case holdBefore(@Sendable () -> Void)
        case holdAfter(@Sendable () -> Void)
        case cut
    }

    init(client: Int32, server: Int32, proxy: WireProxy) {
        self.client = client
        self.server = server
        self.proxy = proxy
    }

    func run() {
        defer { close() }
        var poll = PollSet(capacity: 2)
        poll.set(0, client, read: true)
        poll.set(1, server, read: true)
        while true {
            poll.wait(timeoutMilliseconds: -1)
            if poll.isReadable(0) {
                guard Loopback.receive(from: client, into: &fromClient) else { return }
                while let message = nextFromClient() {
                    guard pass(message, to: server, judgeFromClient(message)) else { return }
                }
            }
            if poll.isReadable(1) {
                guard Loopback.receive(from: server, into: &fromServer) else { return }
                while let message = Self.next(&fromServer, typed: true) {
                    guard pass(message, to: client, judgeFromServer(message)) else { return }
                }
            }
        }
    }

    func close() {
        proxy.state.withLock { $0.descriptors.subtract([client, server]) }
        Glibc.close(client)
        Glibc.close(server)
    }

    // MARK: - Messages

    private func nextFromClient() -> ArraySlice<UInt8>? {
        guard let message = Self.next(&fromClient, typed: hasStarted) else { return nil }
        hasStarted = true
        return message
    }

    /// Takes a whole message off the front: a type byte unless it is the first one, four bytes of length, the rest.
    private static func next(_ buffer: inout [UInt8], typed: Bool) -> ArraySlice<UInt8>? {
        let head = typed ? 1 : 0
        guard buffer.count >= head + 4 else { return nil }
        let length = buffer[head..<head + 4].reduce(0) { $0 << 8 | Int($1) }
        guard buffer.count >= head + length else { return nil }
        let message = buffer[..<(head + length)]
        buffer.removeFirst(head + length)
        return message
    }

    private func judgeFromClient(_ message: ArraySlice<UInt8>) -> Verdict {
        switch message.first {
        case UInt8(ascii: "Q"):
            let text = String(decoding: message.dropFirst(5), as: UTF8.self)
            isCommit = text.contains("ops.advance(")
            isTakeOver = text.contains("ops.take_over(")
            return isCommit ? spring(.beforeFence) : .pass
        case UInt8(ascii: "d"): return isCommit ? spring(.insideCopy, after: true) : .pass
        case UInt8(ascii: "c"): return isCommit ? spring(.beforeCommit) : .pass
        default: return .pass
        }
    }

    private func judgeFromServer(_ message: ArraySlice<UInt8>) -> Verdict {
        switch message.first {
        case UInt8(ascii: "G"): return isCommit ? spring(.afterFence) : .pass
        case UInt8(ascii: "C"):
            guard message.dropFirst(5).elementsEqual(Array("COMMIT\0".utf8)) else { return .pass }
            if isCommit {
                let verdict = spring(.commitAnswer)
                if case .pass = verdict { return spring(.afterAnswer, after: true) }
                return verdict
            }
            return isTakeOver ? spring(.takeOverAnswer) : .pass
        default: return .pass
        }
    }

    /// The armed trap's action when this is its moment; it is disarmed then.
    private func spring(_ moment: WireProxy.Moment, after: Bool = false) -> Verdict {
        let action = proxy.state.withLock { state -> WireProxy.Action? in
            guard let trap = state.trap, trap.moment == moment else { return nil }
            state.trap = nil
            if case .hold = trap.action { state.isHeld = true }
            return trap.action
        }
        switch action {
        case nil: return .pass
        case .cut?:
            proxy.state.signal()
            return .cut
        case .hold(let call)?: return after ? .holdAfter(call) : .holdBefore(call)
        }
    }

    private func pass(_ message: ArraySlice<UInt8>, to peer: Int32, _ verdict: Verdict) -> Bool {
        switch verdict {
        case .pass: return Loopback.send(message, to: peer)
        case .cut: return false
        case .holdBefore(let call):
            hold(call)
            return Loopback.send(message, to: peer)
        case .holdAfter(let call):
            guard Loopback.send(message, to: peer) else { return false }
            hold(call)
            return true
        }
    }

    private func hold(_ call: () -> Void) {
        call()
        proxy.state.signal()
        _ = proxy.state.wait(until: nil) { $0.isHeld && !$0.isStopped }
    }
}
