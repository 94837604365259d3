// The public signatures are made of their values.
public import Kafka
public import Service
public import VitalSigns

/// What taking a partition over needs to know.
public struct TakeOverRequest: Sendable, Equatable {
    /// The partition.
    public var partition: TopicPartition
    /// Oldest offset of the log, where a group that never read this partition begins.
    public var lowWatermark: Int64

    /// A request to take `partition` over.
    public init(partition: TopicPartition, lowWatermark: Int64) {
        self.partition = partition
        self.lowWatermark = lowWatermark
    }
}

/// A partition's row of the ledger as it stood when it was taken over.
public struct TakenPartition: Sendable, Equatable {
    /// The partition.
    public var partition: TopicPartition
    /// The epoch that this take-over began.
    public var epoch: Int64
    /// Offset of the first message not yet in the database.
    public var nextOffset: Int64
    /// `MessageHash` of the message at `nextOffset - 1`, nil when that is unknown.
    public var lastMessageHash: Int64?

    /// The row as read.
    public init(partition: TopicPartition, epoch: Int64, nextOffset: Int64, lastMessageHash: Int64?) {
        self.partition = partition
        self.epoch = epoch
        self.nextOffset = nextOffset
        self.lastMessageHash = lastMessageHash
    }
}

/// Who owns a partition, as the database says.
public struct PartitionOwnership: Sendable, Equatable {
    /// The partition.
    public var partition: TopicPartition
    /// Its epoch.
    public var epoch: Int64
    /// Its owner; nil when an operator's command has released it.
    public var owner: UUIDBytes?

    /// The row as read.
    public init(partition: TopicPartition, epoch: Int64, owner: UUIDBytes?) {
        self.partition = partition
        self.epoch = epoch
        self.owner = owner
    }
}

/// The texts that say where and with what a reading was measured; an absent one is nil.
public struct OriginNames: Hashable, Sendable {
    /// Hospital or site.
    public var facility: String?
    /// Ward or sector.
    public var sector: String?
    /// Monitor or sensor.
    public var device: String?

    /// The three names.
    public init(facility: String?, sector: String?, device: String?) {
        self.facility = facility
        self.sector = sector
        self.device = device
    }
}

/// Why the store did not do what it was asked; what the lane does about it is decided in one place.
public enum StoreFailure: Error, Sendable, Equatable {
    /// Serialization failure, deadlock or lock time-out: the same again, soon.
    case retry(sqlState: String)
    /// The database contradicts what the lane remembered: the same again, trusting nothing remembered.
    case conflict(sqlState: String)
    /// Another owner, another epoch or another offset: nothing was written.
    case fenced
    /// The connection or the server is away; whether a commit took effect is unknown.
    case away(String)
    /// The server refused a value (class 22 and the like).
    case data(sqlState: String)
    /// Needs a person: schema or right missing, a defect. The text says what to do.
    case refused(String)

    /// The cause in one line, without any value of a row.
    var reason: String {
        switch self {
        case .retry(let sqlState), .conflict(let sqlState), .data(let sqlState): "SQLSTATE \(sqlState)"
        case .fenced: "fenced"
        case .away(let reason), .refused(let reason): reason
        }
    }

    /// Whether waiting alone does not help.
    var needsPerson: Bool {
        if case .refused = self { true } else { false }
    }
}

/// How far the store's current request is.
public enum StoreProgress: Sendable, Equatable {
    /// Nothing was asked.
    case idle
    /// Not done; `interest` says what to wait for.
    case working
    /// Done; its answer can be read.
    case finished
    /// Not done and over.
    case failed(StoreFailure)
}

/// What poll(2) should wait for on behalf of the store.
public struct StoreInterest: BitwiseCopyable, Sendable {
    /// The descriptor, -1 for none.
    public var descriptor: Int32
    /// Wait until there is something to read.
    public var read: Bool
    /// Wait until there is room to write.
    public var write: Bool

    /// What to wait for.
    public init(descriptor: Int32, read: Bool, write: Bool) {
        self.descriptor = descriptor
        self.read = read
        self.write = write
    }
}

/// Where a lane's results go: PostgreSQL, or a simulated one. Requests are started one at a time and driven by
/// `advance`, which never blocks. One thread only.
public protocol ReadingStore: ~Copyable {
    /// Whether a session stands.
    var isConnected: Bool { get }
    /// What to wait for while `advance` says `working`.
    var interest: StoreInterest { get }
    /// Starts a session; done when `advance` says so.
    mutating func connect()
    /// Ends the session, whatever it does.
    mutating func disconnect()
    /// Drives the current request a step.
    mutating func advance() -> StoreProgress

    /// Takes partitions over under one owner. The answer is `taken`.
    mutating func takeOver(_ requests: [TakeOverRequest], owner: UUIDBytes)
    /// The answer to `takeOver`, in the order of its requests.
    var taken: [TakenPartition] { get }
    /// Ends sessions that hold the ledger rows of these partitions locked (a frozen owner's).
    mutating func endBlockers(of partitions: [TopicPartition])
    /// Asks who owns these partitions. The answer is `ownerships`.
    mutating func readOwnership(of partitions: [TopicPartition])
    /// The answer to `readOwnership`; partitions without a row are missing.
    var ownerships: [PartitionOwnership] { get }

    /// Asks for the newest row of each patient at or after their `time`. The answer is `newest`.
    mutating func fetchNewest(of patients: [ReadingKey])
    /// The answer to `fetchNewest`, position by position; nil where there is none.
    var newest: [Reading?] { get }
    /// Asks for the rows stored under these keys. The answer is `stored`.
    mutating func fetchStored(_ keys: [ReadingKey])
    /// The answer to `fetchStored`, position by position; presence 0 where there is none.
    var stored: [Reading] { get }
    /// Asks for the ids of origins and makes those that are new. The answer is `originIDs`.
    mutating func resolveOrigins(_ names: [OriginNames])
    /// The answer to `resolveOrigins`, position by position; positive.
    var originIDs: [Int32] { get }

    /// Asks what is stored of patient flow, all as of a time not before the versions in the answer. The answer is
    /// `flowAnswer`.
    mutating func askFlow(_ question: FlowQuestion)
    /// The answer to `askFlow`.
    var flowAnswer: FlowAnswer { get }

    /// Commits a batch and its plan in one transaction. Both stay untouched until `advance` ends the request.
    mutating func commit(_ batch: Batch, _ plan: BatchPlan)
}

// A store that lanes without a topic of patient flow use need not know it.
extension ReadingStore where Self: ~Copyable {
    /// Traps: nobody asks this store.
    public mutating func askFlow(_ question: FlowQuestion) {
        preconditionFailure("this store knows no patient flow")
    }

    /// Traps: nobody asks this store.
    public var flowAnswer: FlowAnswer { preconditionFailure("this store knows no patient flow") }
}
