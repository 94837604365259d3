internal import Service
internal import Simulation

/// The exact counts of a run, for people and for programs.
struct RunReport {
    /// What the source counted.
    enum Counts {
        case simulation(MessageCounts)
        case replay(ReplayCounts)
        case flow(FlowCounts)
    }

    /// Where the messages went.
    enum Destination {
        case topic(String)
        case file(String)
    }

    let program: String
    let destination: Destination
    let seed: UInt64
    let result: RunResult
    let counts: Counts

    /// Whether everything that was sent was delivered, and nothing stood in the way.
    var isComplete: Bool { result.undelivered == 0 && result.obstacle == nil }

    /// A table, its last line ended.
    func text() -> String {
        let place =
            switch destination {
            case .topic(let name): "topic \(name)"
            case .file(let path): "file \(path)"
            }
        var lines = ["\(program): \(place), seed \(seed)", ""]
        switch counts {
        case .simulation(let counts): lines += simulationLines(counts)
        case .replay(let counts): lines += replayLines(counts)
        case .flow(let counts): lines += flowLines(counts)
        }
        let seconds = Double(result.nanoseconds) / 1e9
        let rate = seconds > 0 ? Double(result.sent) / seconds : 0
        lines += [
            row("sent", result.sent), row("delivered", result.delivered), row("undelivered", result.undelivered),
            "  \(Self.oneDecimal(seconds)) s, \(Int(rate.rounded())) messages/s",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    /// One JSON object on one line.
    func json() -> String {
        let place =
            switch destination {
            case .topic(let name): Self.string("topic", name)
            case .file(let path): Self.string("output", path)
            }
        var fields = [
            Self.string("program", program), place, Self.number("seed", "\(seed)"),
            Self.number("sent", "\(result.sent)"), Self.number("delivered", "\(result.delivered)"),
            Self.number("undelivered", "\(result.undelivered)"), Self.number("exact", isComplete ? "true" : "false"),
            Self.number("stopped", result.isStopped ? "true" : "false"),
            Self.number("milliseconds", "\(result.nanoseconds / 1_000_000)"),
        ]
        switch counts {
        case .simulation(let counts):
            fields.append(Self.number("payload_bytes", "\(counts.payloadBytes)"))
            fields.append(Self.object("messages", MessageKind.allCases.map { ($0.label, counts.sent($0)) }))
            fields.append(Self.object("expected_ledger", ledger(counts)))
            fields.append(Self.object("expected_dead_letters", deadLetters(counts)))
        case .replay(let counts):
            fields.append(Self.number("payload_bytes", "\(counts.payloadBytes)"))
            fields.append(Self.number("without_key", "\(counts.withoutKey)"))
        case .flow(let counts): fields += flowFields(counts)
        }
        return "{" + fields.joined(separator: ",") + "}\n"
    }

    private func simulationLines(_ counts: MessageCounts) -> [String] {
        var lines = ["Messages of each kind"]
        lines += MessageKind.allCases.filter { counts.sent($0) > 0 }.map { row($0.label, counts.sent($0)) }
        lines += ["", isComplete ? "The ledger must say" : "The ledger would say, had all been delivered"]
        lines += ledger(counts).map { row($0.name, $0.count) }
        let letters = deadLetters(counts)
        if !letters.isEmpty { lines += ["", "Of these rejected, by reason"] + letters.map { row($0.name, $0.count) } }
        return lines + ["", "Delivery"]
    }

    private func replayLines(_ counts: ReplayCounts) -> [String] {
        [row("lines", counts.messages), row("of these without a key", counts.withoutKey)]
    }

    private func ledger(_ counts: MessageCounts) -> [(name: String, count: Int)] {
        [("consumed", counts.total)] + LedgerClass.allCases.map { ($0.label, counts.ledger($0)) }
    }

    private func deadLetters(_ counts: MessageCounts) -> [(name: String, count: Int)] {
        RejectionReason.allCases.map { ($0.rawValue, counts.deadLetters($0)) }.filter { $0.1 > 0 }
    }

    func row(_ name: String, _ count: Int) -> String {
        let digits = Self.grouped(count)
        let gap = max(1, 46 - name.count - digits.count)
        return "  " + name + String(repeating: " ", count: gap) + digits
    }

    /// 1234567 as 1,234,567.
    static func grouped(_ number: Int) -> String {
        let digits = Array("\(number)")
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    private static func oneDecimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func string(_ name: String, _ value: String) -> String {
        "\"\(name)\":\"\(String(decoding: TextEscape.json(value), as: UTF8.self))\""
    }

    static func number(_ name: String, _ value: String) -> String { "\"\(name)\":\(value)" }

    static func object(_ name: String, _ counts: [(name: String, count: Int)]) -> String {
        number(name, "{" + counts.map { number($0.name, "\($0.count)") }.joined(separator: ",") + "}")
    }
}
