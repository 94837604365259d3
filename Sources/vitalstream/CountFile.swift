internal import ProducerSupport
internal import WaitTime

/// A file of hourly series: a header, then a line an hour, the time first and a column for each series.
///
/// Times are floored to the hour; of an hour that comes again the first counts; hours and cells that are missing are
/// no values.
struct CountFile {
    /// Names of the series.
    let names: [String]
    /// Hours since 1970 UTC of the first value.
    let firstHour: Int64
    /// Series by series, one value an hour.
    let values: [[Double?]]

    init(path: String) throws(CommandFailure) {
        var reader = try FlowFile.reader(path)
        guard let header = try FlowFile.next(&reader) else { throw CommandFailure("\(path) is empty") }
        let heads = String(decoding: header, as: UTF8.self).split(separator: ",", omittingEmptySubsequences: false)
        names = heads.dropFirst().map(String.init)
        guard !names.isEmpty else { throw CommandFailure("\(path): a time and at least one series are needed") }
        var rows: [Int64: [Double?]] = [:]
        var number = 1
        while let bytes = try FlowFile.next(&reader) {
            number += 1
            let cells = String(decoding: bytes, as: UTF8.self).split(separator: ",", omittingEmptySubsequences: false)
            guard let hour = cells.first.flatMap(Self.hour) else {
                throw CommandFailure("\(path), line \(number): no time such as 2026-01-31T09:00")
            }
            guard rows[hour] == nil else { continue }
            rows[hour] = (1...names.count).map { $0 < cells.count ? Self.count(cells[$0]) : nil }
        }
        guard let first = rows.keys.min(), let last = rows.keys.max(), last - first < 1_000_000 else {
            throw CommandFailure("\(path): no hours, or more than a century of them")
        }
        firstHour = first
        values = names.indices.map { series in (first...last).map { rows[$0]?[series] } }
    }

    private static func count(_ text: Substring) -> Double? {
        guard let value = Double(text), value.isFinite, value >= 0, value < 1e6 else { return nil }
        return value
    }

    /// Hours since 1970 of `2026-01-31T09:05` or `2026-01-31 09:05:00Z`, taken as UTC.
    static func hour(_ text: Substring) -> Int64? {
        let parts = text.split { "-T: ".contains($0) }
        guard parts.count >= 4, let year = Int64(parts[0]), let month = Int64(parts[1]), let day = Int64(parts[2]),
            let hour = Int64(parts[3]), (1900...9999).contains(year), (1...12).contains(month),
            (1...31).contains(day), (0...23).contains(hour)
        else { return nil }
        // Days from civil, H. Hinnant, https://howardhinnant.github.io/date_algorithms.html; years here are positive.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (era * 146_097 + dayOfEra - 719_468) * 24 + hour
    }
}
