internal import Service
internal import Synchronization

/// The server's thread: wait, turn, cut, publish.
// Sendable: `daemon` and `core` belong to the thread that calls `run`, from that call on; the rest is made for sharing.
final class ServerLoop: @unchecked Sendable {
    private var daemon: Daemon?
    private let core: ServerCore
    private let wake: WakeEvent
    private let isStopping = Atomic<Bool>(false)
    /// The statistics as of the last turn.
    let published = Locked(ServerStatistics())

    init(daemon: consuming Daemon, core: ServerCore, wake: WakeEvent) {
        self.daemon = consume daemon
        self.core = core
        self.wake = wake
    }

    /// Makes `run` return. Any thread.
    func requestStop() {
        isStopping.store(true, ordering: .releasing)
        wake.signal()
    }

    /// Serves until asked to stop, then closes everything. Called once, on the server's thread.
    func run() {
        guard let daemon = daemon.take() else { preconditionFailure("a server runs once") }
        var poll = PollSet(capacity: 2)
        poll.set(0, daemon.descriptor, read: true)
        poll.set(1, wake.descriptor, read: true)
        while !isStopping.load(ordering: .acquiring) {
            core.now = .now()
            daemon.turn()
            core.cutConnections()
            publish()
            poll.wait(timeoutMilliseconds: waitMilliseconds(daemon.timeoutMilliseconds))
            if poll.isReadable(1) { wake.drain() }
        }
        core.now = .now()
        _ = consume daemon
        publish()
    }

    /// The shorter of what libmicrohttpd and the next deadline allow; -1: until something happens.
    private func waitMilliseconds(_ daemonMilliseconds: Int32?) -> Int32 {
        let cutMilliseconds = core.nextDeadline?.remainingMilliseconds()
        return switch (daemonMilliseconds, cutMilliseconds) {
        case (nil, nil): -1
        case (let one?, nil), (nil, let one?): one
        case (let one?, let other?): min(one, other)
        }
    }

    private func publish() {
        let statistics = core.statistics
        let hasChanged = published.withLock { state in
            defer { state = statistics }
            return state != statistics
        }
        if hasChanged { published.signal() }
    }
}
