internal import Glibc

/// A fixed number of descriptors to wait for, with poll(2). Allocates when made, never again.
///
/// Every place is empty until it is `set`. One thread only.
@safe
public struct PollSet: ~Copyable {
    // Owned: allocated in init, freed in deinit, `capacity` entries all initialised.
    private let entries: UnsafeMutablePointer<pollfd>
    /// Number of places.
    public let capacity: Int

    /// Makes a set of `capacity` empty places.
    public init(capacity: Int) {
        precondition(capacity > 0, "a poll set needs a place")
        self.capacity = capacity
        unsafe entries = .allocate(capacity: capacity)
        unsafe entries.initialize(repeating: pollfd(fd: -1, events: 0, revents: 0), count: capacity)
    }

    deinit {
        unsafe entries.deallocate()
    }

    /// Puts a descriptor at a place. With neither read nor write only errors and hang-ups wake.
    public mutating func set(_ index: Int, _ descriptor: Int32, read: Bool, write: Bool = false) {
        precondition(index >= 0 && index < capacity, "no such place in the poll set")
        let events = (read ? Int16(POLLIN) : 0) | (write ? Int16(POLLOUT) : 0)
        unsafe entries[index] = pollfd(fd: descriptor, events: events, revents: 0)
    }

    /// Empties a place; poll(2) passes over it.
    public mutating func clear(_ index: Int) {
        precondition(index >= 0 && index < capacity, "no such place in the poll set")
        unsafe entries[index] = pollfd(fd: -1, events: 0, revents: 0)
    }

    /// Waits until a descriptor is ready or the time is over. A signal in between does not end it.
    ///
    /// - Parameter timeoutMilliseconds: 0 only looks, a negative one waits without limit.
    /// - Returns: how many places are ready; 0 when the time is over.
    @discardableResult
    public mutating func wait(timeoutMilliseconds: Int32) -> Int {
        let deadline = timeoutMilliseconds > 0 ? Deadline.after(.milliseconds(timeoutMilliseconds)) : nil
        var left = timeoutMilliseconds
        while true {
            let ready = unsafe poll(entries, nfds_t(capacity), left)
            if ready >= 0 { return Int(ready) }
            // The other causes (EFAULT, EINVAL, ENOMEM) are a broken program or a dying machine.
            precondition(errno == EINTR || errno == EAGAIN, "poll failed")
            left = deadline?.remainingMilliseconds() ?? timeoutMilliseconds
        }
    }

    /// Waits until a descriptor is ready or the deadline has passed.
    @discardableResult
    public mutating func wait(until deadline: Deadline) -> Int {
        wait(timeoutMilliseconds: deadline.remainingMilliseconds())
    }

    /// Whether the last wait found something to read: bytes, an end, or an error that a read will tell.
    public func isReadable(_ index: Int) -> Bool {
        precondition(index >= 0 && index < capacity, "no such place in the poll set")
        return unsafe entries[index].revents & Int16(POLLIN | POLLHUP | POLLERR | POLLNVAL) != 0
    }

    /// Whether the last wait found room to write, or an error that a write will tell.
    public func isWritable(_ index: Int) -> Bool {
        precondition(index >= 0 && index < capacity, "no such place in the poll set")
        return unsafe entries[index].revents & Int16(POLLOUT | POLLHUP | POLLERR | POLLNVAL) != 0
    }

    /// Whether the last wait found an error, a hang-up, or a descriptor that is not open.
    public func isBroken(_ index: Int) -> Bool {
        precondition(index >= 0 && index < capacity, "no such place in the poll set")
        return unsafe entries[index].revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0
    }
}
