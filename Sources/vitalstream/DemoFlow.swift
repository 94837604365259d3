internal import Postgres
internal import Service

/// The sectors in the live table: who waits, what is predicted, and how good yesterday's predictions were.
final class DemoFlow {
    private let databaseURL: String
    private var connection: SharedConnection?
    /// Nothing is asked of the database for so long after it gave no answer.
    private var nextTry = MonotonicTime.now()
    private static let mostSectors: Int32 = 6
    private static let widths = [28, 9, 13, 30, 13]

    /// One connection, opened when it is first needed.
    init(databaseURL: String) {
        self.databaseURL = databaseURL
    }

    /// The heading and a line a sector; none before the first event, or while the database does not answer.
    func lines() -> [String] {
        guard MonotonicTime.now() >= nextTry else { return [] }
        do throws(PostgresError) {
            if connection == nil { connection = try SharedConnection(databaseURL) }
            guard let connection else { return [] }
            let found = try connection.value.query(
                """
                SELECT facility_id || ' ' || sector_id, waiting, in_treatment,
                    to_char(round(predicted_minutes::numeric), 'FM99990') || ' min, 90 % in '
                        || to_char(round(lower90::numeric), 'FM99990') || ' to '
                        || to_char(round(upper90::numeric), 'FM99990'),
                    (SELECT to_char(avg(abs(o.error_minutes)), 'FM99990.0') FROM gold.prediction_outcome AS o
                    WHERE o.facility_id = b.facility_id AND o.sector_id = b.sector_id AND o.kind = 'arrival'
                        AND o.prediction_ts >= date_trunc('day', b.at, 'UTC') - interval '1 day'
                        AND o.prediction_ts < date_trunc('day', b.at, 'UTC')),
                    to_char(max(at) OVER () AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
                FROM gold.flow_board AS b ORDER BY waiting + in_treatment DESC, 1 LIMIT $1
                """, parameters: [.int32(Self.mostSectors)])
            guard found.rowCount > 0 else { return [] }
            let headings = [
                "sector, at \(found.text(0, 5))", "waiting", "in treatment", "wait predicted", "MAE yesterday",
            ]
            var lines = ["", DemoText.row(headings, widths: Self.widths)]
            for row in 0..<found.rowCount {
                let cells = (1...4).map { found.textIfPresent(row, $0) ?? "-" }
                lines.append(DemoText.row([TableText.printable(found.text(row, 0))] + cells, widths: Self.widths))
            }
            return lines
        } catch {
            // The database's own end is noticed by its process.
            connection = nil
            nextTry = .now() + .seconds(5)
            return []
        }
    }
}

/// A connection in a place of its own.
private final class SharedConnection {
    var value: Connection

    init(_ databaseURL: String) throws(PostgresError) {
        value = try Connection.open(databaseURL, applicationName: "vitalstream demo board")
        value.blockingTimeoutMilliseconds = 2_000
    }
}
