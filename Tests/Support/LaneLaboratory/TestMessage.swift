package import Ingest
package import TestSupport

/// A message with what it means, so that the oracle need not read its bytes.
package struct TestMessage: Sendable {
    package enum Meaning: Sendable {
        case reading(TestReading)
        /// The reason code of the dead letter that it becomes.
        case letter(String)
    }

    package var key: [UInt8]?
    package var payload: [UInt8]?
    package var timestampMilliseconds: Int64 = TestReading.start
    package var headers: [(name: String, value: [UInt8]?)] = []
    package var meaning: Meaning

    /// A message that tells a reading.
    package static func reading(_ reading: TestReading) -> TestMessage {
        TestMessage(
            key: Array(TestReading.identifier(reading.patient).utf8), payload: Array(reading.json.utf8),
            timestampMilliseconds: reading.time, meaning: .reading(reading))
    }

    /// A message that becomes a dead letter; nil is a tombstone.
    package static func bad(_ payload: String?, _ reason: String) -> TestMessage {
        TestMessage(key: nil, payload: payload.map { Array($0.utf8) }, meaning: .letter(reason))
    }
}

/// A reading in the words of the contract: field names and JSON literals.
package struct TestReading: Sendable {
    package static let start: Int64 = 1_767_225_600_000

    package var patient: Int
    /// Seconds after `start`.
    package var second = 0
    /// JSON field and literal: "heartRate": "60", "consciousness": "\"A\"".
    package var vitals: [String: String]
    package var origin: OriginNames?

    package init(patient: Int, second: Int = 0, vitals: [String: String], origin: OriginNames? = nil) {
        self.patient = patient
        self.second = second
        self.vitals = vitals
        self.origin = origin
    }

    package var time: Int64 { Self.start + Int64(second) * 1_000 }

    package static func identifier(_ patient: Int) -> String {
        let digits = String(patient, radix: 16)
        return "8a1c6f8e-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    package var json: String {
        var members = ["\"patientId\":\"\(Self.identifier(patient))\"", "\"timestamp\":\(time)"]
        for (name, literal) in vitals.sorted(by: { $0.key < $1.key }) { members.append("\"\(name)\":\(literal)") }
        for (name, text) in [
            ("facilityId", origin?.facility), ("sectorId", origin?.sector), ("deviceId", origin?.device),
        ] {
            if let text { members.append("\"\(name)\":\"\(text)\"") }
        }
        return "{" + members.joined(separator: ",") + "}"
    }
}

extension SeededNumbers {
    /// A message of which few are like another, but many collide: few patients, instants and values.
    package mutating func message(patients: [Int], instants: Int) -> TestMessage {
        if oneIn(20) {
            return pick([
                .bad(nil, "empty_payload"), .bad("{", "malformed_json"), .bad("[1]", "not_an_object"),
                .bad("{\"timestamp\":1}", "missing_field"),
            ])
        }
        var vitals: [String: String] = [:]
        for name in ["heartRate", "temperature", "oxygenSaturation", "respiratoryRate"] where oneIn(2) {
            vitals[name] = pick(name == "temperature" ? ["36.6", "37"] : ["60", "61.5", "62"])
        }
        if oneIn(4) { vitals["consciousness"] = pick(["\"A\"", "\"V\"", "\"U\""]) }
        if oneIn(4) || vitals.isEmpty { vitals["supplementalOxygen"] = pick(["true", "false"]) }
        var reading = TestReading(patient: pick(patients), second: below(instants), vitals: vitals)
        if oneIn(3) {
            reading.origin = OriginNames(
                facility: pick([nil, "north"]), sector: pick([nil, "emergency"]), device: pick(["a", "b", "c"]))
        }
        return .reading(reading)
    }
}
