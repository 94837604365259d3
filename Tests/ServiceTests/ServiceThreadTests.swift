import Service
import Testing

@Suite struct ServiceThreadTests {
    @Test func `a thread carries the first fifteen bytes of its name`() throws {
        let seen = Locked("")
        let thread = try ServiceThread(name: "lane-with-a-long-name") {
            let name = ServiceThread.currentName
            seen.withLock { $0 = name }
        }
        #expect(thread.join(within: .seconds(30)))
        #expect(seen.withLock { $0 } == "lane-with-a-lon")
        #expect(thread.name == "lane-with-a-long-name")
    }

    @Test func `join gives up at its limit and may be asked again`() throws {
        let gate = Locked(false)
        let thread = try ServiceThread(name: "gated") { _ = gate.wait(until: nil, while: { !$0 }) }
        #expect(!thread.join(within: .milliseconds(5)))
        #expect(!thread.hasEnded)
        gate.withLock { $0 = true }
        gate.signal()
        #expect(thread.join(within: .seconds(30)))
        #expect(thread.join(within: .zero), "a second join sees the same end")
        #expect(thread.hasEnded)
    }

    @Test func `a thread that nobody joins ends by itself`() throws {
        let done = Locked(false)
        _ = try ServiceThread(name: "alone") {
            done.withLock { $0 = true }
            done.signal()
        }
        #expect(done.wait(until: .after(.seconds(30)), while: { !$0 }))
    }
}
