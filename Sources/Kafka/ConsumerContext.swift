internal import CRdKafka
internal import Service

/// The target of a consumer's callbacks.
///
/// All but the log hook is touched only inside calls of the thread that uses the consumer (librdkafka serves rebalance,
/// error and commit callbacks from `rd_kafka_consumer_poll`) and, once that thread has handed the consumer over, of
/// the one that closes it.
@safe final class ConsumerContext: ClientContext, @unchecked Sendable {
    /// More errors than this between two `takeEvent` are dropped and counted; rebalances never are.
    static let maximumPendingErrors = 64

    /// Non-zero while events wait: a cell of its own, so that the loop of `poll` reads it without an access check.
    let pendingFlag: UnsafeMutablePointer<Int32>
    var pending: [ConsumerEvent] = []
    var pendingErrors = 0
    var droppedErrors = 0
    /// What the group has given this member; nil before the first assignment and after each revocation.
    var owned: Set<TopicPartition>?
    var failedCommits = 0
    var isClosing = false
    /// Why a connection failed, held back for a moment: if no other broker is left, that says more.
    var heldFailure: ConnectionDiagnosis?

    /// Set on librdkafka's threads.
    private let hasRefusedFetch = Locked(false)

    override init(logHook: @escaping KafkaLogHook) {
        unsafe pendingFlag = .allocate(capacity: 1)
        unsafe pendingFlag.initialize(to: 0)
        super.init(logHook: logHook)
    }

    deinit {
        unsafe pendingFlag.deallocate()
    }

    func record(_ event: ConsumerEvent) {
        switch event {
        case .assigned, .revoked, .fatal:
            break
        case .fetchRefused, .offsetOutOfRange, .topicUnknown, .brokersDown, .brokerFailed, .error:
            guard pendingErrors < Self.maximumPendingErrors else {
                droppedErrors += 1
                return
            }
            pendingErrors += 1
        }
        pending.append(event)
        unsafe pendingFlag.pointee = 1
    }

    override func noteRefusedFetch() {
        hasRefusedFetch.withLock { $0 = true }
    }

    /// Turns what was noted since the last call into an event.
    func recordRefusedFetch() {
        let isNew = hasRefusedFetch.withLock { value in
            defer { value = false }
            return value
        }
        if isNew { record(.fetchRefused) }
    }

    /// Tells what was held back: the queue is empty, so nothing that belongs to it comes any more.
    func releaseHeldFailure() {
        guard let failure = heldFailure else { return }
        heldFailure = nil
        record(.brokerFailed(failure))
    }

    func take() -> ConsumerEvent? {
        if pending.isEmpty { return nil }
        let event = pending.removeFirst()
        if pending.isEmpty {
            pendingErrors = 0
            unsafe pendingFlag.pointee = 0
        }
        return event
    }

    static func from(_ opaque: UnsafeMutableRawPointer) -> ConsumerContext {
        unsafe Unmanaged<ConsumerContext>.fromOpaque(opaque).takeUnretainedValue()
    }
}

/// Answers the group at once, with an empty list: the membership is settled, and heartbeats go on, however long the
/// database takes to tell the offsets with which `Consumer.assign` then starts fetching.
func rebalanceConsumer(
    _ client: OpaquePointer?, _ code: rd_kafka_resp_err_t,
    _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?, _ opaque: UnsafeMutableRawPointer?
) {
    guard let client = unsafe client, let opaque = unsafe opaque else { return }
    let context = unsafe ConsumerContext.from(opaque)
    let partitions = unsafe list.map { unsafe PartitionList.partitions(of: $0) } ?? []
    if code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
        context.owned = Set(partitions)
        let none = PartitionList([TopicPartition]())
        unsafe _ = rd_kafka_assign(client, none.handle)
        context.record(.assigned(partitions))
        return
    }
    // Revocation, or an error that librdkafka wants answered like one (rdkafka.h, rebalance_cb's example).
    let lost = unsafe rd_kafka_assignment_lost(client) != 0
    context.owned = nil
    unsafe _ = rd_kafka_assign(client, nil)
    if code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS {
        context.record(.revoked(partitions, lost: lost))
    } else {
        context.record(.revoked(partitions, lost: true))
        context.record(.error(KafkaError(code), topic: nil, partition: nil))
    }
}

func noteConsumerError(
    _ client: OpaquePointer?, _ code: Int32, _ reason: UnsafePointer<CChar>?, _ opaque: UnsafeMutableRawPointer?
) {
    guard let client = unsafe client, let opaque = unsafe opaque else { return }
    let context = unsafe ConsumerContext.from(opaque)
    switch rd_kafka_resp_err_t(code) {
    case RD_KAFKA_RESP_ERR__FATAL:
        context.record(.fatal(unsafe KafkaError.fatal(of: client)))
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        context.record(.fetchRefused)
        context.heldFailure = nil
        context.record(.brokersDown(context.lastFailure))
    default:
        // While no broker was there the log may have been made anew: the same doubt as after a refused fetch. It is
        // told before anything that a new connection brings.
        if rd_kafka_resp_err_t(code) == RD_KAFKA_RESP_ERR__TRANSPORT { context.record(.fetchRefused) }
        let detail = unsafe reason.map { unsafe String(cString: $0) }
        if let detail, let failure = context.note(detail) {
            context.heldFailure = failure
            return
        }
        context.record(.error(KafkaError(code: code, detail: detail), topic: nil, partition: nil))
    }
}

func noteCommit(
    _ client: OpaquePointer?, _ code: rd_kafka_resp_err_t,
    _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?, _ opaque: UnsafeMutableRawPointer?
) {
    guard let opaque = unsafe opaque else { return }
    // __NO_OFFSET: there was nothing to commit.
    if code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__NO_OFFSET { return }
    unsafe ConsumerContext.from(opaque).failedCommits += 1
}
