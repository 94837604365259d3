internal import Service
internal import WaitTime

/// `vitalstream evaluate --counts`: how well hourly counts would have been forecast.
enum EvaluateCounts {
    /// A few series are forecast at every hour up to two days, many at 1, 4 and 24 hours.
    private static func horizons(_ series: Int) -> [Int] { series <= 3 ? Array(1...48) : [1, 4, 24] }
    private static let shown = [1, 4, 12, 24, 48]

    private static let columns = [
        "series", "hours_ahead", "n", "mae", "pinball", "coverage90", "naive_mae", "profile_mae", "naive_ratio",
        "naive_ratio_lower95", "naive_ratio_upper95", "profile_ratio", "profile_ratio_lower95",
        "profile_ratio_upper95",
    ]

    static func run(_ path: String, _ settings: ResolvedSettings) throws {
        let file = try CountFile(path: path)
        let horizons = horizons(file.names.count)
        var lines: [[String]] = []
        var ratios: [Int: [Double]] = [:]
        for (name, values) in zip(file.names, file.values) {
            let evaluation = CountEvaluation(
                values, firstHour: file.firstHour, warmUp: settings.number("warm-up"), horizons: horizons)
            for score in evaluation.table() where score.count > 0 {
                if let horizon = score.horizon {
                    ratios[horizon, default: []].append(score.naiveRatio.value)
                    if !shown.contains(horizon) && !settings.flag("csv") && !settings.flag("json") { continue }
                }
                lines.append([name] + cells(score))
            }
        }
        guard !lines.isEmpty else { throw CommandFailure("no hour of \(path) can be scored: lower --warm-up") }
        if settings.flag("json") {
            Console.write(json(lines, path))
        } else if settings.flag("csv") {
            let quoted = lines.map { [EvaluationText.quoted($0[0])] + $0.dropFirst() }
            Console.write(([columns] + quoted).map { $0.joined(separator: ",") }.joined(separator: "\n") + "\n")
        } else {
            var table = TableText(columns.map { (heading: $0, alignment: $0 == "series" ? .left : .right) })
            for line in lines { table.add(line) }
            Console.write(table.text)
            guard file.names.count > 1 else { return }
            for horizon in ratios.keys.sorted() where shown.contains(horizon) {
                let sorted = (ratios[horizon] ?? []).sorted()
                let middle = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
                Console.writeLine(
                    "median over \(sorted.count) series of naive_ratio, \(horizon) h ahead: "
                        + EvaluationText.decimal(middle, 3))
            }
        }
    }

    private static func cells(_ score: CountScore) -> [String] {
        let numbers = [
            score.meanAbsoluteError, score.pinball, score.coverage90, score.naiveError, score.profileError,
            score.naiveRatio.value, score.naiveRatio.lower, score.naiveRatio.upper, score.profileRatio.value,
            score.profileRatio.lower, score.profileRatio.upper,
        ]
        return [score.horizon.map { String($0) } ?? "all", String(score.count)]
            + numbers.map { EvaluationText.decimal($0, 4) }
    }

    private static func json(_ lines: [[String]], _ path: String) -> String {
        let rows = lines.map { line in
            let fields = zip(columns, line).map { column, cell in
                let isText = column == "series" || Double(cell) == nil
                return "\"\(column)\":" + (isText ? EvaluationText.string(cell) : cell)
            }
            return "{" + fields.joined(separator: ",") + "}"
        }
        return "{\"file\":\(EvaluationText.string(path)),\"scores\":[\(rows.joined(separator: ","))]}\n"
    }
}
