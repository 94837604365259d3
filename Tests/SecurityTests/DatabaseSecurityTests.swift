import Postgres
import Service
import TestSupport
import Testing

/// A wrong way to the database, and how the line about it begins.
struct DatabaseFault: Sendable, CustomTestStringConvertible {
    let name: String
    /// From the world to a connection string.
    let connection: @Sendable (SecureDatabase) -> String
    /// `HOST` and `PORT` stand for the server's.
    let cause: String
    let remedy: String

    var testDescription: String { name }
}

/// Connections to PostgreSQL by settings alone, the right ones and each wrong one, by `check`, `serve` and a command.
@Suite(.secureDatabase) struct DatabaseSecurityTests {
    private let world: SecureDatabase

    init() throws {
        world = try #require(SecureDatabase.current)
    }

    @Test(arguments: [false, true]) func `TLS with a judged host, and a password or a certificate`(
        byCertificate: Bool
    ) throws {
        let changes: [String: String?] =
            byCertificate
            ? [
                "user": "ward_certificate", "password": nil, "sslcert": world.client.certificate,
                "sslkey": world.client.key,
            ] : [:]
        let settings = try world.settings(world.connection(to: world.server, changes))
        let check = try Program.run(["check"], settings)
        #expect(check.code == 0, "\(check.text)")
        #expect(check.output.contains("ok    tls          TLSv1.3 "), "\(check.output)")
        #expect(check.output.contains("certificate and host name are judged by \(world.authority.file)"))
        #expect(check.output.contains("ok    certificate  that of 127.0.0.1 holds until "))
        let own = "that of this client (\(world.client.certificate)) holds until "
        #expect(check.output.contains(own) == byCertificate)
        #expect(check.output.contains(", a member of vitalstream_service\n"))
        let serve = try Program.serve(settings, until: "took partitions over")
        #expect(serve.code == 0, "\(serve.errors)")
        #expect(!(check.text + serve.text).contains(SecureDatabase.password))
    }

    @Test func `a certificate that ends within 30 days is warned of`() throws {
        let pair = world.endingClient
        let way = world.connection(to: world.server, ["sslcert": pair.certificate, "sslkey": pair.key])
        let check = try Program.run(["check"], world.settings(way))
        #expect(check.code == 0, "\(check.text)")
        let line = check.output.split(separator: "\n").first { $0.hasPrefix("warn  certificate  ") } ?? ""
        #expect(line.contains("that of this client (\(pair.certificate)) ends in "), "\(check.output)")
        #expect(line.contains(" -> renew it, and let sslcert of DATABASE_URL name the new one"), "\(line)")
    }

    static let faults = [
        DatabaseFault(
            name: "wrong authority", connection: { $0.connection(to: $0.server, ["sslrootcert": $0.stranger.file]) },
            cause: "certificate of 127.0.0.1:PORT is signed by \"ward-authority\", which is no authority",
            remedy: "sslrootcert in DATABASE_URL has to name the file of its authority"),
        DatabaseFault(
            name: "another host", connection: { $0.connection(to: $0.server, ["host": "localhost"]) },
            cause: "certificate of localhost:PORT is for another host (db.test",
            remedy: "call the server in DATABASE_URL"),
        DatabaseFault(
            name: "expired", connection: { $0.connection(to: $0.expired) },
            cause: "certificate of 127.0.0.1:PORT expired on ", remedy: "renew it"),
        DatabaseFault(
            name: "no file of an authority",
            connection: { $0.connection(to: $0.server, ["sslrootcert": "/no/such/ca.pem"]) },
            cause: "certificate file /no/such/ca.pem of the server's authority cannot be used: it does not exist",
            remedy: "sslrootcert"),
        DatabaseFault(
            name: "wrong password", connection: { $0.connection(to: $0.server, ["password": "not-that-one-77"]) },
            cause: "authentication failed at 127.0.0.1:PORT: password authentication failed for user \"ward_password\"",
            remedy: "correct user and password in DATABASE_URL"),
        DatabaseFault(
            name: "no password", connection: { $0.connection(to: $0.server, ["password": nil]) },
            cause: "authentication failed: 127.0.0.1:PORT wants a password, and none is set",
            remedy: "DATABASE_URL_FILE"),
        DatabaseFault(
            name: "no certificate",
            connection: { $0.connection(to: $0.server, ["user": "ward_certificate", "password": nil]) },
            cause: "certificate of this client is missing: 127.0.0.1:PORT asks for one", remedy: "sslcert"),
        DatabaseFault(
            name: "another's certificate",
            connection: {
                $0.connection(
                    to: $0.server, ["sslcert": $0.strangeClient.certificate, "sslkey": $0.strangeClient.key])
            },
            cause: "certificate of this client is refused by 127.0.0.1:PORT: its authority is not known there",
            remedy: "ssl_ca_file"),
        DatabaseFault(
            name: "an expired certificate",
            connection: {
                $0.connection(
                    to: $0.server, ["sslcert": $0.expiredClient.certificate, "sslkey": $0.expiredClient.key])
            },
            cause: "certificate of this client is refused by 127.0.0.1:PORT: it has expired", remedy: "still holds"),
        DatabaseFault(
            name: "certificate and key of two",
            connection: {
                $0.connection(to: $0.server, ["sslcert": $0.client.certificate, "sslkey": $0.strangeClient.key])
            },
            cause: "certificate and private key of this client do not belong together", remedy: "sslkey"),
        DatabaseFault(
            name: "plaintext to a server that wants TLS",
            connection: { $0.connection(to: $0.server, ["sslmode": "disable"]) },
            cause: "authentication failed: 127.0.0.1:PORT lets user ward_password not in without TLS",
            remedy: "sslmode=verify-full"),
        DatabaseFault(
            name: "TLS to a server without", connection: { $0.connection(to: $0.plain) },
            cause: "127.0.0.1:PORT speaks no TLS, which sslmode demands", remedy: "ssl=on"),
        DatabaseFault(
            name: "no such database", connection: { $0.connection(to: $0.server, ["dbname": "ward_9"]) },
            cause: "127.0.0.1:PORT has no such database: database \"ward_9\" does not exist", remedy: "createdb"),
    ]

    @Test(arguments: faults) func `a wrong way in is one line with cause and remedy, from all of ours`(
        fault: DatabaseFault
    ) throws {
        let connection = fault.connection(world)
        let settings = try world.settings(connection)
        let port = connection.split(separator: " ").first { $0.hasPrefix("port='") }.map { $0.dropFirst(6).dropLast() }
        let cause = fault.cause.replacing("PORT", with: port ?? "")
        let check = try Program.run(["check"], settings)
        #expect(check.code == 1, "\(check.text)")
        #expect(
            check.failures.count == 1 && check.failures.first?.hasPrefix("database     \(cause)") == true,
            "\(check.text)")
        #expect(check.failures.first?.contains(" -> ") == true && check.failures.first?.contains(fault.remedy) == true)
        let reason = "reading nothing lane=0 reason=\"\(cause)"
        let serve = try Program.serve(settings, until: reason)
        #expect(serve.code == 0 && serve.errors.contains(reason), "\(serve.errors)")
        let command = try Program.run(["dead-letter", "list"], settings)
        #expect(command.code == 1)
        #expect(command.errors.hasPrefix("vitalstream dead-letter list: the database: \(cause)"), "\(command.errors)")
        #expect(command.errors.split(separator: "\n").count == 1)
        for text in [check.text, serve.text, command.text] {
            #expect(!text.contains(SecureDatabase.password) && !text.contains("not-that-one-77"))
        }
    }

    @Test func `a port that never answers costs check less than 20 s and names itself`() throws {
        let silent = try SilentPort()
        var settings = try world.settings("host=127.0.0.1 port=\(silent.number) user=ward sslmode=verify-full")
        // The broker does not answer either.
        settings["KAFKA_BOOTSTRAP_SERVERS"] = "127.0.0.1:\(silent.number)"
        let check = try Program.run(["check"], settings, within: .seconds(20))
        #expect(check.code == 1, "\(check.text)")
        #expect(check.failures.count == 2, "\(check.text)")
        let peer = "127.0.0.1:\(silent.number)"
        #expect(check.failures.contains { $0.hasPrefix("database     \(peer) does not answer in time -> ") })
        #expect(check.failures.contains { $0.hasPrefix("broker       \(peer) does not answer within 6 s") })
    }
}
