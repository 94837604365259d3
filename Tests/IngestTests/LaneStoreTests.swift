import Ingest
import Kafka
import LaneLaboratory
import Service
import Testing
import VitalSigns

/// What the lane does when the store fails.
@Suite struct LaneStoreTests {
    private func started(_ change: (inout LaneConfiguration) -> Void = { _ in }) -> LaneLab {
        let lab = LaneLab(change)
        lab.join([0, 1])
        lab.append(5, to: 0)
        lab.append(5, to: 1, patient: 2)
        lab.settle()
        return lab
    }

    /// Messages that make the lane ask everything it can: a new patient, an old instant, an unknown origin.
    private func appendQuestions(_ lab: LaneLab) {
        lab.append(2, to: 0, from: 2)
        lab.append(2, to: 1, patient: 9)
        lab.log.append(
            .reading(
                TestReading(
                    patient: 2, second: 77, vitals: ["heartRate": "60"],
                    origin: OriginNames(facility: "north", sector: nil, device: "\(lab.log.high(1))"))), to: 1)
    }

    static let requests: [FakeSession.Kind] = [.takeOver, .ownership, .newest, .stored, .origins, .commit]
    static let failures: [StoreFailure] = [
        .retry(sqlState: "40001"), .conflict(sqlState: "23505"), .fenced, .away("connection lost"),
        .data(sqlState: "22P02"), .refused("permission denied"),
    ]

    @Test(arguments: requests, failures)
    func `whatever fails in whatever way, nothing is lost or counted twice`(
        kind: FakeSession.Kind, failure: StoreFailure
    ) {
        let lab = started()
        if kind == .takeOver || kind == .ownership { lab.session.outcomes[.commit] = [.fail(.fenced)] }
        lab.session.outcomes[kind] = [.fail(failure)]
        appendQuestions(lab)
        lab.settle()
        lab.pass(.seconds(3))
        #expect(lab.session.outcomes[kind] == [])
        lab.expectAllFolded()
        appendQuestions(lab)
        lab.settle()
        lab.expectAllFolded()
    }

    @Test(arguments: requests)
    func `an answer that is lost with the connection tells nothing, the ledger tells`(kind: FakeSession.Kind) {
        let lab = started()
        if kind == .takeOver || kind == .ownership { lab.session.outcomes[.commit] = [.fail(.fenced)] }
        lab.session.outcomes[kind] = [.loseAnswer]
        appendQuestions(lab)
        lab.settle()
        lab.pass(.seconds(3))
        #expect(lab.session.outcomes[kind] == [])
        lab.expectAllFolded()
    }

    @Test func `the server's work on a commit that the lane gave up is fenced, or seen`() {
        let lab = started { $0.requestLimit = .seconds(20) }
        lab.session.executesOrphans = true
        lab.session.held = [.commit]
        lab.append(3, to: 0, from: 5)
        lab.settle()
        lab.pass(.seconds(21))
        #expect(lab.database.orphans.count == 1)
        #expect(lab.session.count(.connect) == 2)
        lab.session.held = []
        lab.pass(.seconds(1))
        lab.expectAllFolded()
        // The session that was given up wakes and commits what the next one has long committed.
        #expect(throws: StoreFailure.fenced) { try lab.database.apply(lab.database.orphans[0]) }
        lab.expectAllFolded()
    }

    @Test func `a batch that takes too long is halved until it does not`() {
        let lab = started { $0.requestLimit = .seconds(20) }
        lab.append(64, to: 0, from: 5)
        // A commit of more than eight messages is never answered in time.
        lab.session.holdsCommit = { $0.advances.reduce(0) { $0 + $1.next - $1.expectedNext } > 8 }
        lab.pass(.seconds(400), step: .seconds(1))
        lab.expectAllFolded()
    }

    @Test func `a row that contradicts its message for ever stops the partition with a reason`() {
        let lab = started()
        lab.session.outcomes[.commit] = Array(repeating: .fail(.conflict(sqlState: "23505")), count: 2_000)
        lab.append(4, to: 0, from: 5)
        lab.pass(.seconds(60))
        #expect(lab.state(0) == "stopped")
        #expect(lab.shown(0)?.reason.contains("SQLSTATE 23505") == true)
    }

    @Test func `a commit that is repeated without end shows`() {
        let lab = started()
        lab.session.outcomes[.commit] = Array(repeating: .fail(.retry(sqlState: "55P03")), count: 1_000)
        lab.append(4, to: 0, from: 5)
        lab.pass(.seconds(20))
        #expect(lab.status.isDatabaseConnected)
        lab.pass(.seconds(20))
        #expect(!lab.status.isDatabaseConnected)
        #expect(lab.status.databaseReason.contains("repeated after SQLSTATE 55P03"))
        lab.session.outcomes[.commit] = []
        lab.pass(.seconds(2))
        #expect(lab.status.isDatabaseConnected)
        lab.expectAllFolded()
    }

    @Test func `a serialization failure repeats the same batch, soon`() {
        let lab = started()
        lab.session.outcomes[.commit] = Array(repeating: .fail(.retry(sqlState: "40001")), count: 3)
        lab.append(4, to: 0, from: 5)
        lab.settle()
        let first = lab.now
        lab.pass(.seconds(1))
        let tries = lab.session.commits.suffix(4)
        #expect(Set(tries.map(\.fingerprint)).count == 1)
        #expect(lab.session.journal.last { $0.kind == .commit }.map { $0.at - first < .milliseconds(500) } == true)
        #expect(lab.session.count(.connect) == 1)
        lab.expectAllFolded()
    }

    @Test func `memory that the database contradicts is not believed again for that batch`() {
        let lab = started()
        // Written behind the lane's back, newer than all it remembers.
        lab.log.append(.reading(TestReading(patient: 1, second: 60, vitals: ["heartRate": "60"])), to: 0)
        var foreign = lab.database.rows.values.first { $0.patientLow & 0xFF == 1 } ?? Reading()
        foreign.time = TestReading.start + 60_000
        foreign.offset = 0
        foreign.values[0] = 99
        lab.database.rows[LedgerFacts.Key(foreign)] = foreign
        let commits = lab.session.count(.commit)
        lab.settle()
        #expect(lab.session.count(.commit) == commits + 2)
        #expect(lab.counters.corrected == 1)
        #expect(lab.database.rows[LedgerFacts.Key(foreign)]?.values[0] == 60)
    }

    @Test func `a database that is away is awaited with growing pauses, in the group, reading nothing`() {
        let lab = started()
        lab.session.outcomes[.commit] = [.fail(.away("terminated"))]
        lab.session.outcomes[.connect] = Array(repeating: .fail(.away("refused")), count: 24)
        lab.append(2, to: 0, from: 5)
        lab.settle()
        #expect(lab.consumer.assignments.last == [])
        #expect(lab.consumer.reading.isEmpty)
        #expect(!lab.status.isDatabaseConnected)
        #expect(lab.status.databaseReason != "")
        lab.pass(.seconds(60), step: .milliseconds(10))
        let times = lab.session.journal.filter { $0.kind == .connect }.map(\.at)
        let pauses = zip(times.dropFirst(2), times.dropFirst()).map { ($0 - $1).wholeMilliseconds }
        #expect(zip(pauses.dropFirst(), pauses).allSatisfy { $0 >= $1 - 20 })
        #expect(pauses.first.map { $0 < 400 } == true)
        #expect(pauses.last.map { (3_900...4_100).contains($0) } == true)
        #expect(lab.consumer.reading.isEmpty)
        lab.pass(.seconds(60))
        #expect(lab.status.databaseReason == "")
        lab.expectAllFolded()
    }

    /// The server lets us in each time and fails each commit: a full disk, a right that is missing.
    @Test(arguments: [StoreFailure.away("53100 disk full"), .refused("42501 permission denied")])
    func `pauses grow also when only the work fails, not the connection`(failure: StoreFailure) {
        let lab = started()
        lab.session.outcomes[.commit] = Array(repeating: .fail(failure), count: 1_000)
        lab.append(2, to: 0, from: 5)
        lab.pass(.seconds(60), step: .milliseconds(10))
        #expect(lab.session.count(.connect) < 25)
        #expect(lab.consumer.reading.isEmpty)
        lab.session.outcomes[.commit] = []
        lab.pass(.seconds(15))
        lab.expectAllFolded()
        // Long forgotten: the next failure is met as quickly as the first.
        lab.pass(.seconds(30))
        let before = lab.session.count(.connect)
        lab.session.outcomes[.commit] = [.fail(.away("terminated"))]
        lab.append(2, to: 0, from: 9)
        lab.pass(.seconds(1))
        #expect(lab.session.count(.connect) == before + 1)
        lab.expectAllFolded()
    }

    /// ```
    /// 40 messages, the server refuses the one at offset 23
    /// 40 ✗  20 ✓  20 ✗ 10 ✗ …  1 ✓ … 1 ✗ stop at 23
    /// ```
    @Test func `a value that the database refuses is found by halving, and stops its partition before it`() {
        let lab = LaneLab { $0.batchMaxRows = 512 }
        lab.append(40, to: 0)
        lab.append(40, to: 1, patient: 2)
        lab.database.refuses = { $0.partition == 0 && $0.offset == 23 }
        lab.join([0, 1])
        lab.pass(.seconds(5))
        #expect(lab.committed(0) == 23)
        #expect(lab.state(0) == "stopped")
        #expect(lab.shown(0)?.reason.contains("offset 23") == true)
        #expect(lab.shown(0)?.reason.contains("22P02") == true)
        #expect(lab.committed(1) == 40)
        #expect(lab.database.letters.isEmpty)
        lab.expectLogFolded()
        #expect(lab.session.count(.commit) < 60)
        // It stays stopped, and the others go on in full batches.
        lab.append(300, to: 1, patient: 2, from: 40)
        let commits = lab.session.count(.commit)
        lab.pass(.seconds(5))
        #expect(lab.session.count(.commit) - commits < 12)
        #expect(lab.committed(1) == 340)
        // Mended by hand, the lane takes it up by itself.
        lab.database.refuses = nil
        lab.database.progress[0]?.epoch += 1
        lab.pass(.seconds(3))
        lab.expectAllFolded()
    }

    @Test func `what needs a person is waited for, and said`() {
        let lab = LaneLab()
        lab.append(3, to: 0)
        lab.session.outcomes[.connect] = Array(repeating: .fail(.refused("run vitalstream migrate")), count: 5)
        lab.join([0, 1])
        #expect(lab.status.databaseReason == "run vitalstream migrate")
        lab.pass(.seconds(8))
        lab.expectAllFolded()
    }

    @Test(arguments: failures)
    func `a session that was not set up to its end is none`(failure: StoreFailure) {
        let lab = LaneLab()
        lab.append(3, to: 0)
        lab.session.outcomes[.connect] = [.fail(failure)]
        lab.join([0, 1])
        #expect(lab.session.misuses.isEmpty)
        #expect(lab.session.count(.takeOver) == 0)
        lab.pass(.seconds(1))
        lab.expectAllFolded()
    }
}
