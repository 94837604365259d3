internal import API
internal import Service

/// The table, the file and the comparison with an older file.
struct Report {
    let machine: Machine
    let options: BenchOptions
    var results: [ScenarioResult] = []
    var minutes = 0.0

    /// A difference below this counts as none: what a busy machine does by itself.
    static let noticeable = 0.05

    /// What stands in the file.
    func json() -> JSONValue {
        .object([
            "format": .integer(1), "quick": .bool(options.isQuick), "minutes": .double(minutes),
            "handicapPercent": .integer(Int64(options.handicapPercent)), "machine": machine.json,
            "scenarios": .array(results.map(Self.json)),
        ])
    }

    private static func json(_ result: ScenarioResult) -> JSONValue {
        .object([
            "name": .string(result.name), "notes": .array(result.notes.map { .string($0) }),
            "figures": .array(
                result.figures.map { figure in
                    .object([
                        "name": .string(figure.name), "unit": .string(figure.unit), "value": .double(figure.value),
                        "better": .string(figure.direction.rawValue),
                        "must": figure.must.map { .double($0) } ?? .null,
                        "goal": figure.goal.map { .double($0) } ?? .null,
                    ])
                }),
        ])
    }

    /// The table, with the change against `baseline` where there is one.
    func lines(baseline: Baseline?) -> [String] {
        var lines = machine.lines
        var table = [["scenario", "figure", "value", "unit", "must", "goal", "met", baseline == nil ? "" : "change"]]
        for result in results {
            for figure in result.figures {
                table.append([
                    result.name, figure.name, figure.value.grouped, figure.unit, figure.must?.grouped ?? "",
                    figure.goal?.grouped ?? "", figure.verdict,
                    baseline?.change(result.name, figure)?.text ?? "",
                ])
            }
        }
        lines.append("")
        lines += Self.aligned(table)
        for result in results {
            lines += ["", result.name] + result.notes.map { "  \($0)" }
        }
        return lines + ["", "\(minutes.formatted(1)) minutes"]
    }

    private static func aligned(_ table: [[String]]) -> [String] {
        let widths = table[0].indices.map { column in table.map { $0[column].count }.max() ?? 0 }
        return table.map { row in
            var line = ""
            for (cell, width) in zip(row, widths) {
                line += cell + String(repeating: " ", count: width - cell.count + 2)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }
}

/// The figures of an older file.
struct Baseline {
    /// How a figure has changed.
    struct Change {
        /// The new value as a share of the old one, less 1.
        let relative: Double
        let isWorse: Bool
        let isNoticeable: Bool

        var text: String {
            let percent = (relative * 100).formatted(1)
            let word = isNoticeable ? isWorse ? " worse" : " better" : ""
            return "\(relative >= 0 ? "+" : "")\(percent) %\(word)"
        }
    }

    private var values: [String: Double] = [:]

    init(path: String) throws {
        guard case .object(let root) = try JSONValue(parsing: FileSystem.readFile(path)),
            case .array(let scenarios)? = root["scenarios"]
        else { throw BenchError("\(path) is no file of vitalstream-bench") }
        for scenario in scenarios {
            guard case .object(let members) = scenario, case .string(let name)? = members["name"],
                case .array(let figures)? = members["figures"]
            else { throw BenchError("\(path) has a scenario without a name or figures") }
            for figure in figures {
                guard case .object(let parts) = figure, case .string(let title)? = parts["name"] else { continue }
                switch parts["value"] {
                case .double(let value): values[name + "/" + title] = value
                case .integer(let value): values[name + "/" + title] = Double(value)
                default: continue
                }
            }
        }
    }

    /// Nil when the older file has no such figure.
    func change(_ scenario: String, _ figure: Figure) -> Change? {
        guard let old = values[scenario + "/" + figure.name], old != 0 else { return nil }
        let relative = figure.value / old - 1
        return Change(
            relative: relative, isWorse: figure.direction == .higher ? relative < 0 : relative > 0,
            isNoticeable: abs(relative) >= Report.noticeable)
    }
}

extension JSONValue {
    /// As JSON text; members in the order of their names.
    var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        // JSON has no infinity.
        case .double(let value): value.isFinite ? "\(value)" : "null"
        case .string(let value): Self.quoted(value)
        case .array(let values): "[" + values.map(\.text).joined(separator: ",\n") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { Self.quoted($0.key) + ": " + $0.value.text }
                .joined(separator: ", ") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\u{0}"..<"\u{20}": quoted += " "
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
