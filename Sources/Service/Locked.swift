// Public, since `withLock` is inlined into the callers' modules and calls the C lock there.
public import CPosix

// Sendable because every access to `state` happens with `lock` held.
/// A value that threads share, behind a mutex and its condition.
///
/// The mutex lives on the heap: 6 ns a lock, and ThreadSanitizer sees it (it misjudges `Synchronization.Mutex`).
/// Never hold it across I/O or a log line.
@safe
public final class Locked<State: ~Copyable>: @unchecked Sendable {
    @usableFromInline let lock: OpaquePointer
    @usableFromInline let state: UnsafeMutablePointer<State>

    /// Takes the value over. Traps when the kernel has no memory for a mutex.
    public init(_ initial: consuming sending State) {
        guard let lock = unsafe cposix_lock_create() else {
            preconditionFailure("no memory for a mutex")
        }
        unsafe self.lock = lock
        unsafe self.state = .allocate(capacity: 1)
        unsafe self.state.initialize(to: initial)
    }

    deinit {
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
        unsafe cposix_lock_destroy(lock)
    }

    /// Runs `body` with the value, alone. Not recursive: a second lock of the same thread never returns.
    @inlinable
    public func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        unsafe cposix_lock_acquire(lock)
        defer { unsafe cposix_lock_release(lock) }
        return try unsafe body(&state.pointee)
    }

    /// Waits while `condition` holds. It is asked with the lock held, first at once and then after each `signal()`;
    /// it may change the value, so that "take the next one, or wait" is one step.
    ///
    /// - Returns: true once `condition` is false, false when the deadline (nil: none) passed before.
    public func wait(until deadline: Deadline?, while condition: (inout State) -> Bool) -> Bool {
        unsafe cposix_lock_acquire(lock)
        defer { unsafe cposix_lock_release(lock) }
        var inTime = true
        while unsafe condition(&state.pointee) {
            // Asked once more after the time is over: the last signal may have come together with its end.
            guard inTime else { return false }
            inTime = unsafe cposix_lock_wait(lock, deadline?.time.nanoseconds ?? -1)
        }
        return true
    }

    /// Wakes every thread in `wait`, each of which asks its condition again. Call it after the value was changed.
    public func signal() {
        unsafe cposix_lock_wake_all(lock)
    }
}
