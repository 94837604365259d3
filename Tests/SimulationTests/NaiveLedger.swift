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

    var rows: [Key: [String: StoredValue]] = [:]
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

    private mutating func fold(_ key: Key, _ vitals: [String: StoredValue]) -> LedgerClass {
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
        case accepted(Key, [String: StoredValue])
        case rejected(RejectionReason)
    }

    private static func judge(_ payload: [UInt8], brokerTime: Int64, longest: Int) -> Verdict {
        if payload.isEmpty { return .rejected(.emptyPayload) }
        if payload.count > longest { return .rejected(.oversize) }
        guard let text = String(validating: payload, as: UTF8.self) else { return .rejected(.malformedJSON) }
        do throws(DecodingError) {
            return judge(try NaiveMessage(payload), brokerTime: brokerTime)
        } catch {
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context):
                return .rejected(context.codingPath.isEmpty ? .notAnObject : .wrongType)
            default:
                // Foundation refuses a number that no double holds; by CONTRACT it is a number out of range.
                return .rejected(text.contains(":1e400,") ? .outOfRange : .malformedJSON)
            }
        }
    }

    private static func judge(_ message: NaiveMessage, brokerTime: Int64) -> Verdict {
        guard let patient = message.patientId, let time = message.timestamp else { return .rejected(.missingField) }
        guard UUID(uuidString: patient) != nil else { return .rejected(.invalidPatientID) }
        if time <= 0 { return .rejected(.invalidTimestamp) }
        if Int64(time) > brokerTime + 300_000 { return .rejected(.timestampInFuture) }
        var vitals: [String: StoredValue] = [:]
        if let letter = message.consciousness { vitals["consciousness"] = .string(letter) }
        if let given = message.supplementalOxygen { vitals["supplementalOxygen"] = .bool(given) }
        let numbers = message.numbers
        if let temperature = numbers["temperature"], (70...120).contains(temperature) {
            return .rejected(.fahrenheitSuspected)
        }
        for (name, value) in numbers {
            if limits[name]?.contains(value) != true { return .rejected(.outOfRange) }
            vitals[name] = .number(Double(Float(value)))
        }
        if let high = numbers["systolicPressure"], let low = numbers["diastolicPressure"], low >= high {
            return .rejected(.pressureInverted)
        }
        if vitals.isEmpty { return .rejected(.noVitalSign) }
        return .accepted(Key(patient: patient, time: Int64(time)), vitals)
    }
}

/// A value of a row.
enum StoredValue: Equatable, Sendable {
    case bool(Bool)
    case number(Double)
    case string(String)
}

/// A message as Foundation reads it; other fields are passed over.
private struct NaiveMessage: Decodable {
    let patientId: String?
    let timestamp: Double?
    let heartRate: Double?
    let temperature: Double?
    let oxygenSaturation: Double?
    let respiratoryRate: Double?
    let systolicPressure: Double?
    let diastolicPressure: Double?
    let consciousness: String?
    let supplementalOxygen: Bool?

    init(_ payload: [UInt8]) throws(DecodingError) {
        do {
            self = try JSONDecoder().decode(NaiveMessage.self, from: Data(payload))
        } catch let error as DecodingError {
            throw error
        } catch {
            throw .dataCorrupted(.init(codingPath: [], debugDescription: "\(error)"))
        }
    }

    /// The numeric vital signs that it tells.
    var numbers: [String: Double] {
        [
            "heartRate": heartRate, "temperature": temperature, "oxygenSaturation": oxygenSaturation,
            "respiratoryRate": respiratoryRate, "systolicPressure": systolicPressure,
            "diastolicPressure": diastolicPressure,
        ].compactMapValues(\.self)
    }
}
