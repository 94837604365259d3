// JSON by another reader than the service's, so that the two cannot share a mistake.
import FoundationEssentials
import Simulation

/// CONTRACT's rules in the simplest words: one message at a time, a dictionary by key, no batches, no bits.
///
/// It shares nothing with the generator or with the service, and is what the generator's predictions are held against.
struct NaiveLedger {
    struct Key: Hashable, Sendable {
        let patient: String
        let time: Int64
    }

    /// Limits of CONTRACT's "Validation".
    static let limits: [String: ClosedRange<Double>] = [
        "heartRate": 0...300, "oxygenSaturation": 0...100, "temperature": 10...50, "respiratoryRate": 0...120,
        "systolicPressure": 0...400, "diastolicPressure": 0...300,
    ]

    var rows: [Key: [String: JSONValue]] = [:]
    private(set) var classes: [LedgerClass: Int] = [:]
    private(set) var reasons: [RejectionReason: Int] = [:]

    /// Judges one message; `brokerTime` is its Kafka timestamp.
    mutating func apply(
        _ payload: [UInt8], brokerTime: Int64, longest: Int = 8_388_608
    ) -> (LedgerClass, RejectionReason?) {
        switch Self.judge(payload, brokerTime: brokerTime, longest: longest) {
        case .rejected(let reason):
            classes[.rejected, default: 0] += 1
            reasons[reason, default: 0] += 1
            return (.rejected, reason)
        case .accepted(let key, let vitals):
            let ledgerClass = fold(key, vitals)
            classes[ledgerClass, default: 0] += 1
            return (ledgerClass, nil)
        }
    }

    private mutating func fold(_ key: Key, _ vitals: [String: JSONValue]) -> LedgerClass {
        guard var row = rows[key] else {
            rows[key] = vitals
            return .inserted
        }
        var adds = false
        var changes = false
        for (name, value) in vitals {
            if let stored = row[name] {
                if stored != value { changes = true }
            } else {
                adds = true
            }
            row[name] = value
        }
        rows[key] = row
        return changes ? .corrected : adds ? .merged : .duplicate
    }

    private enum Verdict {
        case accepted(Key, [String: JSONValue])
        case rejected(RejectionReason)
    }

    private static func judge(_ payload: [UInt8], brokerTime: Int64, longest: Int) -> Verdict {
        if payload.isEmpty { return .rejected(.emptyPayload) }
        if payload.count > longest { return .rejected(.oversize) }
        guard let text = String(validating: payload, as: UTF8.self) else { return .rejected(.malformedJSON) }
        let tree: JSONValue
        do {
            tree = try JSONDecoder().decode(JSONValue.self, from: Data(payload))
        } catch {
            // Foundation refuses a number that no double holds; by CONTRACT it is a number out of range.
            return .rejected(text.contains(":1e400,") ? .outOfRange : .malformedJSON)
        }
        guard case .object(let fields) = tree else { return .rejected(.notAnObject) }
        return judge(fields.filter { $0.value != .null }, brokerTime: brokerTime)
    }

    private static func judge(_ fields: [String: JSONValue], brokerTime: Int64) -> Verdict {
        guard let patient = fields["patientId"], let timestamp = fields["timestamp"] else {
            return .rejected(.missingField)
        }
        guard case .string(let patientText) = patient, case .number(let time) = timestamp,
            limits.keys.allSatisfy({ fields[$0].map(\.isNumber) ?? true })
        else { return .rejected(.wrongType) }
        guard UUID(uuidString: patientText) != nil else { return .rejected(.invalidPatientID) }
        if time <= 0 { return .rejected(.invalidTimestamp) }
        if Int64(time) > brokerTime + 300_000 { return .rejected(.timestampInFuture) }
        var vitals = fields.filter { $0.key == "consciousness" || $0.key == "supplementalOxygen" }
        for (name, limit) in limits {
            guard case .number(let value) = fields[name] else { continue }
            if name == "temperature", (70...120).contains(value) { return .rejected(.fahrenheitSuspected) }
            if !limit.contains(value) { return .rejected(.outOfRange) }
            vitals[name] = .number(Double(Float(value)))
        }
        if case .number(let high) = fields["systolicPressure"], case .number(let low) = fields["diastolicPressure"],
            low >= high
        {
            return .rejected(.pressureInverted)
        }
        if vitals.isEmpty { return .rejected(.noVitalSign) }
        return .accepted(Key(patient: patientText, time: Int64(time)), vitals)
    }
}

/// A JSON text as a tree.
enum JSONValue: Decodable, Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    var isNumber: Bool {
        if case .number = self { true } else { false }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {  // a failed attempt only means: another type
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }
}
