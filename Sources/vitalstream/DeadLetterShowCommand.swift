internal import Glibc
internal import Postgres
internal import Service

/// `vitalstream dead-letter show`: one letter, and its payload when asked, the only command that prints patient data.
enum DeadLetterShowCommand {
    static func run(_ settings: ResolvedSettings) -> Int32 {
        CommandRun.run("dead-letter show", settings) {
            try show(settings)
            return 0
        }
    }

    private static func show(_ settings: ResolvedSettings) throws {
        let place = settings.positional
        let wantsPayload = settings.flag("payload")
        var connection = try Connection.open(
            settings.string("DATABASE_URL"), applicationName: "vitalstream dead-letter")
        let letter = try connection.query(
            """
            SELECT reason, detail, received_at, octet_length(payload), headers::text, \
            CASE WHEN $4 THEN payload END FROM bronze.dead_letter \
            WHERE topic = $1 AND partition = $2::text::integer AND "offset" = $3::text::bigint
            """, parameters: [.text(place[0]), .text(place[1]), .text(place[2]), .boolean(wantsPayload)])
        guard letter.rowCount == 1 else {
            throw CommandFailure(
                "there is no dead letter \(place[0])[\(place[1])] offset \(place[2]): see vitalstream dead-letter list")
        }
        let size = letter.int64IfPresent(0, 3)
        let facts = [
            ("topic", place[0]), ("partition", place[1]), ("offset", place[2]), ("reason", letter.text(0, 0)),
            ("detail", letter.text(0, 1)), ("received_at", UTCText.timestamp(milliseconds: letter.int64(0, 2))),
            ("payload", size.map { "\($0) bytes" } ?? "none (a tombstone)"),
            ("headers", letter.textIfPresent(0, 4) ?? "none"),
        ]
        guard wantsPayload else {
            for (name, value) in facts { Console.writeLine("\(name): \(TableText.printable(value))") }
            return
        }
        // Standard output carries the payload alone, byte for byte, so that it can go into a file.
        for (name, value) in facts { Console.writeError("\(name): \(TableText.printable(value))") }
        try letter.withBytes(0, 5) { bytes throws(CommandFailure) in try writeOut(bytes) }
    }

    private static func writeOut(_ bytes: UnsafeRawBufferPointer) throws(CommandFailure) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let count = write(1, start, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw CommandFailure("the payload could not be written: errno \(errno)") }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
