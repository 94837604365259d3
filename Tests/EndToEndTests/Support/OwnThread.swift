import Service
import Testing

/// Gives each test a thread of its own, since these tests block for seconds: the shared pool has one thread a core.
///
/// Children die with the thread that started them, so whatever a test leaves running ends with the test.
struct OwnThread: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    /// A case of a test, not the suite around it.
    func scopeProvider(for test: Test, testCase: Test.Case?) -> OwnThread? {
        testCase == nil ? nil : self
    }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let executor = try ThreadExecutor()
        defer { executor.stop() }
        try await withTaskExecutorPreference(executor) { try await function() }
    }
}

extension Trait where Self == OwnThread {
    /// Each test of the suite may block.
    static var ownThread: OwnThread { OwnThread() }
}

/// Runs the jobs of one task on one thread, in their order.
private final class ThreadExecutor: TaskExecutor {
    private struct Queue: ~Copyable {
        var jobs: [UnownedJob] = []
        var isStopped = false
    }

    private let queue = Locked(Queue())

    init() throws(SystemError) {
        // The thread keeps the queue alone, so that dropping the executor never happens on its own thread.
        let queue = self.queue
        let executor = Unmanaged.passUnretained(self)
        _ = try ServiceThread(name: "end-to-end") {
            while true {
                _ = queue.wait(until: nil) { $0.jobs.isEmpty && !$0.isStopped }
                let next = queue.withLock { state -> UnownedJob? in
                    state.jobs.isEmpty ? nil : state.jobs.removeFirst()
                }
                guard let next else { return }
                // Whoever has a job to run keeps the executor alive.
                next.runSynchronously(on: executor.takeUnretainedValue().asUnownedTaskExecutor())
            }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        queue.withLock { $0.jobs.append(unowned) }
        queue.signal()
    }

    func stop() {
        queue.withLock { $0.isStopped = true }
        queue.signal()
    }
}
