package import Service  // Instants and deadlines come in and go out.

/// Who is connected, in the order in which their time runs out.
///
/// Every connection has the same time for an exchange, so whoever started last is last in the list, and the head is
/// the next to be cut. A connection that was cut stays in its slot, outside the list, until it is closed.
/// Allocates only when more connections are open than ever before.
package struct ConnectionTable {
    private struct Entry {
        var socket: Int32 = -1
        var deadline = MonotonicTime(nanoseconds: 0)
        var bodyBytes: Int64 = 0
        var previous: Int32 = none
        var next: Int32 = none
        var isListed = false
    }

    private static let none: Int32 = -1

    private let exchange: Duration
    private var entries: [Entry] = []
    private var freeSlots: [Int32] = []
    private var head = none
    private var tail = none

    /// Connections that are open, cut ones included.
    package private(set) var openCount = 0
    /// Connections that still may speak.
    package private(set) var listedCount = 0

    /// A table whose connections have `exchange` for each request and its answer.
    package init(exchange: Duration) {
        self.exchange = exchange
    }

    /// Takes a new connection in. Its time begins at `now`, which never goes back from call to call.
    package mutating func open(socket: Int32, at now: MonotonicTime) -> Int32 {
        let slot: Int32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = Int32(entries.count)
            entries.append(Entry())
        }
        entries[Int(slot)] = Entry()
        entries[Int(slot)].socket = socket
        openCount += 1
        append(slot, at: now)
        return slot
    }

    /// Forgets a connection that is being closed.
    package mutating func close(_ slot: Int32) {
        precondition(entries[Int(slot)].socket >= 0, "the slot is free")
        if entries[Int(slot)].isListed { unlink(slot) }
        entries[Int(slot)].socket = -1
        freeSlots.append(slot)
        openCount -= 1
    }

    /// Begins the time of the next exchange, after an answer was sent. A connection that was cut gets none.
    package mutating func exchangeFinished(_ slot: Int32, at now: MonotonicTime) {
        entries[Int(slot)].bodyBytes = 0
        guard entries[Int(slot)].isListed else { return }
        unlink(slot)
        append(slot, at: now)
    }

    /// Counts bytes of the body of the present request.
    ///
    /// - Returns: how many have come so far.
    package mutating func countBody(_ slot: Int32, bytes: Int) -> Int64 {
        entries[Int(slot)].bodyBytes += Int64(bytes)
        return entries[Int(slot)].bodyBytes
    }

    /// When the next connection is to be cut; nil without any.
    package var nextDeadline: Deadline? {
        head == Self.none ? nil : Deadline(at: entries[Int(head)].deadline)
    }

    /// Takes the first connection whose time is over out of the list; the caller cuts its socket. Nil when all have
    /// time left.
    package mutating func takeOverdue(at now: MonotonicTime) -> Int32? {
        guard head != Self.none, entries[Int(head)].deadline <= now else { return nil }
        return takeHead()
    }

    /// Takes the connection with the least time left out of the list when there are more than `limit`.
    package mutating func takeSurplus(over limit: Int) -> Int32? {
        listedCount > limit ? takeHead() : nil
    }

    private mutating func takeHead() -> Int32 {
        let slot = head
        unlink(slot)
        return entries[Int(slot)].socket
    }

    private mutating func append(_ slot: Int32, at now: MonotonicTime) {
        entries[Int(slot)].deadline = now.advanced(by: exchange)
        entries[Int(slot)].previous = tail
        entries[Int(slot)].next = Self.none
        entries[Int(slot)].isListed = true
        if tail == Self.none { head = slot } else { entries[Int(tail)].next = slot }
        tail = slot
        listedCount += 1
    }

    private mutating func unlink(_ slot: Int32) {
        let entry = entries[Int(slot)]
        if entry.previous == Self.none { head = entry.next } else { entries[Int(entry.previous)].next = entry.next }
        if entry.next == Self.none { tail = entry.previous } else { entries[Int(entry.next)].previous = entry.previous }
        entries[Int(slot)].isListed = false
        listedCount -= 1
    }
}
