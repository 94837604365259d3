import Postgres
import Service
import Testing

extension OnAServer {
    /// `ops.take_over`, `ops.advance`, `ops.end_blockers`.
    struct FenceTests {
        private let ours = "11111111-1111-4111-8111-111111111111"
        private let theirs = "22222222-2222-4222-8222-222222222222"

        private func takeOver(
            _ connection: inout Connection, owner: String, low: String? = "100"
        ) throws(PostgresError) -> ResultSet {
            try connection.query(
                "SELECT * FROM ops.take_over('g', 'vitals', 3, $1::uuid, $2::bigint)", [owner, low])
        }

        /// Five messages, all inserted, unless said otherwise.
        private func advance(
            owner: String, epoch: Int, from: Int = 100, to: Int = 105, gaps: Int = 0, inserted: Int = 5,
            rejected: Int = 0
        ) -> String {
            """
            SELECT ops.advance('g', 'vitals', 3, '\(owner)', \(epoch), \(from), \(to), 500, \(gaps), 42, \
            \(inserted), 0, 0, 0, 0, \(rejected))
            """
        }

        @Test func `the first take-over makes the row, the next raises the epoch`() throws {
            var connection = try TestDatabase.migrated().open()
            #expect(try takeOver(&connection, owner: ours, low: nil).rowCount == 0)
            let first = try takeOver(&connection, owner: ours)
            let names = (0..<5).map { first.columnName($0) }
            #expect(names == ["epoch", "first_offset", "next_offset", "last_message_hash", "is_new"])
            #expect((0..<5).map { first.text(0, $0) } == ["1", "100", "100", "", "t"])
            let second = try takeOver(&connection, owner: theirs, low: "7")
            #expect((0..<5).map { second.text(0, $0) } == ["2", "100", "100", "", "f"])
            let third = try takeOver(&connection, owner: ours, low: nil)
            #expect(third.text(0, 0) == "3")
        }

        @Test func `advancing moves the offset and keeps the books`() throws {
            var connection = try TestDatabase.migrated().open()
            _ = try takeOver(&connection, owner: ours)
            try connection.execute(advance(owner: ours, epoch: 1, gaps: 2, inserted: 2, rejected: 1))
            let books = try connection.query(
                """
                SELECT next_offset, high_watermark, gaps, last_message_hash, consumed, inserted, rejected
                FROM ops.partition_progress
                """)
            #expect((0..<7).map { books.int64(0, $0) } == [105, 500, 2, 42, 3, 2, 1])
        }

        @Test func `who lost the partition, or its place, is fenced`() throws {
            var connection = try TestDatabase.migrated().open()
            _ = try takeOver(&connection, owner: theirs)
            _ = try takeOver(&connection, owner: ours)
            let wrong = [
                advance(owner: theirs, epoch: 1), advance(owner: ours, epoch: 1), advance(owner: theirs, epoch: 2),
                advance(owner: ours, epoch: 2, from: 99, to: 104), advance(owner: ours, epoch: 2, from: 101, to: 106),
            ]
            for sql in wrong {
                let error = try #require(throws: PostgresError.self) { try connection.execute(sql) }
                #expect(error.disposition == .fenced)
            }
            try connection.execute(advance(owner: ours, epoch: 2))
            let again = try #require(throws: PostgresError.self) {
                try connection.execute(advance(owner: ours, epoch: 2))
            }
            #expect(again.sqlState == .fenced)
        }

        @Test func `books that do not add up are refused`() throws {
            var connection = try TestDatabase.migrated().open()
            _ = try takeOver(&connection, owner: ours)
            let error = try #require(throws: PostgresError.self) {
                try connection.execute(advance(owner: ours, epoch: 1, inserted: 4))
            }
            #expect(error.sqlState == .ledgerMismatch)
            #expect(error.disposition == .stop)
        }

        @Test func `updates of the offset row stay in their page`() throws {
            var connection = try TestDatabase.migrated().open()
            _ = try takeOver(&connection, owner: ours)
            for index in 0..<50 {
                let from = 100 + 5 * index
                try connection.execute(advance(owner: ours, epoch: 1, from: from, to: from + 5))
            }
            try connection.execute("SELECT pg_stat_force_next_flush()")
            let counts = try connection.query(
                "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'partition_progress'")
            #expect(counts.int64(0, 0) == 50)
            // Another session's snapshot (autovacuum) may hold old versions up for a moment and cost a page.
            #expect(counts.int64(0, 1) >= 45)
            #expect(try connection.query("SELECT pg_relation_size('ops.partition_progress') / 8192").int64(0, 0) <= 2)
        }

        @Test func `a take-over ends a transaction that froze inside its COPY`() throws {
            let database = try TestDatabase.migrated()
            var frozen = try database.open()
            var successor = try database.open()
            _ = try takeOver(&frozen, owner: theirs)
            // The server waits for COPY data that never comes; no time-out of its own ends that.
            try frozen.send("BEGIN; \(advance(owner: theirs, epoch: 1)); COPY bronze.dead_letter FROM STDIN BINARY")
            while !frozen.isCopyingIn {
                if case .needs(let read, let write) = try frozen.step() { try frozen.wait(read: read, write: write) }
            }
            try successor.execute("SET lock_timeout = '100ms'")
            let blocked = try #require(throws: PostgresError.self) { _ = try takeOver(&successor, owner: ours) }
            #expect(blocked.sqlState == .lockNotAvailable)
            #expect(try successor.value("SELECT ops.end_blockers('g', 'vitals', 3)") == "1")
            try successor.execute("SET lock_timeout = '30s'")
            let taken = try takeOver(&successor, owner: ours)
            #expect(taken.int64(0, 0) == 2)
            #expect(taken.int64(0, 2) == 100)
            #expect(try successor.value("SELECT ops.end_blockers('g', 'vitals', 3)") == "0")
            // Thawed, it learns that it is gone.
            let error = try #require(throws: PostgresError.self) {
                try frozen.endCopy()
                try frozen.finish()
            }
            #expect(error.disposition == .reconnect)
        }
    }
}
