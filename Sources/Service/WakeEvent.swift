internal import CPosix
internal import Glibc

/// Wakes a thread that waits in poll(2): an eventfd to stand beside its sockets.
///
/// Any thread may signal; signals add up until the waiter drains them. Closed with the last reference.
public final class WakeEvent: Sendable {
    /// For poll(2), to be awaited as readable. Valid as long as this object is.
    public let descriptor: Int32

    /// Throws when the process has no descriptor left (EMFILE).
    public init() throws(SystemError) {
        let descriptor = cposix_event_create()
        guard descriptor >= 0 else { throw SystemError.current("make an event") }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Makes the descriptor readable. Never blocks; may be called from a C callback.
    public func signal() {
        cposix_event_signal(descriptor)
    }

    /// Makes the descriptor unreadable again.
    ///
    /// - Returns: how many signals had come since the last call.
    @discardableResult
    public func drain() -> UInt64 {
        cposix_event_drain(descriptor)
    }
}
