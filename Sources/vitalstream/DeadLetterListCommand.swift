internal import Postgres
internal import Service

/// `vitalstream dead-letter list`: what could not be used, without payloads.
enum DeadLetterListCommand {
    private static let longestDetail = 60

    static func run(_ settings: ResolvedSettings) -> Int32 {
        CommandRun.run("dead-letter list", settings) {
            try list(settings)
            return 0
        }
    }

    private static func list(_ settings: ResolvedSettings) throws {
        var connection = try Connection.open(
            settings.string("DATABASE_URL"), applicationName: "vitalstream dead-letter")
        let filter = [settings.optionalString("topic"), settings.optionalString("reason")].map { text in
            text.map { Parameter.text($0) } ?? .null
        }
        let letters = try connection.query(
            """
            SELECT received_at, topic, partition, "offset", reason, octet_length(payload), detail \
            FROM bronze.dead_letter WHERE \(condition) \
            ORDER BY received_at DESC, topic, partition, "offset" DESC LIMIT $3
            """, parameters: filter + [.int64(Int64(settings.integer("limit")))])
        var table = TableText([
            ("received_at", .left), ("topic", .left), ("partition", .right), ("offset", .right), ("reason", .left),
            ("bytes", .right), ("detail", .left),
        ])
        for row in 0..<letters.rowCount {
            let detail = letters.text(row, 6)
            table.add([
                UTCText.timestamp(milliseconds: letters.int64(row, 0)), letters.text(row, 1), letters.text(row, 2),
                letters.text(row, 3), letters.text(row, 4), letters.textIfPresent(row, 5) ?? "-",
                detail.count > longestDetail ? detail.prefix(longestDetail - 3) + "..." : detail,
            ])
        }
        let count = try connection.query(
            "SELECT count(*) FROM bronze.dead_letter WHERE \(condition)", parameters: filter
        ).int64(0, 0)
        Console.write(table.text)
        Console.writeLine("\(letters.rowCount) of \(count) dead letters")
    }

    /// $1 is the topic, $2 the reason; NULL is any.
    static let condition = "($1::text IS NULL OR topic = $1) AND ($2::text IS NULL OR reason = $2)"
}
