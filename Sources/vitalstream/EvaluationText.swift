internal import Service
internal import WaitTime

/// What `evaluate` prints and writes.
enum EvaluationText {
    /// The columns of `--predictions`, as CONTRACT.md names them.
    static let columns = [
        "visit_id", "arrival_at", "acuity", "predicted_minutes", "lower50", "upper50", "lower80", "upper80",
        "lower90", "upper90",
    ]

    /// A header and a line for each arrival.
    static func predictions(_ arrivals: [PredictedArrival]) -> String {
        var text = columns.joined(separator: ",") + "\n"
        for arrival in arrivals {
            let prediction = arrival.prediction
            text += quoted(arrival.visitID) + "," + UTCText.timestamp(milliseconds: prediction.timestamp)
            text += ",\(prediction.acuity),\(decimal(prediction.predictedMinutes, 4))"
            for interval in prediction.intervals {
                // Outwards, so that a bound of exactly the wait still holds it.
                text += "," + decimal((interval.lowerBound * 10_000).rounded(.down) / 10_000, 4)
                text += "," + decimal((interval.upperBound * 10_000).rounded(.up) / 10_000, 4)
            }
            text += "\n"
        }
        return text
    }

    /// A field of a CSV file (RFC 4180).
    static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }) else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// A number with so many decimals; `-` when it is not finite.
    static func decimal(_ number: Double, _ places: Int) -> String {
        guard number.isFinite, abs(number) < 1e12 else { return "-" }
        var factor: Int64 = 1
        for _ in 0..<places { factor *= 10 }
        let scaled = Int64((abs(number) * Double(factor)).rounded())
        let sign = number < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return sign + String(scaled) }
        let fraction = String(scaled % factor)
        return sign + "\(scaled / factor)." + String(repeating: "0", count: places - fraction.count) + fraction
    }

    /// Name and text of every figure of a score, in the order of columns.
    private static func figures(_ score: WaitScore) -> [(name: String, value: Double?)] {
        [
            ("mae", score.meanAbsoluteError), ("median_ae", score.medianAbsoluteError),
            ("rmse", score.rootMeanSquaredError), ("pinball", score.pinball),
            ("coverage80", score.coverage?.of80), ("coverage90", score.coverage?.of90),
            ("width80", score.width?.of80), ("width90", score.width?.of90), ("worst_week90", score.worstWeek),
            ("underestimated", score.underestimated), ("ratio", score.ratio?.value),
            ("ratio_lower95", score.ratio?.lower), ("ratio_upper95", score.ratio?.upper),
        ] + (1...5).map { ("mae_acuity\($0)", score.byAcuity[$0 - 1]) }
    }

    /// Aligned columns, for people.
    static func table(_ scores: [WaitScore]) -> String {
        let names = figures(scores[0]).map(\.name)
        let shown = names.indices.filter { column in
            scores.contains { figures($0)[column].value != nil }
        }
        var table = TableText(
            [("predictor", .left), ("n", .right)] + shown.map { (heading: names[$0], alignment: .right) })
        for score in scores {
            let values = figures(score)
            table.add(
                [score.name, String(score.count)] + shown.map { values[$0].value.map { decimal($0, 3) } ?? "-" })
        }
        return table.text + "Minutes. ratio: the service's mae divided by this one's, its interval of 95 % over days.\n"
    }

    /// One line for each predictor.
    static func csv(_ scores: [WaitScore]) -> String {
        var text = (["predictor", "n"] + figures(scores[0]).map(\.name)).joined(separator: ",") + "\n"
        for score in scores {
            let cells = figures(score).map { $0.value.map { decimal($0, 6) } ?? "" }
            text += ([score.name, String(score.count)] + cells).joined(separator: ",") + "\n"
        }
        return text
    }

    /// One JSON object.
    static func json(_ scores: [WaitScore], file: String) -> String {
        var text = "{\"file\":\(string(file)),\"predictors\":["
        for (number, score) in scores.enumerated() {
            text += (number > 0 ? "," : "") + "{\"name\":\(string(score.name)),\"n\":\(score.count)"
            for figure in figures(score) {
                if let value = figure.value, value.isFinite { text += ",\"\(figure.name)\":\(value)" }
            }
            text += "}"
        }
        return text + "]}\n"
    }

    /// A JSON string.
    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case "\u{0}"..<" ": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
