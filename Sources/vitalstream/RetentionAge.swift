internal import Postgres
internal import Service

/// How long something is kept: whole days, weeks, months or years of the calendar.
struct RetentionAge: Equatable {
    /// `2 years`, as PostgreSQL reads an interval.
    let interval: String
    /// As it was written.
    let text: String

    /// `m` stays minutes, as in every other setting: nobody's 18 months shall be 18 minutes, or the reverse.
    private static let units: [(suffix: String, name: String, most: Int)] = [
        ("d", "days", 36_525), ("w", "weeks", 5_217), ("mo", "months", 1_200), ("y", "years", 100),
    ]
    static let allowed = "a whole number with d, w, mo or y, from 1d to 100y, such as 90d, 18mo or 2y"

    /// Nil when it is no age.
    init?(_ text: String) {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard digits.utf8.count <= 5, let count = Int(digits) else { return nil }
        let suffix = text.dropFirst(digits.count)
        guard let unit = Self.units.first(where: { $0.suffix == suffix }), (1...unit.most).contains(count) else {
            return nil
        }
        interval = "\(count) \(unit.name)"
        self.text = text
    }

    /// The age that a flag gives; nil without the flag.
    static func flag(_ name: String, _ settings: ResolvedSettings) throws(SettingsError) -> RetentionAge? {
        guard let text = settings.optionalString(name) else { return nil }
        guard let age = RetentionAge(text) else {
            throw SettingsError("--\(name)", nil, "\"\(text)\" is not allowed; allowed is \(allowed)")
        }
        return age
    }

    /// The first UTC midnight of what is kept, as a text that PostgreSQL reads in any session, by the server's clock.
    func bound(_ connection: inout Connection) throws(PostgresError) -> RetentionBound {
        let said = try connection.query(
            """
            SELECT to_char(day, 'YYYY-MM-DD'), to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00' \
            FROM (SELECT (now() AT TIME ZONE 'UTC')::date - $1::interval AS day) AS b
            """, [interval])
        return RetentionBound(day: said.text(0, 0), instant: said.text(0, 1))
    }
}

/// Where retention ends: everything before it goes.
struct RetentionBound {
    /// `2024-01-31`
    let day: String
    /// The midnight with which that day begins, for PostgreSQL.
    let instant: String
}
