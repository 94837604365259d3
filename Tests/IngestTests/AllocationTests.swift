import CMallocCounter
import Ingest
import Kafka
import Service
import Testing
import VitalSigns

extension OnAServer {
    /// A batch allocates, a row does not: from the source's memory to the server's socket.
    struct AllocationTests {
        /// A lane on a real server, turned by the test. A struct: in a release build of Swift 6.3 a class that holds a
        /// noncopyable lane and loops over it traps for a simultaneous access that is none.
        private struct Bench: ~Copyable {
            let messages = SteadyMessages(capacity: 65_536)
            private var lane: Lane<SteadySource, PostgresStore>
            private var poll = PollSet(capacity: 1)

            init(_ url: String) {
                var configuration = LaneConfiguration(lane: 0, topics: ["vitals"])
                configuration.maxFutureMilliseconds = nil
                lane = Lane(
                    configuration: configuration, source: SteadySource(messages: messages),
                    store: PostgresStore(
                        databaseURL: url, applicationName: "lane", consumerGroup: "g",
                        requiredMigration: StoreLab.newestMigration),
                    log: Log(level: .error), now: .now())
            }

            var counters: LaneCounters { lane.status().counters }

            /// Writes `count` messages and turns until all are committed, in one batch but for the first slice.
            mutating func allocations(for count: Int) -> Int {
                messages.write(count)
                let wanted = counters.consumed + Int64(count)
                let deadline = Deadline.after(.seconds(60))
                malloc_counter_begin()
                while true {
                    if lane.turn(now: .now()) { continue }
                    let interest = lane.interest.store
                    // Nothing under way and nothing to take: done.
                    if interest.descriptor < 0, isDone(wanted) || deadline.hasPassed() { break }
                    poll.set(0, interest.descriptor, read: interest.read, write: interest.write)
                    _ = poll.wait(timeoutMilliseconds: 20)
                }
                return Int(malloc_counter_end().allocations)
            }

            private func isDone(_ wanted: Int64) -> Bool { lane.status().counters.consumed >= wanted }
        }

        /// Without optimisation closures and generic calls allocate, about four times a reading.
        private static var canProve: Bool {
            #if DEBUG
            false
            #else
            malloc_counter_available()
            #endif
        }

        @Test(.enabled(if: canProve, "needs a release build, and no sanitizer, which has its own malloc"))
        func `a batch of 65,536 readings allocates no more than one of 8,192`() throws {
            let lab = try StoreLab()
            var bench = Bench(lab.url)
            // The first rounds make what is made once: buffers, sessions, patients, origins.
            for _ in 0..<2 {
                _ = bench.allocations(for: 65_536)
                _ = bench.allocations(for: 8_192)
            }
            let before = bench.counters
            let large = bench.allocations(for: 65_536)
            let after = bench.counters
            let small = bench.allocations(for: 8_192)
            #expect(after.inserted - before.inserted > 50_000)
            #expect(after.duplicate > before.duplicate && after.corrected > before.corrected)
            #expect(after.rejected == 0)
            // A batch costs some, and so does each of the pieces in which a round happens to be committed: on a busy
            // machine some hundred. One allocation for every fortieth of the 57,344 readings more would be seen.
            #expect(large - small < 1_400)
        }
    }
}
