import Postgres
import Testing

struct PostgresErrorTests {
    @Test(arguments: [
        ("40001", PostgresError.Disposition.retry),  // serialization failure
        ("40P01", .retry),  // deadlock
        ("55P03", .retry),  // lock_timeout
        ("23514", .retry),  // the partition of a row was made meanwhile
        ("57014", .retry),  // statement_timeout, cancel
        ("08006", .reconnect),  // connection failure
        ("57P01", .reconnect),  // terminated by an administrator
        ("57P03", .reconnect),  // starting up
        ("53300", .reconnect),  // too many connections
        ("53100", .reconnect),  // disk full
        ("58030", .reconnect),  // I/O error
        ("25006", .reconnect),  // a standby
        ("25P03", .reconnect),  // idle in transaction for too long
        ("VS001", .fenced),
        ("VS002", .conflict),
        ("23505", .conflict),  // unique violation
        ("VS003", .stop),  // our own books
        ("22P02", .data),  // invalid text
        ("22008", .data),  // time out of range
        ("23502", .data),  // not null violation
        ("54000", .data),  // a limit of the server
        ("42P01", .stop),  // no such table
        ("42501", .stop),  // no such right
        ("XX000", .stop),  // a defect of the server
    ])
    func `the code says what to do`(code: String, disposition: PostgresError.Disposition) {
        #expect(PostgresError(.server(SQLState(code)), "").disposition == disposition)
    }

    @Test func `a broken connection asks for a new one`() {
        #expect(PostgresError(.connection, "gone").disposition == .reconnect)
        #expect(PostgresError(.timedOut, "silent").disposition == .reconnect)
        #expect(PostgresError(.protocolMisuse, "odd").disposition == .stop)
    }

    @Test func `an error prints as one line with its code`() {
        #expect(PostgresError(.server(.fenced), "fenced: vitals/3").description == "fenced: vitals/3 [VS001]")
        #expect(PostgresError(.connection, "gone").description == "gone")
    }
}
