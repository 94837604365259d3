// The public signatures are made of their values.
public import Kafka
internal import Service
public import VitalSigns

/// The dead letters of one batch: facts in a list, bytes in one growing arena. Cost only where messages are bad.
@safe public final class DeadLetterBuffer {
    /// One message that could not be used.
    public struct Letter: Sendable {
        /// Where it stood.
        public var position: TopicPartitionOffset
        /// Why it was rejected.
        public var reason: RejectReason
        /// When it was read, wall clock, milliseconds since 1970-01-01Z.
        public var receivedAtMilliseconds: Int64
        /// Arena range of the text that names the bad fields.
        public var detail: Range<Int>
        /// Arena range of the payload; nil for a tombstone.
        public var payload: Range<Int>?
        /// Arena range of the headers as a JSON array of [name, value]; nil without headers.
        public var headers: Range<Int>?
    }

    /// Payloads longer than `MAX_MESSAGE_BYTES` keep this many of their first bytes.
    public static let oversizeKeptBytes = 64 * 1024

    /// The letters, in the order in which they were read.
    public private(set) var letters: [Letter] = []
    private var arena: [UInt8] = []
    private static let keptArenaBytes = 1 << 20

    /// An empty buffer.
    public init() {}

    /// How many letters there are.
    public var count: Int { letters.count }
    /// Bytes held for them.
    public var byteCount: Int { arena.count + letters.count * MemoryLayout<Letter>.stride }

    /// Keeps one rejected message.
    /// - Parameter addHeaders: appends the headers as JSON to the arena, or nothing when there are none.
    public func append(
        position: TopicPartitionOffset, reason: RejectReason, receivedAtMilliseconds: Int64,
        detail: some Collection<UInt8>, payload: UnsafeRawBufferPointer?,
        addHeaders: (inout [UInt8]) -> Void
    ) {
        let detailRange = keep(detail)
        var payloadRange: Range<Int>?
        if let payload = unsafe payload {
            let kept = reason == .oversize ? min(payload.count, Self.oversizeKeptBytes) : payload.count
            payloadRange = unsafe keep(UnsafeRawBufferPointer(rebasing: payload[0..<kept]))
        }
        let headersStart = arena.count
        addHeaders(&arena)
        letters.append(
            Letter(
                position: position, reason: reason, receivedAtMilliseconds: receivedAtMilliseconds,
                detail: detailRange, payload: payloadRange,
                headers: arena.count > headersStart ? headersStart..<arena.count : nil))
    }

    /// Lends bytes of the arena.
    public func withBytes<Result>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe arena.withUnsafeBytes { bytes in
            unsafe body(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    /// Forgets all letters; an arena that a burst made large is given back.
    public func reset() {
        letters.removeAll(keepingCapacity: letters.capacity <= 1024)
        arena.removeAll(keepingCapacity: arena.capacity <= Self.keptArenaBytes)
    }

    private func keep(_ bytes: some Collection<UInt8>) -> Range<Int> {
        let start = arena.count
        arena.append(contentsOf: bytes)
        return start..<arena.count
    }
}
