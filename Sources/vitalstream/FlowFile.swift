internal import API
internal import ProducerSupport
internal import WaitTime

/// A file of `patient-flow` events, plain or gzip, one JSON object a line.
struct FlowFile {
    /// An event and where it happened.
    struct Line {
        let step: FlowStep
        let facility: String
        let sector: String
    }

    /// In order of time; events of one instant keep the file's order. Each event once, the first counts.
    private(set) var lines: [Line] = []
    /// Events that were there before.
    private(set) var repeated = 0

    init(path: String) throws {
        var known: Set<VisitKey> = []
        var number = 0
        var reader = try Self.reader(path)
        while let bytes = try Self.next(&reader) {
            number += 1
            let (eventID, line) = try Self.line(bytes, place: "\(path), line \(number)")
            guard known.insert(VisitKey(eventID)).inserted else {
                repeated += 1
                continue
            }
            lines.append(line)
        }
        guard !lines.isEmpty else { throw CommandFailure("there is no event in \(path)") }
        let order = lines.indices.sorted {
            (lines[$0].step.timestamp, $0) < (lines[$1].step.timestamp, $1)
        }
        lines = order.map { lines[$0] }
    }

    /// Opens a file of lines; what it throws names the file.
    static func reader(_ path: String) throws(CommandFailure) -> LineReader {
        do throws(ReplayError) { return try LineReader(path: path) } catch {
            throw CommandFailure("cannot read \(path): name a file, plain or gzip")
        }
    }

    /// The next line that is not blank.
    static func next(_ reader: inout LineReader) throws(CommandFailure) -> [UInt8]? {
        do throws(ReplayError) { return try reader.next().map { [UInt8]($0) } } catch {
            throw CommandFailure(error.message)
        }
    }

    private static let kinds: [String: FlowKind] = [
        "arrival": .arrival, "triage": .triage, "treatment_start": .treatmentStart, "transfer": .transfer,
        "departure": .departure, "left_without_being_seen": .leftWithoutBeingSeen, "cancelled": .cancelled,
    ]

    private static func line(_ bytes: [UInt8], place: String) throws(CommandFailure) -> (String, Line) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch {
            throw CommandFailure("\(place): \(error)")
        }
        guard case .object(let members) = value else { throw CommandFailure("\(place): not a JSON object") }
        func text(_ name: String) throws(CommandFailure) -> String {
            guard case .string(let text) = members[name] else {
                throw CommandFailure("\(place): \(name) is missing or no text")
            }
            return text
        }
        guard let kind = kinds[try text("event")] else { throw CommandFailure("\(place): unknown event") }
        guard case .integer(let timestamp) = members["timestamp"], timestamp > 0, timestamp < 253_402_300_800_000
        else { throw CommandFailure("\(place): timestamp is missing or out of range") }
        var acuity: Int?
        if case .integer(let level) = members["acuity"], (1...5).contains(level) { acuity = Int(level) }
        let step = FlowStep(
            kind, visitID: try text("visitId"), timestamp: timestamp, acuity: acuity,
            toSector: kind == .transfer ? try text("toSectorId") : nil)
        let line = Line(step: step, facility: try text("facilityId"), sector: try text("sectorId"))
        return (try text("eventId"), line)
    }
}
