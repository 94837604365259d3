/// The event time of the first reading, as people write it.
package enum StartTime {
    /// Milliseconds since 1970-01-01Z for `now`, milliseconds in digits, or a time such as `2026-01-31T09:00:00Z`;
    /// nil for anything else.
    package static func milliseconds(of text: String, now: Int64) -> Int64? {
        if text == "now" { return now }
        if let number = Int64(text) { return number }
        let pattern = Array("0000-00-00T00:00:00Z".utf8)
        let bytes = Array(text.utf8)
        guard bytes.count == pattern.count else { return nil }
        for (byte, expected) in zip(bytes, pattern) {
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            guard expected == UInt8(ascii: "0") ? isDigit : byte == expected else { return nil }
        }
        func number(_ range: Range<Int>) -> Int64 {
            bytes[range].reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        }
        let (month, day) = (number(5..<7), number(8..<10))
        let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
        let year = number(0..<4)
        let isLeap = isLeapYear(year)
        guard (1...12).contains(month), day >= 1, day <= daysInMonth(month, isLeap: isLeap), hour < 24, minute < 60,
            second < 60
        else { return nil }
        let days = days(beforeYear: year) + days(beforeMonth: month, isLeap: isLeap) + day - 1
        return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000
    }

    private static func isLeapYear(_ year: Int64) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func daysInMonth(_ month: Int64, isLeap: Bool) -> Int64 {
        switch month {
        case 2: isLeap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// From 1970-01-01 to the first day of the year; 719,162 days lie before 1970 since year 1.
    private static func days(beforeYear year: Int64) -> Int64 {
        let past = year - 1
        return past * 365 + past / 4 - past / 100 + past / 400 - 719_162
    }

    private static func days(beforeMonth month: Int64, isLeap: Bool) -> Int64 {
        (1..<month).reduce(0) { $0 + daysInMonth($1, isLeap: isLeap) }
    }
}
