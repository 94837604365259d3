import Kafka
import Postgres
import Service
import TestSupport

/// An event of patient flow as a test sends it.
struct SentEvent: Sendable {
    /// Names the event; `identifier` makes a UUID of it.
    var number: Int
    var facility = "north"
    var sector: String
    var visit: String
    var kind: String
    /// Minutes after `SentEvent.start`.
    var minute: Double
    var acuity: Int?
    var toSector: String?

    /// 2026-01-01T00:00Z.
    static let start: Int64 = 1_767_225_600_000

    init(
        _ number: Int, sector: String = "emergency", _ visit: String, _ kind: String, at minute: Double,
        acuity: Int? = nil, toSector: String? = nil
    ) {
        self.number = number
        self.sector = sector
        self.visit = visit
        self.kind = kind
        self.minute = minute
        self.acuity = acuity
        self.toSector = toSector
    }

    var time: Int64 { Self.start + Int64(minute * 60_000) }

    static func identifier(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return "e0e0e0e0-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    var json: String {
        var members = [
            "\"eventId\":\"\(Self.identifier(number))\"", "\"facilityId\":\"\(facility)\"",
            "\"sectorId\":\"\(sector)\"", "\"visitId\":\"\(visit)\"", "\"event\":\"\(kind)\"", "\"timestamp\":\(time)",
            "\"patientId\":\"\(Patients.id(number))\"",
        ]
        if let acuity { members.append("\"acuity\":\(acuity)") }
        if let toSector { members.append("\"toSectorId\":\"\(toSector)\"") }
        return "{" + members.joined(separator: ",") + "}"
    }

    func at(_ facility: String, _ sector: String? = nil) -> SentEvent {
        var event = self
        event.facility = facility
        event.sector = sector ?? self.sector
        return event
    }
}

/// A topic of patient flow that nobody else writes to.
final class FlowTopic: Sendable {
    let name: String
    private let bootstrapServers: String
    private let sent = Locked(0)

    init(_ broker: any Broker, _ name: String = "patient-flow", partitions: Int = 1) throws {
        self.name = name
        bootstrapServers = broker.bootstrapServers
        try broker.createTopic(name, partitions: partitions)
    }

    /// Messages sent so far.
    var count: Int { sent.withLock { $0 } }

    /// Sends messages in their order and waits until the broker has them.
    func send(_ messages: [(key: String?, payload: String?)], to partition: Int = 0) throws {
        var producer = try Producer(properties: [("bootstrap.servers", bootstrapServers), ("linger.ms", "2")])
        for message in messages {
            while true {
                let result = producer.enqueue(
                    topic: name, partition: Int32(partition), key: message.key.map { Array($0.utf8) },
                    payload: message.payload.map { Array($0.utf8) }, headers: [])
                if case .refused(let error) = result { throw error }
                if case .queued = result { break }
                producer.poll(timeoutMilliseconds: 100)
            }
            sent.withLock { $0 += 1 }
        }
        let left = producer.flush(within: .seconds(60))
        guard left == 0, producer.failedCount == 0 else { throw TestFailure("\(left) messages not delivered") }
    }

    func send(_ events: [SentEvent], to partition: Int = 0) throws {
        try send(events.map { ($0.facility, $0.json) }, to: partition)
    }
}

extension Laboratory {
    /// Starts a service that reads both topics.
    @discardableResult
    func serve(
        _ log: SentLog, _ flow: FlowTopic, name: String = "serve", group: String = "lab",
        _ settings: [String: String] = [:]
    ) throws -> ServeProcess {
        try serve(
            log, name: name, group: group,
            ["PATIENT_FLOW_TOPIC": flow.name, "VALIDATION_MAX_FUTURE_SECONDS": "off"].merging(settings) { $1 })
    }

    /// How many messages of patient flow a group has in the database.
    func flowPosition(_ flow: FlowTopic, group: String = "lab") throws -> Int64 {
        var connection = try connect()
        return try connection.query(
            "SELECT coalesce(sum(next_offset), 0)::bigint FROM ops.partition_progress "
                + "WHERE consumer_group = $1 AND topic = $2", [group, flow.name]
        ).int64(0, 0)
    }

    /// Waits until the ledger of patient flow stands at the end of what was sent.
    func awaitFlow(_ flow: FlowTopic, group: String = "lab", within limit: Duration = .seconds(90)) throws {
        var found: Int64 = -1
        try eventually("flow of \(group) at \(flow.count) (it is at \(found))", within: limit) {
            found = try flowPosition(flow, group: group)
            return found >= Int64(flow.count)
        }
    }
}
