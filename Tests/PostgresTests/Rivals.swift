import Postgres
import Service
import Testing

/// Bodies that block each other in the server, each on a thread of its own: the shared pool has one thread a core, so
/// two writers that wait for a third would fill it, and the third would never begin.
///
/// The race ends when its first body does. Nothing hangs: after the limit the rest are told to end, and what the
/// server's sessions waited for stands in the failure.
enum Rivals {
    /// Whether the race is still on, and what went wrong first.
    final class Race: Sendable {
        private let state = Locked<(isOn: Bool, failure: String?)>((true, nil))

        var isOn: Bool { state.withLock { $0.isOn } }
        var failure: String? { state.withLock { $0.failure } }

        func end(_ failure: String? = nil) {
            state.withLock { $0 = (false, $0.failure ?? failure) }
        }
    }

    /// Runs all bodies; the first of them decides when it is over.
    static func run(
        _ database: TestDatabase, within limit: Duration = .seconds(60),
        _ bodies: [(name: String, body: @Sendable (Race) throws -> Void)]
    ) throws {
        let race = Race()
        let threads = try bodies.enumerated().map { number, rival in
            try ServiceThread(name: rival.name) {
                do {
                    try rival.body(race)
                    if number == 0 { race.end() }
                } catch {
                    race.end("\(rival.name): \(error)")
                }
            }
        }
        if !threads[0].join(within: limit) {
            race.end("\(threads[0].name) is not done after \(limit):\n\(try sessions(database))")
        }
        for thread in threads where !thread.join(within: .seconds(30)) {
            race.end("\(thread.name) does not end:\n\(try sessions(database))")
        }
        if let failure = race.failure { Issue.record("\(failure)") }
    }

    /// Who waits for whom, one session a line.
    private static func sessions(_ database: TestDatabase) throws -> String {
        var connection = try database.open()
        return try connection.value(
            """
            SELECT coalesce(string_agg(format('%s %s %s %s, blocked by %s: %s', pid, state, wait_event_type, wait_event,
                pg_blocking_pids(pid), left(query, 80)), E'\\n' ORDER BY pid), 'no session')
            FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
            """)
    }
}
