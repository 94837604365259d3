internal import CRdKafka

/// An error of librdkafka or of a broker, by its code; prose is made only when somebody reads it.
public struct KafkaError: Error, Equatable, Sendable {
    /// librdkafka's code: negative for errors of the client itself, positive for the broker's.
    public let code: Int32
    /// Whether the client that reported it is dead and must be made anew.
    public let isFatal: Bool
    private let detail: String?

    /// - Parameters:
    ///   - code: one of `rd_kafka_resp_err_t`'s values.
    ///   - detail: what the library said about this very case; never message content.
    ///   - isFatal: the client cannot go on.
    public init(code: Int32, detail: String? = nil, isFatal: Bool = false) {
        self.code = code
        self.detail = detail
        self.isFatal = isFatal
    }

    init(_ code: rd_kafka_resp_err_t, detail: String? = nil, isFatal: Bool = false) {
        self.init(code: code.rawValue, detail: detail, isFatal: isFatal)
    }

    /// Takes over and frees a `rd_kafka_error_t` (rdkafka.h: the application destroys what these calls return).
    init(taking error: OpaquePointer) {
        let detail = unsafe String(cString: rd_kafka_error_string(error))
        self.init(
            unsafe rd_kafka_error_code(error), detail: detail, isFatal: unsafe rd_kafka_error_is_fatal(error) != 0)
        unsafe rd_kafka_error_destroy(error)
    }

    /// The code's name as documentation and search engines know it, such as `ERR__TRANSPORT`.
    public var name: String {
        guard let name = unsafe rd_kafka_err2name(rd_kafka_resp_err_t(code)) else { return "ERR_\(code)" }
        return "ERR_" + (unsafe String(cString: name))
    }

    /// What happened, in a sentence.
    public var text: String {
        if let detail { return detail }
        guard let text = unsafe rd_kafka_err2str(rd_kafka_resp_err_t(code)) else { return name }
        return unsafe String(cString: text)
    }

    /// Whether the same call may work later without anybody changing anything.
    public var isRetriable: Bool {
        !isFatal && Self.retriableCodes.contains(code)
    }

    private static let retriableCodes: Set<Int32> = Set(
        [
            RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
            RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__WAIT_CACHE,
            RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__QUEUE_FULL,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
        ].map(\.rawValue))
}

extension KafkaError: CustomStringConvertible {
    /// Name and sentence, for a log line.
    public var description: String { "\(name): \(text)" }
}
