internal import WaitTime

/// A picture of an evaluation: predicted against actual, and coverage day by day.
enum EvaluationPicture {
    private static let size = 420.0
    private static let margin = 50.0
    private static let mostPoints = 2_000

    /// One SVG document (https://www.w3.org/TR/SVG11/) without scripts, fonts or anything from elsewhere.
    static func svg(_ scores: WaitScores) -> String {
        let width = number(2 * size + 3 * margin)
        let height = number(size + 2 * margin)
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(width) \(height)\" "
            + "font-family=\"sans-serif\" font-size=\"11\">\n"
            + "<rect width=\"\(width)\" height=\"\(height)\" fill=\"white\"/>\n"
            + cloud(scores.pairs) + coverage(scores.coverageOver(86_400_000)) + "</svg>\n"
    }

    /// Points of at most 2,000 waits, evenly taken; both axes as roots, so that short waits can be told apart.
    private static func cloud(_ pairs: [(predicted: Double, actual: Double)]) -> String {
        let top = max(1, pairs.map { max($0.predicted, $0.actual) }.max() ?? 1)
        func across(_ minutes: Double) -> String { number(margin + size * (minutes / top).squareRoot()) }
        func up(_ minutes: Double) -> String { number(margin + size * (1 - (minutes / top).squareRoot())) }
        var text = title("Predicted (across) and actual wait (up), minutes", at: margin)
        text += frame(at: margin)
        text += "<path d=\"M \(across(0)) \(up(0)) L \(across(top)) \(up(top))\" stroke=\"gray\"/>\n"
        for share in [0.0, 0.01, 0.05, 0.2, 0.5, 1] {
            let label = EvaluationText.decimal(share * top, top < 20 ? 1 : 0)
            text += "<text x=\"\(across(share * top))\" y=\"\(number(margin + size + 16))\">\(label)</text>\n"
            text += "<text x=\"8\" y=\"\(up(share * top))\">\(label)</text>\n"
        }
        let stride = max(1, (pairs.count + mostPoints - 1) / mostPoints)
        for place in Swift.stride(from: 0, to: pairs.count, by: stride) {
            let pair = pairs[place]
            text +=
                "<circle cx=\"\(across(pair.predicted))\" cy=\"\(up(pair.actual))\" r=\"1.5\" "
                + "fill=\"#1f77b4\" fill-opacity=\"0.4\"/>\n"
        }
        return text
    }

    /// The share within the interval of 90 %, a point a day, and the line at 0.9.
    private static func coverage(_ days: [(start: Int64, count: Int, share: Double)]) -> String {
        let left = size + 2 * margin
        func up(_ share: Double) -> String { number(margin + size * (1 - (max(share, 0.5) - 0.5) * 2)) }
        var text = title("Share of a day's waits within the interval of 90 %", at: left) + frame(at: left)
        text += "<path d=\"M \(number(left)) \(up(0.9)) h \(number(size))\" stroke=\"gray\"/>\n"
        for share in [0.5, 0.6, 0.7, 0.8, 0.9, 1] {
            text += "<text x=\"\(number(left - 24))\" y=\"\(up(share))\">\(EvaluationText.decimal(share, 1))</text>\n"
        }
        let points = days.enumerated().map { place, day in
            number(left + size * (Double(place) + 0.5) / Double(days.count)) + "," + up(day.share)
        }
        return text + "<polyline points=\"\(points.joined(separator: " "))\" fill=\"none\" stroke=\"#d62728\"/>\n"
    }

    private static func title(_ words: String, at left: Double) -> String {
        "<text x=\"\(number(left))\" y=\"30\" font-size=\"14\">\(words)</text>\n"
    }

    private static func frame(at left: Double) -> String {
        "<rect x=\"\(number(left))\" y=\"\(number(margin))\" width=\"\(number(size))\" height=\"\(number(size))\" "
            + "fill=\"none\" stroke=\"black\"/>\n"
    }

    private static func number(_ value: Double) -> String { EvaluationText.decimal(value, 1) }
}
