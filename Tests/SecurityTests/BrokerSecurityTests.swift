import Kafka
import Postgres
import Service
import TestSupport
import Testing

/// A wrong way to the broker, and how the line about it begins.
struct BrokerFault: Sendable, CustomTestStringConvertible {
    let name: String
    let settings: @Sendable (SecureBroker) throws -> [String: String]
    /// `PEER` stands for the first bootstrap server.
    let cause: String
    let remedy: String
    /// Whether no client can be made at all, so that `serve` ends.
    var endsServe = false

    var testDescription: String { name }
}

/// Connections to a real broker by settings alone, the right ones and each wrong one, by `check` and `serve`.
@Suite(.secureBroker, .enabled(if: SecureBroker.isAvailable)) struct BrokerSecurityTests {
    private let world: SecureBroker

    init() throws {
        world = try #require(SecureBroker.current)
    }

    static let ways: [(port: SecureBroker.Port, login: String)] = [
        (.plaintext, "info  login        none"), (.tls, "info  login        none"),
        (.mutual, "ok    login        by this client's certificate"), (.login, "ok    login        PLAIN"),
    ]

    @Test(arguments: ways) func `each way in is open by settings alone, and readings arrive`(
        port: SecureBroker.Port, login: String
    ) throws {
        let settings = try world.settings(port)
        try world.send(heartRate: 70)
        let check = try Program.run(["check"], settings)
        #expect(check.code == 0, "\(check.text)")
        #expect(check.output.contains(login), "\(check.output)")
        let tls =
            port == .plaintext
            ? "info  tls          plaintext: "
            : "ok    tls          \(port == .login ? "sasl_ssl" : "ssl"); certificate and"
        #expect(check.output.contains(tls), "\(check.output)")
        let shown = "ok    certificate  that of \(world.address(port)) holds until "
        #expect(check.output.contains(shown) == (port != .plaintext), "\(check.output)")
        #expect(check.output.contains("that of this client") == (port == .mutual))
        #expect(check.output.contains("clock        the broker's "), "\(check.output)")
        #expect(!check.output.contains("warn  clock"))
        let serve = try Program.start(["serve"], settings)
        var connection = try Connection.open(world.server.connectionURL(), applicationName: "tests")
        try eventually("a reading is stored by way of \(port)", within: .seconds(40)) {
            if serve.exitStatus != nil { throw TestFailure("serve ended: \(serve.errorOutput?.text ?? "")") }
            let consumed = try connection.query(
                "SELECT coalesce(sum(consumed), 0)::bigint FROM ops.partition_progress WHERE consumer_group = $1",
                [settings["KAFKA_GROUP_ID"]])
            return consumed.int64(0, 0) > 0
        }
        // What is in a file is in nobody's environment and no command line, so in no listing of a core dump either.
        for place in ["environ", "cmdline"] {
            let listing = try FileSystem.readText("/proc/\(serve.pid)/\(place)")
            #expect(listing.contains(place == "environ" ? "KAFKA_GROUP_ID" : "serve"))
            #expect(!listing.contains(SecureBroker.password))
        }
        #expect(serve.stop(within: .seconds(10))?.isSuccess == true)
        let log = (serve.output?.text ?? "") + (serve.errorOutput?.text ?? "")
        #expect(!(log + check.text).contains(SecureBroker.password))
    }

    @Test func `the broker's clock is measured while messages arrive`() throws {
        let world = world
        let isDone = Locked(false)
        let sender = try ServiceThread(name: "sender") {
            do {
                // Each wait for the broker's answer is the pause.
                while !isDone.withLock({ $0 }) { try world.send(heartRate: 60) }
            } catch {
                Issue.record("\(error)")
            }
        }
        let check = try Program.run(["check"], world.settings(.tls))
        isDone.withLock { $0 = true }
        #expect(sender.join(within: .seconds(30)))
        #expect(
            check.output.contains("ok    clock        the broker's differs from this machine's by no more than "),
            "\(check.text)")
    }

    @Test func `SCRAM works where the library can, else the line says which one can`() throws {
        let settings = try world.settings(
            .login,
            [
                "KAFKA_CONFIG_SASL_MECHANISM": "SCRAM-SHA-512",
                "KAFKA_CONFIG_SASL_PASSWORD_FILE": world.file(SecureBroker.scramPassword),
            ])
        let check = try Program.run(["check"], settings)
        #expect(!check.text.contains(SecureBroker.scramPassword))
        if KafkaLibrary.hasWorkingSCRAM {
            #expect(check.code == 0, "\(check.text)")
            #expect(check.output.contains("ok    login        SCRAM-SHA-512"))
            return
        }
        #expect(check.code == 1)
        #expect(
            check.output.contains(
                "warn  librdkafka   \(KafkaLibrary.version): its SCRAM-SHA-512 login fails on Kafka 4"))
        let cause =
            "broker       authentication failed: \(world.address(.login)) refuses SCRAM-SHA-512; librdkafka "
            + "\(KafkaLibrary.version) cannot do SCRAM with Kafka 4 even with the right password "
            + "-> use librdkafka 2.6.1"
        #expect(check.failures.count == 1 && check.failures.first?.hasPrefix(cause) == true, "\(check.text)")
    }

    static let faults = [
        BrokerFault(
            name: "wrong authority",
            settings: { try $0.settings(.tls, ["KAFKA_CONFIG_SSL_CA_LOCATION": $0.stranger.file]) },
            cause: "certificate of PEER is signed by \"ward-authority\", which is no authority that is trusted",
            remedy: "KAFKA_CONFIG_SSL_CA_LOCATION has to name the file of its authority"),
        BrokerFault(
            name: "another host", settings: { try $0.settings(.tls, host: "localhost") },
            cause: "certificate of PEER is for another host (127.0.0.1)", remedy: "advertised.listeners"),
        BrokerFault(
            name: "expired", settings: { try $0.settings(.expired) }, cause: "certificate of PEER expired on ",
            remedy: "renew it"),
        BrokerFault(
            name: "wrong password",
            settings: { try $0.settings(.login, ["KAFKA_CONFIG_SASL_PASSWORD_FILE": $0.file("not-that-one-77")]) },
            cause: "authentication failed at PEER: Invalid username or password",
            remedy: "KAFKA_CONFIG_SASL_PASSWORD_FILE"),
        BrokerFault(
            name: "wrong mechanism",
            settings: { try $0.settings(.login, ["KAFKA_CONFIG_SASL_MECHANISM": "SCRAM-SHA-256"]) },
            cause: "authentication failed: PEER does not take SCRAM-SHA-256, only ",
            remedy: "KAFKA_CONFIG_SASL_MECHANISM"),
        BrokerFault(
            name: "no login", settings: { try $0.settings(.login, ["KAFKA_CONFIG_SECURITY_PROTOCOL": "ssl"]) },
            cause: "authentication failed: PEER wants a login, and none is set",
            remedy: "KAFKA_CONFIG_SECURITY_PROTOCOL=sasl_ssl"),
        BrokerFault(
            name: "a login where none is taken",
            settings: {
                try $0.settings(.login, ["KAFKA_BOOTSTRAP_SERVERS": $0.address(.tls)])
            },
            cause: "authentication failed: PEER takes no login at this port",
            remedy: "KAFKA_CONFIG_SECURITY_PROTOCOL=ssl"),
        BrokerFault(
            name: "no certificate",
            settings: {
                try $0.settings(
                    .mutual,
                    [
                        "KAFKA_CONFIG_SSL_CERTIFICATE_LOCATION": nil,
                        "KAFKA_CONFIG_SSL_KEY_LOCATION": nil,
                    ])
            },
            cause: "certificate of this client is missing: PEER asks for one",
            remedy: "KAFKA_CONFIG_SSL_CERTIFICATE_LOCATION"),
        BrokerFault(
            name: "another's certificate", settings: { try $0.mutual($0.strangeClient) },
            cause: "certificate of this client (", remedy: "ssl.truststore"),
        BrokerFault(
            name: "plaintext to a TLS port",
            settings: { try $0.settings(.tls, ["KAFKA_CONFIG_SECURITY_PROTOCOL": "plaintext"]) },
            cause: "PEER hangs up: most likely plaintext is spoken to a TLS port",
            remedy: "KAFKA_CONFIG_SECURITY_PROTOCOL=ssl"),
        BrokerFault(
            name: "TLS to a plaintext port",
            settings: { try $0.settings(.tls, ["KAFKA_BOOTSTRAP_SERVERS": $0.address(.plaintext)]) },
            cause: "PEER breaks the TLS handshake off: most likely TLS is spoken to a port without it",
            remedy: "KAFKA_CONFIG_SECURITY_PROTOCOL=plaintext"),
        BrokerFault(
            name: "no file of an authority",
            settings: { try $0.settings(.tls, ["KAFKA_CONFIG_SSL_CA_LOCATION": "/no/such/ca.pem"]) },
            cause: "certificate or key file /no/such/ca.pem cannot be used: it cannot be read",
            remedy: "KAFKA_CONFIG_SSL_CA_LOCATION", endsServe: true),
        BrokerFault(
            name: "certificate and key of two",
            settings: {
                try $0.settings(.mutual, ["KAFKA_CONFIG_SSL_KEY_LOCATION": $0.strangeClient.key])
            },
            cause: "certificate and private key of this client do not belong together",
            remedy: "KAFKA_CONFIG_SSL_KEY_LOCATION", endsServe: true),
    ]

    @Test(arguments: faults) func `a wrong way in is one line with cause and remedy, from check and from serve`(
        fault: BrokerFault
    ) throws {
        let settings = try fault.settings(world)
        let cause = fault.cause.replacing("PEER", with: settings["KAFKA_BOOTSTRAP_SERVERS"] ?? "")
        let check = try Program.run(["check"], settings)
        #expect(check.code == 1, "\(check.text)")
        #expect(
            check.failures.count == 1 && check.failures.first?.hasPrefix("broker       \(cause)") == true,
            "\(check.text)")
        #expect(check.failures.first?.contains(" -> ") == true && check.failures.first?.contains(fault.remedy) == true)
        let reason = fault.endsServe ? "error=\"ERR__INVALID_ARG: \(cause)" : "reason=\"\(cause)"
        let serve = try Program.serve(settings, until: reason)
        #expect(serve.code == (fault.endsServe ? 1 : 0) && serve.errors.contains(reason), "\(serve.errors)")
        for text in [check.text, serve.text] {
            #expect(!text.contains(SecureBroker.password) && !text.contains("not-that-one-77"))
        }
    }

    @Test func `secrets are in no help, no table, no JSON and no debugging line`() throws {
        let settings = try world.settings(
            .login, ["LOG_LEVEL": "debug", "KAFKA_CONFIG_DEBUG": "security,conf,broker,protocol"])
        let texts = [
            try Program.run(["--help"], settings), try Program.run(["--help=markdown"], settings),
            try Program.run(["serve", "--help"], settings), try Program.run(["check", "--json"], settings),
            try Program.serve(settings, until: "took partitions over"),
        ].map(\.text)
        for text in texts { #expect(!text.contains(SecureBroker.password)) }
        #expect(texts[3].contains("\"value\":\"***\""))
        #expect(texts[4].contains("SASL"), "librdkafka was not asked to say more")
    }
}

extension SecureBroker {
    /// Everything that is right for mutual TLS, with another certificate.
    func mutual(_ pair: KeyPair) throws -> [String: String] {
        try settings(
            .mutual,
            [
                "KAFKA_CONFIG_SSL_CERTIFICATE_LOCATION": pair.certificate, "KAFKA_CONFIG_SSL_KEY_LOCATION": pair.key,
            ])
    }
}
