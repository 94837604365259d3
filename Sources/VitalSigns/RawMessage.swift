/// One message of the `vitals` topic as the log holds it, before anybody has judged it.
///
/// It borrows payload and key: the caller keeps them alive and unchanged while a `SliceDecoder` reads them.
/// Same layout as `vs_message` of `CSimdJSON`. Holding one is safe; following its pointers is marked where it happens.
@safe
public struct RawMessage: BitwiseCopyable {
    /// The value's first byte; nil for a tombstone.
    public var payload: UnsafeRawPointer?
    /// Bytes of the value, 0 when `payload` is nil.
    public var payloadLength: Int
    /// The key's first byte; nil for a message without a key.
    public var key: UnsafeRawPointer?
    /// Bytes of the key, 0 when `key` is nil.
    public var keyLength: Int
    /// Kafka offset.
    public var offset: Int64
    /// The broker's timestamp in milliseconds since 1970-01-01Z; -1 when the message has none.
    public var timestampMilliseconds: Int64
    /// Kafka partition, 0 to 65,535 (what a `Reading` can hold; the decoder traps on others).
    public var partition: Int32

    /// A message around borrowed bytes.
    public init(
        payload: UnsafeRawPointer?, payloadLength: Int, key: UnsafeRawPointer?, keyLength: Int, offset: Int64,
        timestampMilliseconds: Int64, partition: Int32
    ) {
        unsafe self.payload = payload
        self.payloadLength = payloadLength
        unsafe self.key = key
        self.keyLength = keyLength
        self.offset = offset
        self.timestampMilliseconds = timestampMilliseconds
        self.partition = partition
    }
}
