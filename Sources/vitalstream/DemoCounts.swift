internal import API
internal import Postgres

/// What producers say they sent, or what the database says it holds: the ledger's columns, dead letters by reason.
struct DemoCounts {
    /// The ledger's columns in their order.
    static let columns = ["consumed", "inserted", "merged", "corrected", "duplicate", "stale", "rejected"]

    /// Messages by the ledger's column.
    private(set) var ledger: [String: Int64] = [:]
    /// Dead letters by reason.
    private(set) var deadLetters: [String: Int64] = [:]

    /// Nothing.
    init() {}

    /// The counts in a producer's line of JSON.
    init(producerLine line: String) throws(JSONError) {
        let root = try Self.members(JSONValue(parsing: Array(line.utf8)), "the counts")
        // A producer that could not deliver everything says so, and its counts prove nothing.
        guard root["exact"] == .bool(true) else { throw .unexpected(member: "exact") }
        ledger = try Self.numbers(root, "expected_ledger")
        // What patient flow's producer sends is never wrong.
        if root["expected_dead_letters"] != nil { deadLetters = try Self.numbers(root, "expected_dead_letters") }
    }

    /// The counts in a database of which the demo is the only user.
    init(_ connection: inout Connection) throws(PostgresError) {
        let sums = Self.columns.map { "coalesce(sum(\($0)), 0)::bigint" }.joined(separator: ", ")
        let books = try connection.query("SELECT \(sums) FROM ops.partition_progress")
        for (column, name) in Self.columns.enumerated() { ledger[name] = books.int64(0, column) }
        let letters = try connection.query("SELECT reason, count(*) FROM bronze.dead_letter GROUP BY reason")
        for row in 0..<letters.rowCount { deadLetters[letters.text(row, 0)] = letters.int64(row, 1) }
    }

    /// Adds another producer's counts.
    static func += (left: inout DemoCounts, right: DemoCounts) {
        left.ledger.merge(right.ledger, uniquingKeysWith: +)
        left.deadLetters.merge(right.deadLetters, uniquingKeysWith: +)
    }

    private static func members(_ value: JSONValue, _ name: String) throws(JSONError) -> [String: JSONValue] {
        guard case .object(let members) = value else { throw .unexpected(member: name) }
        return members
    }

    private static func numbers(_ root: [String: JSONValue], _ name: String) throws(JSONError) -> [String: Int64] {
        var numbers: [String: Int64] = [:]
        for (key, value) in try members(root[name] ?? .null, name) {
            guard case .integer(let number) = value else { throw .unexpected(member: key) }
            numbers[key] = number
        }
        return numbers
    }
}

/// The demo's last table: what was sent against what is stored, line by line.
struct DemoSummary {
    /// One line: a name, and two numbers that must be equal.
    struct Row {
        let name: String
        let sent: Int64
        let stored: Int64
    }

    private(set) var rows: [Row]

    /// Compares the ledger's columns, the tables' rows, and the dead letters of each reason.
    ///
    /// - Parameters:
    ///   - sent: of vital signs and of patient flow.
    ///   - readings: rows of silver.vital_reading: as many as were inserted.
    ///   - history: rows of silver.vital_reading_history: one a correction.
    ///   - events: rows of silver.patient_flow_event: as many as were inserted.
    init(
        sent both: (vitals: DemoCounts, flow: DemoCounts), stored: DemoCounts, readings: Int64, history: Int64,
        events: Int64
    ) {
        var sent = both.vitals
        sent += both.flow
        rows = DemoCounts.columns.map { name in
            Row(name: name, sent: sent.ledger[name] ?? 0, stored: stored.ledger[name] ?? 0)
        }
        rows.append(
            Row(name: "rows of silver.vital_reading", sent: both.vitals.ledger["inserted"] ?? 0, stored: readings))
        rows.append(
            Row(name: "rows of silver.vital_reading_history", sent: sent.ledger["corrected"] ?? 0, stored: history))
        rows.append(
            Row(name: "rows of silver.patient_flow_event", sent: both.flow.ledger["inserted"] ?? 0, stored: events))
        for reason in Set(sent.deadLetters.keys).union(stored.deadLetters.keys).sorted() {
            rows.append(
                Row(
                    name: "dead letters: \(reason)", sent: sent.deadLetters[reason] ?? 0,
                    stored: stored.deadLetters[reason] ?? 0))
        }
    }

    /// Whether every line's numbers are equal.
    var isRight: Bool { rows.allSatisfy { $0.sent == $0.stored } }

    /// The table, each line ended.
    var text: String {
        var table = TableText([("", .left), ("sent", .right), ("stored", .right), ("", .left)])
        for row in rows {
            table.add([
                row.name, row.sent.grouped, row.stored.grouped, row.sent == row.stored ? "equal" : "DIFFERS",
            ])
        }
        return table.text
    }
}

/// Numbers and columns of the live table, whose places must not move while the numbers grow.
enum DemoText {
    /// With one digit behind the point.
    static func oneDecimal(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "-" }
        let tenths = Int64((value * 10).rounded())
        return "\((tenths / 10).grouped).\(abs(tenths % 10))"
    }

    /// Cells of one line: the first to the left, the others to the right, two blanks before all.
    static func row(_ cells: [String], widths: [Int]) -> String {
        var line = "  "
        for (index, (cell, width)) in zip(cells, widths).enumerated() {
            let blanks = String(repeating: " ", count: max(0, width - cell.count))
            line += index == 0 ? cell + blanks : blanks + cell
        }
        return line
    }
}
