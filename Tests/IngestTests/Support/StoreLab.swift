import Ingest
import Kafka
import Postgres
import Schema
import Service
import Testing
import VitalSigns

/// The root of all tests that need a server: one private server, started before the first and removed after the last.
@Suite(.privateServer) enum OnAServer {}

/// Starts the server around a suite.
struct PrivateServerTrait: SuiteTrait, TestScoping {
    @TaskLocal static var server: PrivateServer?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let server = try PrivateServer(settings: [("max_connections", "40")], isDurable: false)
        defer { server.remove() }
        try await Self.$server.withValue(server) { try await function() }
    }
}

extension Trait where Self == PrivateServerTrait {
    /// One private server for the whole suite.
    static var privateServer: Self { Self() }
}

/// A store with a database of its own, driven to the end of each request.
final class StoreLab {
    static let group = "it's a group"
    static let newestMigration = Schema.migrations.map(\.number).max() ?? 0

    let url: String
    /// For looking and for interfering.
    var direct: Connection
    private var store: PostgresStore
    private var poll = PollSet(capacity: 1)

    init(migrated: Bool = true, requiredMigration: Int = newestMigration) throws {
        let server = try #require(PrivateServerTrait.server)
        let name = "test_" + UUIDBytes.random().text.replacing("-", with: "")
        try server.createDatabase(name)
        url = server.connectionURL(database: name)
        direct = try Connection.open(url, applicationName: "tests")
        if migrated {
            _ = try Migrator(Schema.migrations.map { Migration(number: $0.number, name: $0.name, sql: $0.sql) })
                .migrate(&direct)
        }
        store = PostgresStore(
            databaseURL: url, applicationName: "lane", consumerGroup: Self.group, requiredMigration: requiredMigration)
    }

    var isConnected: Bool { store.isConnected }
    var taken: [TakenPartition] { store.taken }
    var ownerships: [PartitionOwnership] { store.ownerships }
    var newest: [Reading?] { store.newest }
    var stored: [Reading] { store.stored }
    var originIDs: [Int32] { store.originIDs }

    /// Starts a request and drives it to its end, waiting as a lane's thread does.
    func run(_ request: (inout PostgresStore) -> Void) -> StoreProgress {
        request(&store)
        return drive()
    }

    func drive() -> StoreProgress {
        let deadline = Deadline.after(.seconds(30))
        while true {
            let progress = store.advance()
            guard progress == .working else { return progress }
            let interest = store.interest
            poll.set(0, interest.descriptor, read: interest.read, write: interest.write)
            _ = poll.wait(timeoutMilliseconds: 100)
            if deadline.hasPassed() {
                Issue.record("a request does not end")
                return progress
            }
        }
    }

    /// A session and one partition, taken over.
    @discardableResult
    func start(partition: Int32 = 0, owner: UUIDBytes, low: Int64 = 0) -> TakenPartition? {
        if !store.isConnected { #expect(run { $0.connect() } == .finished) }
        let request = TakeOverRequest(
            partition: TopicPartition(topic: "vitals", partition: partition), lowWatermark: low)
        #expect(run { $0.takeOver([request], owner: owner) } == .finished)
        return store.taken.first
    }

    func value(_ sql: String) throws -> String { try direct.query(sql, []).text(0, 0) }
}

/// A batch made by hand and planned with the answers of a store, as a lane does it.
final class PlannedBatch {
    let batch: Batch
    let plan: BatchPlan
    var table: PatientTable

    init(_ readings: [Reading], capacity: Int = 16_384) {
        batch = Batch(capacity: capacity)
        plan = BatchPlan(capacity: capacity)
        table = PatientTable(capacity: 1_024)
        for (index, reading) in readings.enumerated() { (batch.readings + index).initialize(to: reading) }
        batch.readingCount = readings.count
    }

    /// Looks up everything in the database and folds.
    func planAll(in lab: StoreLab) {
        plan.begin(batch.readings, count: batch.readingCount, trustsTable: false)
        plan.findPatients(in: table)
        plan.classify(with: table)
        if !plan.lookUps.isEmpty { #expect(lab.run { $0.fetchStored(self.plan.lookUps) } == .finished) }
        plan.stored = plan.lookUps.isEmpty ? [] : lab.stored
        plan.fold(with: table)
    }

    /// Plans as if nothing were stored.
    func planAllNew() {
        plan.begin(batch.readings, count: batch.readingCount, trustsTable: false)
        plan.findPatients(in: table)
        plan.classify(with: table)
        plan.stored = plan.lookUps.map { _ in Reading() }
        plan.fold(with: table)
    }

    /// Moves a partition by what the batch has of it.
    func advance(_ taken: TakenPartition, owner: UUIDBytes, rejected: Int64 = 0, gaps: Int64 = 0, hash: Int64? = 42) {
        var advance = PartitionAdvance(
            partition: taken.partition, owner: owner, epoch: taken.epoch, expectedNext: taken.nextOffset)
        let verdicts = plan.verdicts(partition: taken.partition.partition)
        let accepted =
            verdicts.inserted + verdicts.merged + verdicts.corrected + verdicts.duplicate + verdicts.stale
        advance.next = taken.nextOffset + accepted + rejected + gaps
        (advance.verdicts, advance.rejected, advance.gaps) = (verdicts, rejected, gaps)
        (advance.lastMessageHash, advance.highWatermark) = (hash, 1_000)
        batch.advances.append(advance)
    }
}
