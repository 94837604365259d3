import ChaosLaboratory
import Glibc
import Postgres
import Service
import TestSupport
import Testing

/// Two services of one group under load, one of them behind a proxy: divided, frozen, thawed, killed.
struct GroupScenario {
    let laboratory: Laboratory
    let log: SentLog
    let feeder: Feeder
    let proxy: WireProxy
    /// The one behind the proxy.
    let frail: ServeProcess
    let steady: ServeProcess

    /// The broker's session time-out, and what may pass from its end to the take-over.
    private static let session: Duration = .seconds(6)
    private static let takeOverLimit: Duration = .seconds(15)

    /// Starts both and waits until each has two of the four partitions and has written.
    init(_ laboratory: Laboratory, topic: String, perSecond: Int = 400) throws {
        self.laboratory = laboratory
        log = try laboratory.topic(topic, partitions: 4)
        proxy = try laboratory.proxy()
        feeder = try laboratory.feed(log, perSecond: perSecond)
        frail = try laboratory.serve(
            log, name: "frail", databaseURL: laboratory.databaseURL(tag: "frail", port: proxy.port))
        steady = try laboratory.serve(log, name: "steady")
        try awaitDivided()
    }

    /// Waits until each has two partitions of its own.
    func awaitDivided() throws {
        try eventually("each has two partitions", within: .seconds(45)) {
            let found = try owners().values.map(\.writer)
            return found.count { $0 == "frail" } == 2 && found.count { $0 == "steady" } == 2
        }
    }

    /// The writer of each partition's newest step.
    func owners() throws -> [Int: (writer: String, epoch: Int64)] {
        var connection = try laboratory.connect()
        return try ProgressJournal.owners(&connection, group: "lab")
    }

    /// Freezes the frail one when it comes to `moment`, past its session; the other must take over in time. Thawed, it
    /// must write nothing of its old epoch (the journal tells), come back and work.
    func freezeAndThaw(at moment: WireProxy.Moment) throws {
        let process = frail.process
        proxy.arm(moment, .hold { process.signal(SIGSTOP) })
        try proxy.awaitSprung()
        try frail.awaitFrozen()
        let frozenAt = MonotonicTime.now()
        let before = try owners()
        let lost = before.filter { $0.value.writer == "frail" }.map(\.key)
        try #require(!lost.isEmpty, "\(moment): it owned nothing")
        try awaitAdvance(of: lost, by: "steady", beyond: before, within: Self.session + Self.takeOverLimit)
        let taken = MonotonicTime.now() - frozenAt
        // While it is frozen, and at the very moment it wakes, its old transaction is let go on.
        proxy.release()
        frail.thaw()
        try frail.awaitReady()
        try awaitDivided()
        let after = try owners()
        #expect(
            after.filter { $0.value.writer == "frail" }.allSatisfy { $0.value.epoch > before[$0.key]?.epoch ?? 0 })
        #expect(taken < Self.session + Self.takeOverLimit, "\(moment): taken over after \(taken)")
    }

    /// SIGKILL; the other must take over in time.
    func killFrail() throws {
        let before = try owners()
        let lost = before.filter { $0.value.writer == "frail" }.map(\.key)
        try #require(!lost.isEmpty, "it owned nothing")
        try frail.kill()
        try awaitAdvance(of: lost, by: "steady", beyond: before, within: Self.session + Self.takeOverLimit)
    }

    /// Ends load and services, and judges everything.
    func finish(stopping services: [ServeProcess]) throws {
        try feeder.stop()
        try laboratory.awaitPosition(log)
        try laboratory.judge(log)
        for service in services { try service.stop() }
    }

    /// Waits until `writer` has moved each of these partitions on under a newer epoch.
    private func awaitAdvance(
        of partitions: [Int], by writer: String, beyond before: [Int: (writer: String, epoch: Int64)],
        within limit: Duration
    ) throws {
        var connection = try laboratory.connect()
        try eventually("\(writer) has moved partitions \(partitions)", within: limit) {
            for partition in partitions {
                let found = try connection.texts(
                    "SELECT FROM laboratory.journal WHERE partition = \(partition) AND writer = '\(writer)' "
                        + "AND epoch > \(before[partition]?.epoch ?? 0) AND new_next > old_next LIMIT 1")
                if found.isEmpty { return false }
            }
            return true
        }
    }
}
