internal import CPosix

/// A thread of the operating system with a name, which can be awaited with a deadline.
///
/// Its body runs to its end; nothing ends it from outside. Tell it to stop through a `StopFlag` or a `WakeEvent`.
public final class ServiceThread: Sendable {
    /// The name as given; tools such as `top -H` show its first 15 bytes.
    public let name: String
    private let handle: UInt64
    private let progress: Locked<Progress>

    private struct Progress {
        var hasEnded = false
        var isJoined = false
    }

    /// What the new thread takes with it.
    private final class Start {
        let body: @Sendable () -> Void
        let progress: Locked<Progress>

        init(body: @escaping @Sendable () -> Void, progress: Locked<Progress>) {
            self.body = body
            self.progress = progress
        }
    }

    /// Starts the thread at once. Throws when the system has no more threads to give (EAGAIN).
    public init(name: String, body: @escaping @Sendable () -> Void) throws(SystemError) {
        let progress = Locked(Progress())
        // Released by the thread itself: it takes the retained reference over.
        let start = unsafe Unmanaged.passRetained(Start(body: body, progress: progress))
        var handle: UInt64 = 0
        let code = unsafe cposix_thread_start(&handle, name, ServiceThread.run, start.toOpaque())
        guard code == 0 else {
            unsafe start.release()
            throw SystemError(code: code, operation: "start the thread", subject: name)
        }
        self.name = name
        self.handle = handle
        self.progress = progress
    }

    deinit {
        // A thread that nobody joined goes on alone and cleans up after itself.
        if !progress.withLock({ $0.isJoined }) { cposix_thread_detach(handle) }
    }

    /// Whether the body has returned.
    public var hasEnded: Bool { progress.withLock { $0.hasEnded } }

    /// Waits for the body to return. False when it still runs after `limit`; the thread goes on then, and a later
    /// call may wait again. Not to be called by the thread itself.
    public func join(within limit: Duration) -> Bool {
        guard progress.wait(until: .after(limit), while: { !$0.hasEnded }) else { return false }
        let isMine = progress.withLock { state in
            defer { state.isJoined = true }
            return !state.isJoined
        }
        if isMine { cposix_thread_join(handle) }
        return true
    }

    /// The name of the calling thread, at most 15 bytes.
    public static var currentName: String {
        var buffer = [CChar](repeating: 0, count: 32)
        unsafe cposix_thread_name(&buffer, buffer.count)
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    // A function without captures: it is called by C on the new thread.
    private static let run: @convention(c) (UnsafeMutableRawPointer) -> Void = { context in
        let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        start.body()
        start.progress.withLock { $0.hasEnded = true }
        start.progress.signal()
    }
}
