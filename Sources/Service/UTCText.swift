/// Times as text, in UTC, without the C library's locale and zone.
public enum UTCText {
    /// `2026-01-31T09:05:00.250Z` for milliseconds since 1970-01-01T00:00:00Z.
    public static func timestamp(milliseconds: Int64) -> String {
        let day = milliseconds.flooredQuotient(86_400_000)
        let rest = milliseconds - day * 86_400_000
        let date = civil(daysSince1970: day)
        let hours = padded(rest / 3_600_000, 2)
        let minutes = padded(rest / 60_000 % 60, 2)
        let seconds = padded(rest / 1_000 % 60, 2)
        let text = "\(padded(date.year, 4))-\(padded(Int64(date.month), 2))-\(padded(Int64(date.day), 2))"
        return "\(text)T\(hours):\(minutes):\(seconds).\(padded(rest % 1_000, 3))Z"
    }

    /// `2026-01-31` for days since 1970-01-01.
    public static func date(daysSince1970: Int64) -> String {
        let date = civil(daysSince1970: daysSince1970)
        return "\(padded(date.year, 4))-\(padded(Int64(date.month), 2))-\(padded(Int64(date.day), 2))"
    }

    /// Year, month and day of a day in the Gregorian calendar, by the era method of H. Hinnant, "chrono-Compatible
    /// Low-Level Date Algorithms", https://howardhinnant.github.io/date_algorithms.html (civil_from_days).
    static func civil(daysSince1970: Int64) -> (year: Int64, month: Int, day: Int) {
        let shifted = daysSince1970 + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        let month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number.magnitude)
        let zeros = String(repeating: "0", count: max(0, width - digits.count))
        return (number < 0 ? "-" : "") + zeros + digits
    }
}

extension Int64 {
    /// The quotient rounded down, also below zero.
    func flooredQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor != 0 && (self < 0) != (divisor < 0) ? quotient - 1 : quotient
    }
}
