import Kafka
import Service
import TestSupport

/// A vital sign's value as it is stored.
enum VitalValue: Equatable, Sendable, CustomStringConvertible {
    case number(Float)
    case letter(String)
    case truth(Bool)

    var description: String {
        switch self {
        case .number(let number): "\(number)"
        case .letter(let letter): letter
        case .truth(let truth): "\(truth)"
        }
    }
}

/// A reading as a test sends it.
struct SentReading: Sendable {
    /// Names the patient; `Patients.id` makes a UUID of it.
    var patient: Int
    /// Milliseconds since 1970.
    var time: Int64
    /// By the name of the message's field.
    var numbers: [String: Double] = [:]
    var consciousness: String?
    var oxygen: Bool?
    /// facilityId, sectorId, deviceId; an empty text is left out.
    var origin: [String] = []
    /// Appended to the object as it is.
    var extra = ""

    init(_ patient: Int, _ time: Int64, _ numbers: [String: Double] = [:], origin: [String] = []) {
        self.patient = patient
        self.time = time
        self.numbers = numbers
        self.origin = origin
    }

    /// All vital signs it carries, rounded as the table rounds them.
    var vitals: [String: VitalValue] {
        var vitals = numbers.mapValues { VitalValue.number(Float($0)) }
        if let consciousness { vitals["consciousness"] = .letter(consciousness) }
        if let oxygen { vitals["supplementalOxygen"] = .truth(oxygen) }
        return vitals
    }

    var json: String {
        var members = ["\"patientId\":\"\(Patients.id(patient))\"", "\"timestamp\":\(time)"]
        members += numbers.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
        if let consciousness { members.append("\"consciousness\":\"\(consciousness)\"") }
        if let oxygen { members.append("\"supplementalOxygen\":\(oxygen)") }
        for (name, text) in zip(["facilityId", "sectorId", "deviceId"], origin) where !text.isEmpty {
            members.append("\"\(name)\":\"\(text)\"")
        }
        members.append("\"large_data\":\"\(Patients.marker)\"")
        if !extra.isEmpty { members.append(extra) }
        return "{" + members.joined(separator: ",") + "}"
    }
}

/// The patients of all tests: made so that a log can be searched for any of them at once.
enum Patients {
    /// Every id begins with it, and nothing else in a log does.
    static let mark = "5eedface"
    /// Stands in every payload.
    static let marker = "payload-marker-7f3a"

    static func id(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return "\(mark)-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }
}

/// A message as a test sends it, and what must become of it.
struct SentMessage: Sendable {
    enum Meaning: Sendable {
        case reading(SentReading)
        /// A dead letter with this reason.
        case bad(String)
    }

    var meaning: Meaning
    var key: [UInt8]?
    var payload: [UInt8]?
    var headers: [MessageHeader] = []

    init(_ reading: SentReading) {
        meaning = .reading(reading)
        key = Array(Patients.id(reading.patient).utf8)
        payload = Array(reading.json.utf8)
    }

    init(bad reason: String, _ payload: [UInt8]?, headers: [MessageHeader] = []) {
        meaning = .bad(reason)
        self.payload = payload
        self.headers = headers
    }

    init(bad reason: String, _ payload: String) {
        self.init(bad: reason, Array(payload.utf8))
    }
}

/// A topic as the test knows it: every message sent, by partition and offset, since no one else writes to it.
final class SentLog: Sendable {
    let topic: String
    let partitionCount: Int
    let bootstrapServers: String
    private let messages: Locked<[[SentMessage]]>

    init(topic: String, partitions: Int, bootstrapServers: String) {
        self.topic = topic
        partitionCount = partitions
        self.bootstrapServers = bootstrapServers
        messages = Locked(Array(repeating: [], count: partitions))
    }

    /// All messages so far: by partition, in the order of their offsets.
    var partitions: [[SentMessage]] { messages.withLock { $0 } }

    /// How many there are.
    var count: Int { messages.withLock { $0.reduce(0) { $0 + $1.count } } }

    /// Where a patient's messages go.
    func partition(of patient: Int) -> Int { patient % partitionCount }

    /// A producer for `send`; one thread only.
    func producer() throws(KafkaError) -> Producer {
        try Producer(properties: [
            ("bootstrap.servers", bootstrapServers), ("message.max.bytes", "50000000"), ("linger.ms", "2"),
        ])
    }

    /// Sends these in their order and waits until the broker has them.
    func send(_ batch: [SentMessage], to partition: Int? = nil) throws {
        var producer = try producer()
        for message in batch { try enqueue(message, to: partition, &producer) }
        try finish(&producer)
    }

    /// Sends readings to their patients' partitions.
    func send(_ readings: [SentReading]) throws {
        try send(readings.map(SentMessage.init))
    }

    /// Queues one message; `finish` waits for all.
    func enqueue(_ message: SentMessage, to wanted: Int? = nil, _ producer: inout Producer) throws {
        var partition = wanted ?? 0
        if wanted == nil, case .reading(let reading) = message.meaning {
            partition = self.partition(of: reading.patient)
        }
        while true {
            let result = producer.enqueue(
                topic: topic, partition: Int32(partition), key: message.key, payload: message.payload,
                headers: message.headers)
            switch result {
            case .queued:
                // In the order of the queue, which is that of the offsets.
                messages.withLock { $0[partition].append(message) }
                return
            case .queueFull: producer.poll(timeoutMilliseconds: 100)
            case .refused(let error): throw error
            }
        }
    }

    func finish(_ producer: inout Producer) throws {
        let left = producer.flush(within: .seconds(60))
        guard left == 0, producer.failedCount == 0 else {
            throw TestFailure("\(left) messages not delivered, \(producer.failedCount) failed")
        }
    }
}
