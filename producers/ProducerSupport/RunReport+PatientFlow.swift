internal import Simulation

extension RunReport {
    /// The table's part about patient flow.
    func flowLines(_ counts: FlowCounts) -> [String] {
        var lines = ["Events of each kind"]
        lines += FlowEventKind.allCases.map { row($0.rawValue, counts.events($0)) }
        lines += ["", "Of these events"]
        lines += [row("late by more than 10 minutes", counts.late), row("reordered", counts.reordered)]
        lines += ["", isComplete ? "The ledger must say" : "The ledger would say, had all been delivered"]
        lines += flowLedger(counts).map { row($0.name, $0.count) }
        return lines + ["", "Delivery"]
    }

    /// The fields of the JSON line about patient flow.
    func flowFields(_ counts: FlowCounts) -> [String] {
        [
            Self.number("payload_bytes", "\(counts.payloadBytes)"),
            Self.object("events", FlowEventKind.allCases.map { ($0.rawValue, counts.events($0)) }),
            Self.number("duplicates", "\(counts.duplicates)"), Self.number("late", "\(counts.late)"),
            Self.number("reordered", "\(counts.reordered)"), Self.object("expected_ledger", flowLedger(counts)),
        ]
    }

    /// Each event is inserted once; what was said again is a duplicate; nothing is ever wrong.
    private func flowLedger(_ counts: FlowCounts) -> [(name: String, count: Int)] {
        let columns = LedgerClass.allCases.map { column in
            let count =
                switch column {
                case .inserted: counts.events
                case .duplicate: counts.duplicates
                case .merged, .corrected, .stale, .rejected: 0
                }
            return (name: column.label, count: count)
        }
        return [("consumed", counts.messages)] + columns
    }
}
