internal import Service

/// How a chaos run went.
package struct ChaosReport: Sendable {
    package var faults: [ChaosFault: Int] = [:]
    /// After which faults the work went on how soon.
    var recoveries: [(fault: ChaosFault?, time: Duration)] = []
    package var messages: Int64 = 0
    package var violations: [String] = []
    var peakKibibytes = 0
    var brokerName = ""

    package var faultCount: Int { faults.values.reduce(0, +) }

    /// The last line.
    package var verdict: String {
        "chaos: \(faultCount) faults, \(messages) messages, \(violations.count) violations"
    }

    /// Faults by kind with the time to recover, the invariants, the verdict.
    package var lines: [String] {
        var lines = ["broker: \(brokerName)", "  count   p50 ms   p99 ms   max ms  fault"]
        for fault in ChaosFault.allCases {
            guard let count = faults[fault] else { continue }
            lines.append(Self.line(count, recoveries.filter { $0.fault == fault }.map(\.time), fault.rawValue))
        }
        let mixed = recoveries.filter { $0.fault == nil }.map(\.time)
        lines.append(Self.line(mixed.count, mixed, "several at once"))
        lines.append(Self.line(faultCount, recoveries.map(\.time), "all"))
        lines.append("times: from the last fault's end until every partition has moved. A killed or frozen process")
        lines.append("is missed only after its session of \(ChaosBroker.sessionMilliseconds) ms, which is counted in")
        lines.append("most memory of one process: \(peakKibibytes / 1_024) MiB")
        lines += violations.map { "VIOLATION \($0)" }
        lines.append(verdict)
        return lines
    }

    private static func line(_ count: Int, _ times: [Duration], _ name: String) -> String {
        let sorted = times.map(\.wholeMilliseconds).sorted()
        func rank(_ share: Double) -> String {
            guard let last = sorted.indices.last else { return "-" }
            return "\(sorted[min(last, Int(share * Double(sorted.count)))])"
        }
        let columns = ["\(count)", rank(0.5), rank(0.99), sorted.last.map { "\($0)" } ?? "-"]
        let widths = [7, 8, 8, 8]
        return zip(columns, widths).map { text, width in
            String(repeating: " ", count: max(0, width - text.count)) + text
        }.joined(separator: " ") + "  " + name
    }
}
