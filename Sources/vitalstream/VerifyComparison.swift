internal import Ingest
internal import Kafka
internal import Postgres
internal import VitalSigns

/// Compares the tables of one snapshot with what the log says they must hold.
///
/// Streams the tables; what it keeps is the fold and the first few findings. Rows are named by partition and offset
/// of their messages, never by patient.
final class VerifyComparison {
    /// How many findings are named; all are counted.
    static let mostNamed = 20

    private let fold: LogFold
    private let streams: [LogFoldStream]
    private let dropped: [Range<Int64>]
    private let droppedHistory: [Range<Int64>]
    private var originNumbers: [Int32: Int32] = [:]

    private(set) var findings: [String] = []
    private(set) var rows = VerifyTally()
    private(set) var history = VerifyTally()
    private(set) var letters = VerifyTally()
    /// Rows whose suspect bits are not those of their values.
    private(set) var wrongSuspect: Int64 = 0

    /// - Parameters:
    ///   - dropped: times of readings that retention has dropped, in milliseconds.
    ///   - droppedHistory: the same of corrections.
    init(
        _ fold: LogFold, _ streams: [LogFoldStream], dropped: [Range<Int64>], droppedHistory: [Range<Int64>]
    ) {
        self.fold = fold
        self.streams = streams
        self.dropped = dropped
        self.droppedHistory = droppedHistory
    }

    /// Compares everything; the connection's transaction is the snapshot.
    func run(_ connection: inout Connection) throws(PostgresError) {
        try readOrigins(&connection)
        try connection.copyOut(
            "COPY (SELECT \(TableReading.columns) FROM silver.vital_reading) TO STDOUT (FORMAT binary)"
        ) { piece in
            let row = TableRowReader(piece)
            if row.fieldCount != nil { judgeRow(TableReading(row)) }
        }
        for index in 0..<fold.rows.count { judgeAbsence(ofRow: fold.rows.pointer(at: index).pointee) }
        try connection.copyOut(
            "COPY (SELECT \(TableReading.historyColumns) FROM silver.vital_reading_history) TO STDOUT (FORMAT binary)"
        ) { piece in
            let row = TableRowReader(piece)
            if row.fieldCount != nil { judgeHistory(TableReading(row)) }
        }
        for index in 0..<fold.history.count { judgeAbsence(ofHistory: fold.history.pointer(at: index).pointee) }
        for stream in streams { try VerifyLetters(stream).compare(&connection, &letters) { find($0) } }
    }

    private func readOrigins(_ connection: inout Connection) throws(PostgresError) {
        let result = try connection.query("SELECT origin_id, facility_id, sector_id, device_id FROM silver.origin")
        for row in 0..<result.rowCount {
            let names = OriginNames(
                facility: result.textIfPresent(row, 1), sector: result.textIfPresent(row, 2),
                device: result.textIfPresent(row, 3))
            originNumbers[Int32(truncatingIfNeeded: result.int64(row, 0))] = fold.number(of: names)
        }
    }

    // MARK: - Rows

    private func judgeRow(_ stored: TableReading) {
        rows.actual += 1
        var actual = stored.reading
        // An id that names no origin equals no number.
        actual.origin = stored.originID.map { originNumbers[$0] ?? -1 } ?? 0
        if stored.suspect != Int16(Limits.suspectMask(values: actual.values, presence: actual.presence)) {
            wrongSuspect += 1
            find("row of \(place(stored.partition, actual.offset)): its suspect bits do not fit its values")
        }
        let stream = stream(stored.partition, actual.offset)
        let index = stored.hasWholeMilliseconds ? fold.rows.find(actual) : nil
        if let index { fold.rows.pointer(at: index).pointee.categorical |= LogFold.Mark.seen }
        // What has come since knows nothing of the row that was dropped.
        if dropped.contains(where: { $0.contains(actual.time) }) { return rows.skip(.dropped) }
        if let reason = incomparable(stored.partition, actual.offset) { return rows.skip(reason) }
        guard let index else {
            rows.extra += 1
            return find("row of \(place(stored.partition, actual.offset)): no message of the log makes it")
        }
        let expected = fold.rows.pointer(at: index).pointee
        let differences = VerifyDifference.of(
            actual, partition: stored.partition, from: expected, rigour: rigour(expected, stream))
        guard !differences.isEmpty else { return rows.note(rigour(expected, stream)) }
        rows.differing += 1
        find(
            "row of \(place(stored.partition, actual.offset)), by the log of "
                + "\(place(Int32(expected.partition), expected.offset)): \(differences.joined(separator: ", "))")
    }

    private func judgeAbsence(ofRow expected: Reading) {
        rows.expected += 1
        guard expected.categorical & LogFold.Mark.seen == 0 else { return }
        if dropped.contains(where: { $0.contains(expected.time) }) { return rows.skip(.dropped) }
        rows.missing += 1
        find("row of \(place(Int32(expected.partition), expected.offset)): not in the table")
    }

    // MARK: - History

    private func judgeHistory(_ stored: TableReading) {
        history.actual += 1
        let actual = stored.reading
        let index =
            stored.hasWholeMilliseconds && stored.partition == Int32(actual.partition)
            ? fold.history.find(actual) : nil
        if let index { fold.history.pointer(at: index).pointee.categorical |= LogFold.Mark.seen }
        if dropped.contains(where: { $0.contains(actual.time) }) { return history.skip(.dropped) }
        if let reason = incomparable(stored.partition, actual.offset) { return history.skip(reason) }
        let row = fold.rows.find(actual).map { fold.rows.pointer(at: $0).pointee }
        let rigour = row.map { self.rigour($0, stream(stored.partition, actual.offset)) } ?? .exact
        if rigour == .mixed { return history.note(.mixed) }
        guard let index else {
            // What a retried or a lost message had left is not in the fold to be replaced.
            if rigour == .lenient { return history.note(.lenient) }
            history.extra += 1
            return find("history of \(place(stored.partition, actual.offset)): no correction of the log makes it")
        }
        let expected = fold.history.pointer(at: index).pointee
        let differences = VerifyDifference.of(actual, partition: stored.partition, from: expected, rigour: rigour)
        guard !differences.isEmpty else { return history.note(rigour) }
        history.differing += 1
        find(
            "history of \(place(stored.partition, actual.offset)): \(differences.joined(separator: ", "))")
    }

    private func judgeAbsence(ofHistory expected: Reading) {
        history.expected += 1
        guard expected.categorical & LogFold.Mark.seen == 0 else { return }
        if (dropped + droppedHistory).contains(where: { $0.contains(expected.time) }) { return history.skip(.dropped) }
        if let index = fold.rows.find(expected),
            fold.rows.pointer(at: index).pointee.categorical & LogFold.Mark.mixed != 0
        {
            return history.note(.mixed)
        }
        history.missing += 1
        find("history of \(place(Int32(expected.partition), expected.offset)): not in the table")
    }

    // MARK: - Helpers

    private func rigour(_ expected: Reading, _ stream: LogFoldStream?) -> VerifyRigour {
        if expected.categorical & LogFold.Mark.mixed != 0 { return .mixed }
        if expected.categorical & LogFold.Mark.retried != 0 { return .lenient }
        let isPartial = streams.contains { $0.partition.partition == Int32(expected.partition) && $0.isPartial }
        return isPartial || (stream?.isPartial ?? false) ? .lenient : .exact
    }

    /// The stream that an offset of a row belongs to; with several topics the first that fits.
    private func stream(_ partition: Int32, _ offset: Int64) -> LogFoldStream? {
        let fitting = streams.filter { $0.partition.partition == partition }
        return fitting.first { $0.covered.contains(offset) } ?? fitting.first
    }

    /// Why the log cannot say anything about a row that this message changed last.
    private func incomparable(_ partition: Int32, _ offset: Int64) -> VerifySkip? {
        guard let stream = stream(partition, offset) else { return nil }
        if stream.isPartial, offset < stream.keptFrom, stream.covered.contains(offset) { return .gone }
        if stream.hasJumpedBack, offset >= stream.covered.upperBound { return .toBeReadAgain }
        return nil
    }

    private func place(_ partition: Int32, _ offset: Int64) -> String {
        let topic = stream(partition, offset)?.partition.topic
        return "\(topic ?? "an unknown topic")[\(partition)] offset \(offset)"
    }

    private func find(_ text: String) {
        if findings.count < Self.mostNamed { findings.append(text) }
    }
}
