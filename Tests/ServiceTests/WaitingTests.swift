import Glibc
import Service
import Testing

/// Events, polling, and the stop of the program.
@Suite struct WaitingTests {
    /// What the last wait found at a place, as letters. (`#expect` cannot take a noncopyable value apart.)
    private func found(_ set: borrowing PollSet, _ index: Int) -> String {
        (set.isReadable(index) ? "r" : "") + (set.isWritable(index) ? "w" : "") + (set.isBroken(index) ? "b" : "")
    }

    @Test func `an event is readable from its signal to its drain`() throws {
        let event = try WakeEvent()
        var set = PollSet(capacity: 1)
        set.set(0, event.descriptor, read: true)
        #expect(set.wait(timeoutMilliseconds: 0) == 0)
        #expect(found(set, 0) == "")
        event.signal()
        event.signal()
        #expect(set.wait(timeoutMilliseconds: 0) == 1)
        #expect(found(set, 0) == "r")
        #expect(event.drain() == 2)
        #expect(event.drain() == 0)
        #expect(set.wait(timeoutMilliseconds: 0) == 0)
    }

    @Test func `a signal of another thread ends a wait without limit`() throws {
        let event = try WakeEvent()
        let thread = try ServiceThread(name: "waker") { event.signal() }
        var set = PollSet(capacity: 2)
        set.set(1, event.descriptor, read: true)
        #expect(set.wait(timeoutMilliseconds: -1) == 1)
        #expect(found(set, 1) == "r" && found(set, 0) == "")
        #expect(thread.join(within: .seconds(30)))
    }

    @Test func `an empty place is passed over`() throws {
        let event = try WakeEvent()
        event.signal()
        var set = PollSet(capacity: 1)
        set.set(0, event.descriptor, read: true)
        set.clear(0)
        #expect(set.wait(until: .after(.milliseconds(1))) == 0)
    }

    @Test func `room to write and a closed descriptor are told apart`() throws {
        let event = try WakeEvent()
        var set = PollSet(capacity: 1)
        set.set(0, event.descriptor, read: false, write: true)
        #expect(set.wait(timeoutMilliseconds: 0) == 1)
        #expect(found(set, 0) == "w")
        // No process has this many descriptors.
        set.set(0, 1_000_000_000, read: true)
        #expect(set.wait(timeoutMilliseconds: 0) == 1)
        #expect(found(set, 0) == "rwb")
    }

    @Test func `a stop signal that came early is not lost, and none is waited for at most so long`() throws {
        let seen = Locked<[StopSignal?]>([])
        // Blocked and sent on one thread only, so that the test program itself lives on.
        let thread = try ServiceThread(name: "signals") {
            StopSignal.blockBeforeThreads()
            pthread_kill(pthread_self(), SIGTERM)
            let first = StopSignal.wait()
            pthread_kill(pthread_self(), SIGINT)
            let second = StopSignal.wait(within: .seconds(30))
            let third = StopSignal.wait(within: .milliseconds(1))
            seen.withLock { $0 = [first, second, third] }
        }
        #expect(thread.join(within: .seconds(60)))
        #expect(seen.withLock { $0 } == [.terminate, .interrupt, nil])
    }

    @Test func `the stop flag wakes those who wait and those who come late`() throws {
        let flag = StopFlag()
        let early = try WakeEvent()
        flag.wake(early)
        #expect(!flag.isSet)
        #expect(early.drain() == 0)
        flag.set()
        #expect(flag.isSet)
        #expect(early.drain() > 0)
        let late = try WakeEvent()
        flag.wake(late)
        #expect(late.drain() > 0)
    }
}
