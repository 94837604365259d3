import Service
import Testing

@Suite struct LockedTests {
    /// Counts its end, to see who owns it.
    private struct Ticket: ~Copyable {
        let ends: Locked<Int>
        var number: Int
        deinit { ends.withLock { $0 += 1 } }
    }

    @Test func `four threads count without losing one`() throws {
        let counter = Locked(0)
        let threads = try (0..<4).map { index in
            try ServiceThread(name: "count-\(index)") {
                for _ in 0..<10_000 { counter.withLock { $0 += 1 } }
            }
        }
        for thread in threads { #expect(thread.join(within: .seconds(30))) }
        #expect(counter.withLock { $0 } == 40_000)
    }

    @Test func `a waiter takes what another thread leaves`() throws {
        let queue = Locked<[Int]>([])
        let thread = try ServiceThread(name: "giver") {
            for number in 1...3 {
                queue.withLock { $0.append(number) }
                queue.signal()
            }
        }
        var taken: [Int] = []
        while taken.count < 3 {
            let inTime = queue.wait(until: .after(.seconds(30))) { queue in
                taken += queue
                queue = []
                return taken.count < 3
            }
            #expect(inTime)
        }
        #expect(taken == [1, 2, 3])
        #expect(thread.join(within: .seconds(30)))
    }

    @Test func `waiting ends at the deadline`() {
        let nothing = Locked(false)
        #expect(!nothing.wait(until: .after(.milliseconds(5)), while: { !$0 }))
        #expect(!nothing.wait(until: Deadline(at: MonotonicTime(nanoseconds: -1)), while: { !$0 }))
    }

    @Test func `a condition that is met already does not wait`() {
        let done = Locked(true)
        #expect(done.wait(until: Deadline(at: MonotonicTime(nanoseconds: 0)), while: { !$0 }))
        #expect(done.wait(until: nil, while: { !$0 }))
    }

    @Test func `a noncopyable value lives as long as its lock`() {
        let ends = Locked(0)
        do {
            let ticket = Locked(Ticket(ends: ends, number: 7))
            ticket.withLock { $0.number += 1 }
            #expect(ticket.withLock { $0.number } == 8)
            #expect(ends.withLock { $0 } == 0)
        }
        #expect(ends.withLock { $0 } == 1)
    }

    @Test func `the lock is free again after a throw`() {
        struct Refused: Error {}
        let value = Locked(1)
        #expect(throws: Refused.self) {
            try value.withLock { (_: inout Int) throws(Refused) in throw Refused() }
        }
        #expect(value.withLock { $0 } == 1)
    }
}
