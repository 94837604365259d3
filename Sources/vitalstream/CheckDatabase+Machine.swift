internal import Postgres
internal import Service

/// The machine that the server runs on: its clock, and the room on its disk.
extension CheckDatabase {
    func checkClock(_ connection: inout Connection, _ report: CheckReport) throws(PostgresError) {
        let before = WallClock.nowMilliseconds()
        let said = try connection.query("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        let difference = ClockDifference(
            written: said.int64(0, 0), after: before, before: WallClock.nowMilliseconds())
        CheckClock.judge(difference, "the server's", unknown: "cannot be told: its answer took too long", report)
    }

    /// How large the database is, and what is left on the disk. Only a server on this machine lets us look at that, and
    /// only to roles that may know where it keeps its data.
    func checkRoom(_ connection: inout Connection, _ report: CheckReport) throws(PostgresError) {
        let said = try connection.query(Self.place)
        let size = "the database takes up \(Self.shown(said.int64(0, 0)))"
        guard !said.isNull(0, 1), isOnThisMachine(connection), let space = FileSystem.space(at: said.text(0, 1)),
            let verdict = space.verdict
        else {
            let reason = said.isNull(0, 1) ? "this role may not see where its data are" : "it is not seen from here"
            report.add(.info, "disk", "\(size); the room that is left is not known: \(reason)")
            return
        }
        let text = "\(size); \(Self.shown(space.freeBytes)) (\(space.freePercent) %) are free at \(said.text(0, 1))"
        let remedy = "make room: vitalstream retention drops what is old; or enlarge the disk"
        switch verdict {
        case .ample: report.add(.fine, "disk", text)
        case .scarce: report.add(.warning, "disk", text, remedy: remedy)
        case .almostFull: report.add(.failure, "disk", text, remedy: remedy)
        }
    }

    /// Whether the process that serves this connection runs here: its number alone could be anybody's, and a tunnel's
    /// end is on this machine too.
    private func isOnThisMachine(_ connection: borrowing Connection) -> Bool {
        do throws(SystemError) {
            return try FileSystem.readText("/proc/\(connection.backendProcessID)/comm").hasPrefix("postgres")
        } catch {
            return false
        }
    }

    private static func shown(_ bytes: Int64) -> String {
        bytes < 10 << 30 ? "\(bytes >> 20) MiB" : "\(bytes >> 30) GiB"
    }

    private static let place = """
        SELECT pg_database_size(current_database()),
            CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')
                THEN current_setting('data_directory') END
        """
}
