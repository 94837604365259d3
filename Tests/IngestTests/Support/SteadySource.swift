import Ingest
import Kafka
import LaneLaboratory

/// Messages of known patients at ever later instants, laid out once in raw memory: taking them allocates nothing.
///
/// Of a hundred messages ten are the message before once more, five the same instant with another value, and every
/// third names an origin.
final class SteadyMessages {
    static let partition = TopicPartition(topic: "vitals", partition: 0)
    private static let patients = 2_000
    private static let digits = 13

    let capacity: Int
    /// How many messages the log holds, from offset 0 on; what lies before `first` cannot be read again.
    fileprivate var high: Int64 = 0
    fileprivate var first: Int64 = 0
    fileprivate var next: Int64 = 0
    fileprivate var held = 0
    fileprivate var isJoined = false
    private let records: UnsafeMutablePointer<MessageRecord>
    private let bytes: UnsafeMutableRawBufferPointer
    private let times: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private var instant = TestReading.start

    init(capacity: Int) {
        self.capacity = capacity
        records = .allocate(capacity: capacity)
        times = .allocate(capacity: capacity)
        bytes = .allocate(byteCount: capacity * 256, alignment: 64)
        for index in 0..<capacity { lay(index) }
    }

    deinit {
        records.deallocate()
        times.deallocate()
        bytes.deallocate()
    }

    private func lay(_ index: Int) {
        let isSame = index % 10 == 9
        let isOther = index % 20 == 3
        let model = isSame || isOther ? index - 1 : index
        let key = TestReading.identifier(model % Self.patients)
        let origin = model % 3 == 0 ? ",\"facilityId\":\"north\",\"deviceId\":\"bed-\(model % 97)\"" : ""
        let head = "{\"patientId\":\"\(key)\",\"timestamp\":"
        let tail = ",\"heartRate\":\(isOther ? 59 : 60 + model % 40),\"temperature\":36.6\(origin)}"
        let text = Array((head + String(repeating: "0", count: Self.digits) + tail + key).utf8)
        precondition(text.count <= 256)
        let start = UnsafeMutableRawBufferPointer(rebasing: bytes[index * 256..<index * 256 + text.count])
        start.copyBytes(from: text)
        guard let address = start.baseAddress else { return }
        let payloadLength = text.count - key.utf8.count
        times[index] = address + head.utf8.count
        (records + index).initialize(
            to: MessageRecord(
                payload: UnsafeRawPointer(address), payloadLength: payloadLength,
                key: UnsafeRawPointer(address + payloadLength), keyLength: key.utf8.count, offset: 0,
                timestampMilliseconds: 0, partition: 0, topicIndex: 0, timestampIsLogAppend: true))
    }

    /// Writes the next `count` messages, later than all before.
    func write(_ count: Int) {
        precondition(count <= capacity)
        first = high
        for index in 0..<count {
            if !(index % 10 == 9 || index % 20 == 3) { instant += 1 }
            var rest = instant
            for digit in (0..<Self.digits).reversed() {
                times[index].storeBytes(of: UInt8(ascii: "0") + UInt8(rest % 10), toByteOffset: digit, as: UInt8.self)
                rest /= 10
            }
            records[index].offset = first + Int64(index)
            records[index].timestampMilliseconds = instant
        }
        high += Int64(count)
    }

    fileprivate func record(_ index: Int) -> MessageRecord { records[Int(next - first) + index] }
}

/// The port that the lane sees.
struct SteadySource: MessageSource {
    let messages: SteadyMessages

    mutating func poll(limit: Int) -> SourcePoll {
        messages.held = min(limit, Int(messages.high - messages.next))
        return SourcePoll(count: messages.held, isDrained: messages.held < limit)
    }

    func record(at index: Int) -> SourceRecord { messages.record(index) }

    func forEachHeader(at index: Int, _ body: (UnsafePointer<CChar>, UnsafeRawBufferPointer?) -> Void) {}

    mutating func release() {
        messages.next += Int64(messages.held)
        messages.held = 0
    }

    mutating func takeEvent() -> ConsumerEvent? {
        if messages.isJoined { return nil }
        messages.isJoined = true
        return .assigned([SteadyMessages.partition])
    }

    mutating func assign(_ starts: [TopicPartitionOffset]) throws(KafkaError) {
        if let start = starts.first { messages.next = max(start.offset, messages.first) }
    }

    func cachedWatermarks(of partition: TopicPartition) -> Watermarks? { Watermarks(low: -1, high: messages.high) }

    mutating func queryWatermarks(of partition: TopicPartition) throws(KafkaError) -> Watermarks {
        Watermarks(low: 0, high: messages.high)
    }

    mutating func rejoin() throws(KafkaError) {}

    mutating func reportCommitted(_ positions: [TopicPartitionOffset]) {}

    mutating func close(within limit: Duration) -> Bool { true }
}
