import Postgres
import Service
import Testing

/// One text of libpq, and what is made of it.
struct DatabaseText: Sendable, CustomTestStringConvertible {
    let text: String
    let kind: ConnectionDiagnosis.Kind
    let cause: String
    let remedy: String

    /// - Parameter remedy: stands in the remedy; the cause is given whole.
    init(_ text: String, _ kind: ConnectionDiagnosis.Kind, _ cause: String, _ remedy: String) {
        self.text = text
        self.kind = kind
        self.cause = cause
        self.remedy = remedy
    }

    var testDescription: String { cause }
}

/// The texts are libpq 15's own (OpenSSL 3.0), from faults made on purpose with PostgreSQL 15.
/// Tests/SecurityTests makes the same faults again and looks at what the programs say.
@Suite struct PostgresDiagnosisTests {
    private static let tcp = "connection to server at \"127.0.0.1\", port 25991 failed: "
    private static let unix = "connection to server on socket \"/run/db/.s.PGSQL.25991\" failed: "

    static let texts = [
        // The server's certificate. What is wrong with one that is refused, libpq does not say.
        DatabaseText(
            tcp + "SSL error: certificate verify failed", .certificate,
            "certificate of 127.0.0.1:25991 is not accepted: another authority, or expired", "sslrootcert"),
        DatabaseText(
            "connection to server at \"localhost\" (127.0.0.1), port 25991 failed: server certificate for \"db.test\" "
                + "(and 1 other name) does not match host name \"localhost\"",
            .certificate,
            "certificate of localhost:25991 is for another host (db.test and others), not for localhost",
            "by a name in its certificate"),
        DatabaseText(
            tcp + "root certificate file \"/no/such/ca.pem\" does not exist", .certificate,
            "certificate file /no/such/ca.pem of the server's authority cannot be used: it does not exist",
            "sslrootcert"),
        DatabaseText(
            tcp + "could not read root certificate file \"/etc/own.key\": no certificate or crl found", .certificate,
            "certificate file /etc/own.key of the server's authority cannot be used", "PEM"),
        // Ours.
        DatabaseText(
            tcp + "FATAL:  connection requires a valid client certificate", .certificate,
            "certificate of this client is missing: 127.0.0.1:25991 asks for one", "sslkey"),
        DatabaseText(
            tcp + "SSL error: tlsv1 alert unknown ca", .certificate,
            "certificate of this client is refused by 127.0.0.1:25991: its authority is not known there",
            "ssl_ca_file"),
        DatabaseText(
            tcp + "SSL error: sslv3 alert certificate expired", .certificate,
            "certificate of this client is refused by 127.0.0.1:25991: it has expired", "still holds"),
        DatabaseText(
            tcp + "could not load private key file \"/etc/strange.key\": key values mismatch", .certificate,
            "certificate and private key of this client do not belong together", "(now: /etc/strange.key)"),
        DatabaseText(
            tcp + "private key file \"/etc/open.key\" has group or world access; file must have permissions u=rw "
                + "(0600) or less if owned by the current user, or permissions u=rw,g=r (0640) or less if owned by "
                + "root",
            .certificate, "certificate's private key /etc/open.key cannot be used: others may read it", "0600"),
        DatabaseText(
            tcp + "certificate present, but not private key file \"/etc/no.key\"", .certificate,
            "certificate's private key /etc/no.key cannot be used: it is missing or cannot be read", "sslkey"),
        DatabaseText(
            tcp + "could not read certificate file \"/etc/junk.pem\": no start line", .certificate,
            "certificate file /etc/junk.pem of this client cannot be used", "sslcert"),
        // Logging in.
        DatabaseText(
            tcp + "FATAL:  certificate authentication failed for user \"ward_certificate\"", .authentication,
            "authentication failed at 127.0.0.1:25991: the client's certificate is not for user ward_certificate",
            "common name"),
        DatabaseText(
            tcp + "FATAL:  password authentication failed for user \"ward_password\"", .authentication,
            "authentication failed at 127.0.0.1:25991: password authentication failed for user \"ward_password\"",
            "DATABASE_URL_FILE"),
        DatabaseText(
            tcp + "fe_sendauth: no password supplied", .authentication,
            "authentication failed: 127.0.0.1:25991 wants a password, and none is set", "PGPASSFILE"),
        DatabaseText(
            tcp + "FATAL:  no pg_hba.conf entry for host \"127.0.0.1\", user \"ward_password\", database \"postgres\", "
                + "no encryption",
            .authentication, "authentication failed: 127.0.0.1:25991 lets user ward_password not in without TLS",
            "sslmode=verify-full"),
        DatabaseText(
            tcp + "FATAL:  no pg_hba.conf entry for host \"10.1.1.1\", user \"ward\", database \"postgres\", "
                + "SSL encryption",
            .authentication, "authentication failed: 127.0.0.1:25991 lets user ward not in from here", "pg_hba.conf"),
        DatabaseText(
            unix + "FATAL:  role \"nologin\" is not permitted to log in", .authentication,
            "authentication failed at /run/db/.s.PGSQL.25991: role \"nologin\" is not permitted to log in", "user"),
        DatabaseText(
            unix + "FATAL:  role \"nobody\" does not exist", .authentication,
            "authentication failed at /run/db/.s.PGSQL.25991: role \"nobody\" does not exist", "user"),
        DatabaseText(
            unix + "channel binding required, but server authenticated client without channel binding", .authentication,
            "authentication failed: /run/db/.s.PGSQL.25991 offers no channel binding, which is required",
            "scram-sha-256"),
        // Two sides that speak differently.
        DatabaseText(
            tcp + "server does not support SSL, but SSL was required", .encryption,
            "127.0.0.1:25991 speaks no TLS, which sslmode demands", "ssl=on"),
        DatabaseText(
            tcp + "SSL error: tlsv1 alert protocol version", .encryption,
            "127.0.0.1:25991 and this client share no version of TLS, or no cipher", "ssl_min_protocol_version"),
        DatabaseText(
            tcp + "received invalid response to SSL negotiation: H", .server,
            "127.0.0.1:25991 does not speak PostgreSQL's protocol", "DATABASE_URL"),
        DatabaseText(
            tcp + "expected authentication request from server, but received H", .server,
            "127.0.0.1:25991 does not speak PostgreSQL's protocol", "DATABASE_URL"),
        // The way there.
        DatabaseText(
            tcp + "Connection refused", .network, "127.0.0.1:25991 does not answer: Connection refused", "start it"),
        DatabaseText(
            unix + "No such file or directory", .network,
            "/run/db/.s.PGSQL.25991 does not answer: No such file or directory", "start it"),
        DatabaseText(
            "could not translate host name \"no-such.invalid\" to address: Name or service not known", .network,
            "the name no-such.invalid of the database's host cannot be resolved", "PG*"),
        DatabaseText(
            tcp + "timeout expired", .network, "127.0.0.1:25991 does not answer in time", "firewall"),
        DatabaseText(
            tcp + "server closed the connection unexpectedly", .network, "127.0.0.1:25991 hangs up", "log"),
        // A server that answers, but not for this.
        DatabaseText(
            unix + "FATAL:  database \"ward_9\" does not exist", .server,
            "/run/db/.s.PGSQL.25991 has no such database: database \"ward_9\" does not exist", "createdb"),
        DatabaseText(
            unix + "FATAL:  sorry, too many clients already", .server,
            "/run/db/.s.PGSQL.25991 has no connection left: sorry, too many clients already", "max_connections"),
        DatabaseText(
            tcp + "FATAL:  remaining connection slots are reserved for non-replication superuser connections", .server,
            "127.0.0.1:25991 has no connection left: remaining connection slots are reserved for non-replication "
                + "superuser connections", "max_connections"),
        DatabaseText(
            unix + "FATAL:  too many connections for database \"postgres\"", .server,
            "/run/db/.s.PGSQL.25991 has no connection left: too many connections for database \"postgres\"",
            "sessions"),
        DatabaseText(
            unix + "session is read-only", .server, "/run/db/.s.PGSQL.25991 takes no writes: session is read-only",
            "name the primary"),
        DatabaseText(
            unix + "FATAL:  the database system is shutting down", .server,
            "/run/db/.s.PGSQL.25991: the database system is shutting down", "wait"),
    ]

    @Test(arguments: texts) func `a text of libpq becomes a cause and a remedy`(text: DatabaseText) throws {
        let diagnosis = try #require(PostgresDiagnosis.explain(PostgresError(.connection, text.text)))
        #expect(diagnosis.kind == text.kind)
        #expect(diagnosis.cause == text.cause)
        #expect(diagnosis.remedy.contains(text.remedy), "\(diagnosis.remedy)")
        #expect(!diagnosis.description.contains("\n"))
        // A certificate's fault begins with the word, a login's with "authentication".
        if text.kind == .certificate { #expect(diagnosis.cause.hasPrefix("certificate")) }
        if text.kind == .authentication { #expect(diagnosis.cause.hasPrefix("authentication failed")) }
    }

    // Not about the way to a server, or asked for on purpose.
    @Test(arguments: [
        PostgresError(.server(.insufficientPrivilege), "permission denied for table dead_letter"),
        PostgresError(.server(.undefinedTable), "relation \"ops.schema_migration\" does not exist"),
        PostgresError(.connection, ""), PostgresError(.connection, "connection to server"),
        PostgresError(.connection, unix + "session is not read-only"),
        PostgresError(.connection, unix + "server is not in hot standby mode"),
        PostgresError(.protocolMisuse, "not a COPY FROM STDIN"),
    ])
    func `anything else is left alone`(error: PostgresError) {
        #expect(PostgresDiagnosis.explain(error) == nil)
    }
}

extension OnAServer {
    struct SeveralHostsTests {
        @Test func `a server that answers says more than a place where none is`() throws {
            let server = try #require(PrivateServerTrait.server)
            // libpq tries one after the other, and tells of each.
            let url = server.connectionURL(database: "no_such").replacing("?host=", with: "?host=%2Fnowhere,")
            do throws(PostgresError) {
                _ = try Connection.open(url, applicationName: "tests")
                Issue.record("a database that is not there was opened")
            } catch {
                #expect(error.message.hasSuffix("database \"no_such\" does not exist"), "\(error)")
                let diagnosis = Connection.explain(error, databaseURL: url)
                #expect(diagnosis?.cause.contains("has no such database") == true)
            }
        }
    }
}
