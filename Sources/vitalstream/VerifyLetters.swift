internal import Kafka
internal import Postgres
internal import VitalSigns

/// Compares the dead letters of one partition with the messages that today's settings reject.
final class VerifyLetters {
    private let stream: LogFoldStream
    private var next = 0

    init(_ stream: LogFoldStream) {
        self.stream = stream
    }

    /// Counts into `tally` and names what differs. Both sides come in ascending order, so nothing is kept.
    func compare(
        _ connection: inout Connection, _ tally: inout VerifyTally, _ find: (String) -> Void
    ) throws(PostgresError) {
        tally.expected += Int64(stream.letters.count)
        var counts = VerifyTally()
        for range in stream.covered.ranges {
            let topic = SQLText.literal(stream.partition.topic)
            try connection.copyOut(
                """
                COPY (SELECT "offset", reason FROM bronze.dead_letter WHERE topic = \(topic) \
                AND partition = \(stream.partition.partition) AND "offset" >= \(range.lowerBound) \
                AND "offset" < \(range.upperBound) ORDER BY "offset") TO STDOUT (FORMAT binary)
                """
            ) { piece in
                var row = TableRowReader(piece)
                guard row.fieldCount == 2, let offset = row.next(), let reason = row.next() else { return }
                judge(
                    offset.wireInteger(Int64.self), String(decoding: reason, as: UTF8.self), &counts, find)
            }
        }
        passUpTo(Int64.max, &counts, find)
        tally.actual += counts.actual
        tally.missing += counts.missing
        tally.extra += counts.extra
        tally.differing += counts.differing
        tally.exact += counts.exact
        tally.gone += counts.gone
        tally.dropped += counts.dropped
    }

    private func judge(_ offset: Int64, _ reason: String, _ counts: inout VerifyTally, _ find: (String) -> Void) {
        counts.actual += 1
        if stream.isPartial, offset < stream.keptFrom { return counts.skip(.gone) }
        passUpTo(offset, &counts, find)
        guard next < stream.letters.count, stream.letters[next].offset == offset else {
            counts.extra += 1
            return find("dead letter \(stream.partition) offset \(offset): the log has no such bad message")
        }
        let expected = stream.letters[next].reason.code
        next += 1
        guard expected == reason else {
            counts.differing += 1
            return find("dead letter \(stream.partition) offset \(offset): by today's settings \(expected)")
        }
        counts.note(.exact)
    }

    /// Bad messages below `offset` that have no letter. Those that were retried need none.
    private func passUpTo(_ offset: Int64, _ counts: inout VerifyTally, _ find: (String) -> Void) {
        while next < stream.letters.count, stream.letters[next].offset < offset {
            let letter = stream.letters[next]
            next += 1
            if stream.retried[letter.offset] != nil { continue }
            if letter.offset < stream.settledBefore {
                counts.skip(.dropped)
                continue
            }
            counts.missing += 1
            find("dead letter \(stream.partition) offset \(letter.offset): missing, \(letter.reason.code)")
        }
    }
}

/// Texts inside SQL.
enum SQLText {
    /// A text as a literal; the sessions have standard_conforming_strings on.
    static func literal(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
