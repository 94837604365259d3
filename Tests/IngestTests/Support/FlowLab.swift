import Ingest
import Kafka
import PatientFlow
import Service
import TestSupport
import Testing
import VitalSigns

/// A lane that reads patient flow, between a log and tables in memory, with a clock that moves when it is told to.
final class FlowLab {
    static let topic = "patient-flow"

    let log: FlowLog
    let book: FlowBook
    let session: FlowSession
    private let consumer: FlowConsumer
    private(set) var now = MonotonicTime(nanoseconds: 1_000_000_000)
    private var lane: Lane<FlowSource, FlowStore>

    /// - Parameter partner: another lane whose log and tables this one shares.
    init(
        partitions: Int = 1, partner: FlowLab? = nil, _ change: (inout LaneConfiguration) -> Void = { _ in }
    ) {
        log = partner?.log ?? FlowLog(partitions: partitions)
        book = partner?.book ?? FlowBook()
        session = FlowSession(book: book)
        consumer = FlowConsumer(log: log)
        now = partner?.now ?? now
        var configuration = LaneConfiguration(lane: 0, topics: ["vitals", Self.topic])
        configuration.flowTopic = Self.topic
        configuration.batchMaxRows = 1_024
        configuration.patientCapacity = 64
        configuration.maxFutureMilliseconds = nil
        change(&configuration)
        lane = Lane(
            configuration: configuration, source: FlowSource(consumer: consumer), store: FlowStore(session: session),
            log: Log(level: .error, descriptor: -1), now: now)
    }

    static func partition(_ number: Int) -> TopicPartition { TopicPartition(topic: topic, partition: Int32(number)) }

    var counters: LaneCounters { lane.status().counters }

    /// The group gives the lane these partitions, after taking all it had.
    func join(_ partitions: [Int]) {
        consumer.positions = []
        consumer.events.append(.assigned(partitions.map { Self.partition($0) }))
    }

    func turn(after pause: Duration = .microseconds(100)) {
        now = now + pause
        _ = lane.turn(now: now)
    }

    /// Turns until everything in the log is in the tables.
    func settle(_ partitions: [Int] = [0], turns: Int = 20_000) {
        for _ in 0..<turns {
            turn(after: .milliseconds(5))
            if partitions.allSatisfy({ book.progress[Self.partition($0)]?.next == log.high($0) }) { return }
        }
        Issue.record("the lane does not settle")
    }
}

/// Messages by partition.
final class FlowLog {
    private(set) var messages: [[(key: String, payload: String)]]

    init(partitions: Int) { messages = Array(repeating: [], count: partitions) }

    func high(_ partition: Int) -> Int64 { Int64(messages[partition].count) }

    func append(_ payload: String, key: String = "north", to partition: Int = 0) {
        messages[partition].append((key, payload))
    }
}

/// A store's session: requests end after some steps, well or badly, as `chance` says.
final class FlowSession {
    enum Kind: CaseIterable { case connect, takeOver, endBlockers, ownership, flow, commit }
    enum Outcome: Equatable {
        case succeed, loseAnswer
        case fail(StoreFailure)
    }

    let book: FlowBook
    var chance: (Kind) -> (steps: Int, outcome: Outcome) = { _ in (0, .succeed) }
    private(set) var journal: [Kind] = []
    fileprivate(set) var isConnected = false
    fileprivate var taken: [TakenPartition] = []
    fileprivate var ownerships: [PartitionOwnership] = []
    fileprivate var answer = FlowAnswer()
    private var pending: Kind?
    private var steps = 0
    private var outcome = Outcome.succeed
    private var work: (() throws(StoreFailure) -> Void)?

    init(book: FlowBook) { self.book = book }

    fileprivate func begin(_ kind: Kind, _ work: @escaping () throws(StoreFailure) -> Void) {
        journal.append(kind)
        pending = kind
        self.work = work
        (steps, outcome) = chance(kind)
    }

    fileprivate func disconnect() {
        isConnected = false
        (pending, work) = (nil, nil)
    }

    fileprivate func advance() -> StoreProgress {
        guard let pending else { return .idle }
        if steps > 0 {
            steps -= 1
            return .working
        }
        let work = work
        (self.pending, self.work) = (nil, nil)
        do throws(StoreFailure) {
            switch outcome {
            case .succeed:
                try work?()
                if pending == .connect { isConnected = true }
                return .finished
            case .loseAnswer:
                isConnected = false
                try work?()
                return .failed(.away("the answer was lost"))
            case .fail(let failure):
                if case .away = failure { isConnected = false }
                return .failed(failure)
            }
        } catch {
            return .failed(outcome == .loseAnswer ? .away("the answer was lost") : error)
        }
    }
}

/// The port that the lane sees; there are no vital signs.
struct FlowStore: ReadingStore {
    let session: FlowSession

    var isConnected: Bool { session.isConnected }
    var interest: StoreInterest { StoreInterest(descriptor: -1, read: false, write: false) }
    var taken: [TakenPartition] { session.taken }
    var ownerships: [PartitionOwnership] { session.ownerships }
    var newest: [Reading?] { [] }
    var stored: [Reading] { [] }
    var originIDs: [Int32] { [] }
    var flowAnswer: FlowAnswer { session.answer }

    mutating func connect() {
        session.disconnect()
        session.begin(.connect) { () throws(StoreFailure) in }
    }

    mutating func disconnect() { session.disconnect() }
    mutating func advance() -> StoreProgress { session.advance() }

    mutating func takeOver(_ requests: [TakeOverRequest], owner: UUIDBytes) {
        session.begin(.takeOver) { [session] () throws(StoreFailure) in
            session.taken = session.book.takeOver(requests, owner: owner)
        }
    }

    mutating func endBlockers(of partitions: [TopicPartition]) {
        session.begin(.endBlockers) { () throws(StoreFailure) in }
    }

    mutating func readOwnership(of partitions: [TopicPartition]) {
        session.begin(.ownership) { [session] () throws(StoreFailure) in
            session.ownerships = session.book.ownership(of: partitions)
        }
    }

    mutating func fetchNewest(of patients: [ReadingKey]) { preconditionFailure("there are no patients") }
    mutating func fetchStored(_ keys: [ReadingKey]) { preconditionFailure("there are no readings") }
    mutating func resolveOrigins(_ names: [OriginNames]) { preconditionFailure("there are no origins") }

    mutating func askFlow(_ question: FlowQuestion) {
        session.begin(.flow) { [session] () throws(StoreFailure) in
            session.answer = session.book.answer(question)
        }
    }

    mutating func commit(_ batch: Batch, _ plan: BatchPlan) {
        session.begin(.commit) { [session] () throws(StoreFailure) in try session.book.apply(batch) }
    }
}

/// A consumer of a `FlowLog`.
final class FlowConsumer {
    let log: FlowLog
    var events: [ConsumerEvent] = []
    var positions: [(partition: Int, next: Int64)] = []
    private(set) var held: [(record: MessageRecord, memory: UnsafeMutableRawBufferPointer)] = []

    init(log: FlowLog) { self.log = log }

    deinit { release() }

    func poll(limit: Int) -> SourcePoll {
        for place in positions.indices {
            while held.count < limit, positions[place].next < log.high(positions[place].partition) {
                hold(positions[place].partition, positions[place].next)
                positions[place].next += 1
            }
        }
        return SourcePoll(count: held.count, isDrained: events.isEmpty && held.count < limit)
    }

    private func hold(_ partition: Int, _ offset: Int64) {
        let message = log.messages[partition][Int(offset)]
        let bytes = Array(message.key.utf8) + Array(message.payload.utf8)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 1)
        memory.copyBytes(from: bytes)
        let start = memory.baseAddress.map { UnsafeRawPointer($0) }
        held.append(
            (
                MessageRecord(
                    payload: start.map { $0 + message.key.utf8.count }, payloadLength: message.payload.utf8.count,
                    key: start, keyLength: message.key.utf8.count, offset: offset, timestampMilliseconds: -1,
                    partition: Int32(partition), topicIndex: 1, timestampIsLogAppend: true), memory
            ))
    }

    func release() {
        for (_, memory) in held { memory.deallocate() }
        held = []
    }
}

/// The port that the lane sees.
struct FlowSource: MessageSource {
    let consumer: FlowConsumer

    mutating func poll(limit: Int) -> SourcePoll { consumer.poll(limit: limit) }
    func record(at index: Int) -> SourceRecord { consumer.held[index].record }
    func forEachHeader(at index: Int, _ body: (UnsafePointer<CChar>, UnsafeRawBufferPointer?) -> Void) {}
    mutating func release() { consumer.release() }
    mutating func takeEvent() -> ConsumerEvent? { consumer.events.isEmpty ? nil : consumer.events.removeFirst() }
    mutating func rejoin() throws(KafkaError) {}
    mutating func reportCommitted(_ positions: [TopicPartitionOffset]) {}
    mutating func close(within limit: Duration) -> Bool { true }

    mutating func assign(_ starts: [TopicPartitionOffset]) throws(KafkaError) {
        consumer.positions = starts.map { (Int($0.partition.partition), $0.offset) }
    }

    func cachedWatermarks(of partition: TopicPartition) -> Watermarks? {
        Watermarks(low: 0, high: consumer.log.high(Int(partition.partition)))
    }

    mutating func queryWatermarks(of partition: TopicPartition) throws(KafkaError) -> Watermarks {
        Watermarks(low: 0, high: consumer.log.high(Int(partition.partition)))
    }
}
