internal import CRdKafka
internal import Glibc
internal import Service

/// Receives librdkafka's own log lines: syslog level (0 to 7), facility such as `FAIL`, text. Called from any of
/// librdkafka's threads; must return quickly and must not call back into the client.
public typealias KafkaLogHook = @Sendable (_ level: Int32, _ facility: String, _ message: String) -> Void

/// What every callback target has in common; librdkafka's opaque pointer always points at one of these.
class ClientContext: @unchecked Sendable {
    // Sendable: `logHook` is immutable and Sendable, `forwardsDebugging` is set once, before librdkafka has a thread
    // that may call back, the lock guards what is behind it; subclasses say what guards their own state.
    let logHook: KafkaLogHook
    /// Whether the user has asked librdkafka for debugging lines; ours are not forwarded.
    var forwardsDebugging = true
    private let connections: Locked<ConnectionNotes>

    init(logHook: @escaping KafkaLogHook) {
        self.logHook = logHook
        connections = Locked(ConnectionNotes())
    }

    /// How the client protects its connections. Set once, before librdkafka has a thread that may call back.
    var security: KafkaSecurity {
        get { connections.withLock { $0.security } }
        set { connections.withLock { $0.security = newValue } }
    }

    /// Takes a debugging line that means a refused fetch.
    func noteRefusedFetch() {}

    /// Takes a line of librdkafka, or an error's text, as news about a connection; nil when it is none.
    @discardableResult
    func note(_ text: String) -> ConnectionDiagnosis? {
        connections.withLock { $0.note(text, at: .now()) }
    }

    /// A broker has shown this certificate, and it was found good.
    func note(_ certificate: Certificate, ofBroker broker: String) {
        connections.withLock { $0.certificates[broker] = certificate }
    }

    /// Why a connection failed last, as far as is known.
    var lastFailure: ConnectionDiagnosis? { connections.withLock { $0.lastFailure } }

    /// The certificates that brokers have shown, by `host:port`.
    var certificates: [String: Certificate] { connections.withLock { $0.certificates } }
}

/// What a client learns about its connections, from several threads.
struct ConnectionNotes {
    var security = KafkaSecurity()
    var certificates: [String: Certificate] = [:]
    private(set) var lastFailure: ConnectionDiagnosis?
    private var notedAt = MonotonicTime.now()

    /// A vague cause does not replace a certain one while that is fresh: librdkafka says both of one connection.
    private static let freshness: Duration = .seconds(5)

    /// - Returns: what is believed now, if the text was about a connection.
    mutating func note(_ text: String, at now: MonotonicTime) -> ConnectionDiagnosis? {
        guard let found = KafkaDiagnosis.explain(text, security) else { return nil }
        let isFresh = now - notedAt < Self.freshness
        if isFresh, let lastFailure, Self.weight(found) < Self.weight(lastFailure) { return lastFailure }
        lastFailure = found
        notedAt = now
        return found
    }

    private static func weight(_ diagnosis: ConnectionDiagnosis) -> Int {
        let certainty = diagnosis.isVague ? 0 : 1
        switch diagnosis.kind {
        case .network: return 0
        case .encryption, .server, .settings: return 1 + certainty
        case .certificate, .authentication: return 3 + certainty
        }
    }
}

/// A list of librdkafka properties on its way to becoming a client.
@safe struct ClientConfiguration: ~Copyable {
    enum Kind {
        case producer
        case consumer
    }

    // Owned until rd_kafka_new succeeds, which is when librdkafka takes it over (rdkafka.h, rd_kafka_new).
    private var configuration: OpaquePointer?

    /// Sets the properties in order: a later one wins, also under an alias, since librdkafka resolves those itself.
    init(properties: [(String, String)]) throws(KafkaError) {
        unsafe configuration = rd_kafka_conf_new()
        for (name, value) in properties { try set(name, value) }
    }

    deinit {
        if let configuration = unsafe configuration { unsafe rd_kafka_conf_destroy(configuration) }
    }

    /// The value in force, also of a property never set.
    func value(of name: String) -> String? {
        guard let configuration = unsafe configuration else { return nil }
        var size = ErrorText.capacity
        var text = ErrorText()
        guard unsafe rd_kafka_conf_get(configuration, name, &text.bytes, &size) == RD_KAFKA_CONF_OK else { return nil }
        return text.string
    }

    /// Sets one more property, over what was set before.
    mutating func set(_ name: String, _ value: String) throws(KafkaError) {
        guard let configuration = unsafe configuration else { return }
        var text = ErrorText()
        let result = unsafe rd_kafka_conf_set(configuration, name, value, &text.bytes, ErrorText.capacity)
        guard result == RD_KAFKA_CONF_OK else { throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, detail: text.string) }
    }

    /// For callbacks that only some clients have.
    func withHandle(_ body: (OpaquePointer) -> Void) {
        if let configuration = unsafe configuration { unsafe body(configuration) }
    }

    /// Makes the client. The caller owns it, and keeps `context` alive (it is passed unretained) until it is destroyed.
    consuming func makeClient(_ kind: Kind, context: ClientContext) throws(KafkaError) -> OpaquePointer {
        guard let configuration = unsafe configuration else { throw KafkaError(RD_KAFKA_RESP_ERR__STATE) }
        unsafe rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(context).toOpaque())
        unsafe rd_kafka_conf_set_log_cb(configuration, forwardLogLine)
        let security = KafkaSecurity(self)
        context.security = security
        // Where certificates are not to be judged, listening to the judgement would only fill the log. A librdkafka
        // without TLS refuses, and needs it as little.
        if security.usesTLS, security.verifiesCertificate {
            unsafe _ = rd_kafka_conf_set_ssl_cert_verify_cb(configuration, listenToCertificate)
        }
        var text = ErrorText()
        let type = kind == .producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER
        guard let client = unsafe rd_kafka_new(type, configuration, &text.bytes, ErrorText.capacity) else {
            throw KafkaError(rd_kafka_last_error(), detail: text.string)
        }
        unsafe self.configuration = nil
        return unsafe client
    }
}

/// Room for the sentence librdkafka writes about a failed call.
struct ErrorText {
    static let capacity = 512
    var bytes = [CChar](repeating: 0, count: ErrorText.capacity)

    var string: String {
        String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// File-scope, as a C callback must be: it runs on librdkafka's threads (DESIGN.md, "What bites in Swift").
private func forwardLogLine(
    _ client: OpaquePointer?, _ level: Int32, _ facility: UnsafePointer<CChar>?, _ message: UnsafePointer<CChar>?
) {
    guard let client = unsafe client, let opaque = unsafe rd_kafka_opaque(client),
        let facility = unsafe facility, let message = unsafe message
    else { return }
    let context = unsafe Unmanaged<ClientContext>.fromOpaque(opaque).takeUnretainedValue()
    // rd_kafka_toppar_leader_unavailable's line of debug=topic (2.0.2 and 2.8.0; see Consumer.watchForRefusedFetches).
    if level == 7, unsafe strcmp(facility, "BROKERUA") == 0 { context.noteRefusedFetch() }
    if level == 7, !context.forwardsDebugging { return }
    let text = unsafe String(cString: message)
    // A connection that ends is told at level 6; 7 is debugging, which may be a flood.
    if level <= 6 { context.note(text) }
    unsafe context.logHook(level, String(cString: facility), text)
}

/// librdkafka as it runs, which may be newer than what was compiled against.
public enum KafkaLibrary {
    /// Such as `2.0.2`.
    public static var version: String { unsafe String(cString: rd_kafka_version_str()) }
    /// `0xMMmmrrpp`: 2.8.0 is `0x020800ff`.
    public static var versionNumber: Int32 { rd_kafka_version() }
    /// SCRAM works with Kafka 4 only from 2.6.1 on (DESIGN.md, "What bites").
    public static var hasWorkingSCRAM: Bool { versionNumber >= 0x0206_01ff }
    /// From 2.8.0 on `fetch.queue.backoff.ms` keeps a full queue from stalling; before, the watermark probe does.
    static var hasFetchQueueBackoff: Bool { versionNumber >= 0x0208_00ff }
}
