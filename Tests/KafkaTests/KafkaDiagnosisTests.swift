import Kafka
import Service
import Testing

/// One text of librdkafka, and what is made of it.
struct Fault: Sendable, CustomTestStringConvertible {
    let text: String
    let kind: ConnectionDiagnosis.Kind
    let cause: String
    let remedy: String
    let security: KafkaSecurity

    /// - Parameters:
    ///   - cause: the cause begins with it.
    ///   - remedy: stands in the remedy.
    init(
        _ text: String, _ kind: ConnectionDiagnosis.Kind, _ cause: String, _ remedy: String,
        _ security: KafkaSecurity = KafkaSecurity()
    ) {
        self.text = text
        self.kind = kind
        self.cause = cause
        self.remedy = remedy
        self.security = security
    }

    var testDescription: String { cause }
}

/// The texts are librdkafka 2.0.2's and 2.8.0's own, from faults made on purpose with Kafka 4.1.1.
@Suite struct KafkaDiagnosisTests {
    private static func security(_ change: (inout KafkaSecurity) -> Void) -> KafkaSecurity {
        var security = KafkaSecurity()
        change(&security)
        return security
    }

    private static let ownAuthority = security { $0.authorityLocation = "/etc/own-ca.pem" }
    private static let ownCertificate = security {
        $0.hasCertificate = true
        $0.certificateLocation = "/etc/own.pem"
    }
    private static let plain = security {
        $0.protocolName = "sasl_ssl"
        $0.mechanism = "PLAIN"
    }
    private static let smallSCRAM = security {
        $0.protocolName = "sasl_ssl"
        $0.mechanism = "SCRAM-SHA-256"
    }
    private static let oldSCRAM = security {
        $0.protocolName = "sasl_ssl"
        $0.mechanism = "SCRAM-SHA-512"
        $0.libraryVersion = "2.0.2"
        $0.hasWorkingSCRAM = false
    }
    private static let newSCRAM = security {
        $0.protocolName = "sasl_ssl"
        $0.mechanism = "SCRAM-SHA-512"
        $0.libraryVersion = "2.8.0"
        $0.hasWorkingSCRAM = true
    }

    static let faults = [
        // The broker's certificate; the text after "failed: " is ours, by way of librdkafka.
        Fault(
            "[thrd:ssl://b1:9093/bootstrap]: ssl://b1:9093/bootstrap: Certificate (subject=/CN=server, issuer=/CN=ca) "
                + "verification callback failed:  expired on 2026-11-20T17:09:23Z",
            .certificate, "certificate of b1:9093 expired on 2026-11-20T17:09:23Z", "renew it"),
        Fault(
            "[thrd:ssl://b1:9093/1]: ssl://b1:9093/1: Certificate (subject=/CN=server, issuer=/CN=ca) "
                + "verification callback failed:  is for another host (elsewhere.example)",
            .certificate, "certificate of b1:9093 is for another host (elsewhere.example)", "advertised.listeners"),
        Fault(
            "[thrd:ssl://b1:9093/bootstrap]: ssl://b1:9093/bootstrap: Certificate (subject=/CN=server, issuer=/CN=x) "
                + "verification callback failed:  is signed by \"x\", which is no authority that is trusted",
            .certificate, "certificate of b1:9093 is signed by \"x\", which is no authority that is trusted",
            "KAFKA_CONFIG_SSL_CA_LOCATION has to name the file of its authority (now: /etc/own-ca.pem)", ownAuthority),
        Fault(
            "[thrd:ssl://b1:9093/bootstrap]: ssl://b1:9093/bootstrap: Certificate (subject=/CN=a b: c, issuer=/CN=ca) "
                + "verification callback failed: : that of its authority \"ca\" expired on 2026-11-20T17:09:23Z",
            .certificate, "certificate of b1:9093: that of its authority \"ca\" expired on 2026-11-20T17:09:23Z",
            "renew it"),
        // What follows it, the same for all three; from a library without our listener it is all there is.
        Fault(
            "[thrd:ssl://127.0.0.1:32001/bootstrap]: ssl://127.0.0.1:32001/bootstrap: SSL handshake failed: "
                + "error:0A000086:SSL routines::certificate verify failed: broker certificate could not be verified, "
                + "verify that ssl.ca.location is correctly configured or root CA certificates are installed (install "
                + "ca-certificates package) (after 49ms in state SSL_HANDSHAKE)",
            .certificate, "certificate of 127.0.0.1:32001 is not accepted: another authority, another host name",
            "KAFKA_CONFIG_SSL_CA_LOCATION"),
        Fault(
            "[thrd:ssl://[::1]:32001/bootstrap]: ssl://[::1]:32001/bootstrap: error:0A000086:SSL routines::certificate "
                + "verify failed (after 13ms in state SSL_HANDSHAKE)",
            .certificate, "certificate of [::1]:32001 is not accepted", "renew it"),
        // Ours: missing; of another authority; expired.
        Fault(
            "[thrd:ssl://127.0.0.1:32003/bootstrap]: ssl://127.0.0.1:32003/bootstrap: Receive failed: "
                + "error:0A000412:SSL routines::sslv3 alert bad certificate: SSL alert number 42 (after 0ms in state "
                + "APIVERSION_QUERY, 1 identical error(s) suppressed)",
            .certificate, "certificate of this client is missing: 127.0.0.1:32003 asks for one",
            "KAFKA_CONFIG_SSL_KEY_LOCATION"),
        Fault(
            "[thrd:ssl://127.0.0.1:32003/bootstrap]: ssl://127.0.0.1:32003/bootstrap: Receive failed: "
                + "error:0A000416:SSL routines::ssl/tls alert certificate unknown: SSL alert number 46 (after 0ms in "
                + "state APIVERSION_QUERY)",
            .certificate, "certificate of this client (/etc/own.pem) is refused by 127.0.0.1:32003: its authority is",
            "ssl.truststore", ownCertificate),
        Fault(
            "ssl://b:1/bootstrap: Receive failed: error:0A000415:SSL routines::sslv3 alert certificate expired: SSL "
                + "alert number 45 (after 0ms in state APIVERSION_QUERY)",
            .certificate, "certificate of this client (/etc/own.pem) is refused by b:1: it has expired", "holds",
            ownCertificate),
        Fault(
            "ssl.key.location failed: error:05800074:x509 certificate routines::key values mismatch",
            .certificate, "certificate and private key of this client do not belong together",
            "KAFKA_CONFIG_SSL_KEY_LOCATION", ownCertificate),
        Fault(
            "ssl.ca.location failed: error:05880002:x509 certificate routines::system lib",
            .certificate, "certificate or key file /etc/own-ca.pem cannot be used: it cannot be read",
            "KAFKA_CONFIG_SSL_CA_LOCATION", ownAuthority),
        Fault(
            "ssl.ca.location failed: error:05800088:x509 certificate routines::no certificate or crl found",
            .certificate, "certificate or key file /etc/own-ca.pem cannot be used: no certificate or crl found",
            "KAFKA_CONFIG_SSL_CA_LOCATION", ownAuthority),
        // Logging in.
        Fault(
            "[thrd:sasl_ssl://127.0.0.1:32002/bootstrap]: sasl_ssl://127.0.0.1:32002/bootstrap: SASL authentication "
                + "error: Authentication failed: Invalid username or password (after 305ms in state AUTH_REQ)",
            .authentication, "authentication failed at 127.0.0.1:32002: Invalid username or password",
            "KAFKA_CONFIG_SASL_PASSWORD_FILE", plain),
        Fault(
            "[thrd:sasl_ssl://127.0.0.1:32002/bootstrap]: sasl_ssl://127.0.0.1:32002/bootstrap: SASL authentication "
                + "error: Authentication failed during authentication due to invalid credentials with SASL mechanism "
                + "SCRAM-SHA-512 (after 360ms in state AUTH_REQ)",
            .authentication,
            "authentication failed: 127.0.0.1:32002 refuses SCRAM-SHA-512; librdkafka 2.0.2 "
                + "cannot do SCRAM with Kafka 4",
            "librdkafka 2.6.1", oldSCRAM),
        Fault(
            "[thrd:sasl_ssl://127.0.0.1:32002/bootstrap]: sasl_ssl://127.0.0.1:32002/bootstrap: SASL authentication "
                + "error: Authentication failed during authentication due to invalid credentials with SASL mechanism "
                + "SCRAM-SHA-512 (after 360ms in state AUTH_REQ)",
            .authentication,
            "authentication failed at 127.0.0.1:32002: Authentication failed during authentication due to invalid",
            "KAFKA_CONFIG_SASL_PASSWORD_FILE", newSCRAM),
        Fault(
            "[thrd:sasl_ssl://127.0.0.1:32002/bootstrap]: sasl_ssl://127.0.0.1:32002/bootstrap: SASL SCRAM-SHA-256 "
                + "mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: "
                + "SCRAM-SHA-512,PLAIN (after 302ms in state AUTH_HANDSHAKE)",
            .authentication,
            "authentication failed: 127.0.0.1:32002 does not take SCRAM-SHA-256, only SCRAM-SHA-512, PLAIN",
            "KAFKA_CONFIG_SASL_MECHANISM", smallSCRAM),
        Fault(
            "[thrd:sasl_ssl://127.0.0.1:32001/bootstrap]: sasl_ssl://127.0.0.1:32001/bootstrap: SASL PLAIN mechanism "
                + "handshake failed: Broker: Request not valid in current SASL state: broker's supported mechanisms:  "
                + "(after 6ms in state AUTH_HANDSHAKE)",
            .authentication, "authentication failed: 127.0.0.1:32001 takes no login at this port",
            "KAFKA_CONFIG_SECURITY_PROTOCOL=ssl", plain),
        Fault(
            "[thrd:ssl://127.0.0.1:32002/bootstrap]: ssl://127.0.0.1:32002/bootstrap: Disconnected: verify that "
                + "security.protocol is correctly configured, broker might require SASL authentication (after 18ms in "
                + "state UP)",
            .authentication, "authentication failed: 127.0.0.1:32002 wants a login, and none is set",
            "KAFKA_CONFIG_SECURITY_PROTOCOL=sasl_ssl"),
        Fault(
            "sasl.username and sasl.password must be set", .settings,
            "authentication cannot begin: user or password is missing", "KAFKA_CONFIG_SASL_USERNAME", plain),
        Fault(
            "Unsupported SASL mechanism: FOO", .settings,
            "authentication cannot begin: librdkafka knows no mechanism SCRAM-SHA-256", "PLAIN", smallSCRAM),
        Fault(
            "Invalid sasl.kerberos.kinit.cmd value: Property not available: \"sasl.kerberos.keytab\"", .settings,
            "authentication cannot begin: no mechanism is set", "KAFKA_CONFIG_SASL_MECHANISM"),
        // Two sides that speak differently.
        Fault(
            "[thrd:127.0.0.1:32001/bootstrap]: 127.0.0.1:32001/bootstrap: Disconnected while requesting ApiVersion: "
                + "might be caused by incorrect security.protocol configuration (connecting to a SSL listener?) or "
                + "broker version is < 0.10 (see api.version.request) (after 1ms in state APIVERSION_QUERY)",
            .encryption, "127.0.0.1:32001 hangs up: most likely plaintext is spoken to a TLS port",
            "KAFKA_CONFIG_SECURITY_PROTOCOL=ssl"),
        Fault(
            "b:1/bootstrap: Receive failed: Invalid response size 352518912 (0..100000000): increase "
                + "receive.message.max.bytes (after 0ms in state APIVERSION_QUERY)",
            .encryption, "b:1 hangs up: most likely plaintext is spoken to a TLS port", "SECURITY_PROTOCOL=ssl"),
        Fault(
            "[thrd:ssl://127.0.0.1:31901/bootstrap]: ssl://127.0.0.1:31901/bootstrap: SSL handshake failed: "
                + "error:0A000126:SSL routines::unexpected eof while reading (after 43ms in state SSL_HANDSHAKE)",
            .encryption, "127.0.0.1:31901 breaks the TLS handshake off: most likely TLS is spoken to a port without it",
            "KAFKA_CONFIG_SECURITY_PROTOCOL=plaintext"),
        Fault(
            "[thrd:ssl://127.0.0.1:31901/bootstrap]: ssl://127.0.0.1:31901/bootstrap: Disconnected (after 4ms in state "
                + "SSL_HANDSHAKE)",
            .encryption, "127.0.0.1:31901 breaks the TLS handshake off", "TLS port"),
        Fault(
            "ssl://b:1/bootstrap: SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener? "
                + "(after 17ms in state SSL_HANDSHAKE)",
            .encryption, "b:1 breaks the TLS handshake off", "KAFKA_CONFIG_SECURITY_PROTOCOL=sasl_plaintext", plain),
        Fault(
            "ssl://b:1/bootstrap: SSL handshake failed: error:0A000410:SSL routines::sslv3 alert handshake failure: "
                + "SSL alert number 40 (after 5ms in state SSL_HANDSHAKE)",
            .encryption, "b:1 and this client share no version of TLS, or no cipher (alert 40)", "ssl.cipher.suites"),
        Fault(
            "[thrd:10.255.255.1:9092/bootstrap]: 10.255.255.1:9092/bootstrap: Receive failed: Invalid response size "
                + "1213486160 (0..100000000): increase receive.message.max.bytes (after 0ms in state APIVERSION_QUERY)",
            .server, "10.255.255.1:9092 is an HTTP server or a proxy", "KAFKA_BOOTSTRAP_SERVERS"),
        // The way there.
        Fault(
            "[thrd:127.0.0.1:9/bootstrap]: 127.0.0.1:9/bootstrap: Connect to ipv4#127.0.0.1:9 failed: Connection "
                + "refused (after 0ms in state CONNECT)",
            .network, "127.0.0.1:9 does not answer: Connection refused", "start the broker"),
        Fault(
            "[thrd:GroupCoordinator]: GroupCoordinator: b1:9092: Connect to ipv4#10.0.0.1:9092 failed: No route to "
                + "host (after 3ms in state CONNECT)",
            .network, "b1:9092 does not answer: No route to host", "KAFKA_BOOTSTRAP_SERVERS"),
        Fault(
            "[thrd:no-such.invalid:9092/bootstrap]: no-such.invalid:9092/bootstrap: Failed to resolve "
                + "'no-such.invalid:9092': Name or service not known (after 0ms in state CONNECT)",
            .network, "the name of no-such.invalid:9092 cannot be resolved: Name or service not known",
            "advertised.listeners"),
        Fault(
            "b1:9092/bootstrap: Connection setup timed out in state CONNECT (after 30029ms in state CONNECT)",
            .network, "b1:9092 does not answer in time", "firewall"),
        Fault(
            "b1:9092/1: Disconnected (after 600000ms in state UP)", .network, "b1:9092 hangs up", "the broker's log"),
    ]

    @Test(arguments: faults) func `a text of librdkafka becomes a cause and a remedy`(fault: Fault) throws {
        let diagnosis = try #require(KafkaDiagnosis.explain(fault.text, fault.security))
        #expect(diagnosis.kind == fault.kind)
        #expect(diagnosis.cause.hasPrefix(fault.cause), "\(diagnosis.cause)")
        #expect(diagnosis.remedy.contains(fault.remedy), "\(diagnosis.remedy)")
        #expect(!diagnosis.description.contains("\n"))
        // A certificate's fault begins with the word, a login's with "authentication".
        if fault.kind == .certificate { #expect(diagnosis.cause.hasPrefix("certificate ")) }
        if fault.kind == .authentication { #expect(diagnosis.cause.hasPrefix("authentication failed")) }
    }

    // Lines that are about no fault of a connection.
    @Test(arguments: [
        "", ": ", "[thrd:", "[thrd:main]: Topic vitals partition count changed from 1 to 4",
        "[thrd:app]: Configuration property session.timeout.ms is a consumer property",
        "GroupCoordinator/1: Coordinator load in progress: retrying", "SASL", "alert number 42", "(after in state ",
    ])
    func `anything else is left alone`(text: String) {
        #expect(KafkaDiagnosis.explain(text, KafkaSecurity()) == nil)
    }

    @Test func `what is protected is read as librdkafka understands it, aliases and defaults included`() throws {
        let open = try KafkaSecurity(properties: [])
        #expect(!open.usesTLS && !open.usesSASL && !open.hasCertificate)
        #expect(open.verifiesCertificate && open.verifiesHostName)
        let closed = try KafkaSecurity(properties: [
            ("security.protocol", "SASL_SSL"), ("sasl.mechanism", "SCRAM-SHA-512"), ("ssl.ca.location", "/ca.pem"),
            ("ssl.endpoint.identification.algorithm", "none"), ("sasl.password", "not kept"),
        ])
        #expect(closed.usesTLS && closed.usesSASL && closed.mechanism == "SCRAM-SHA-512")
        #expect(closed.authorityLocation == "/ca.pem")
        #expect(closed.verifiesCertificate && !closed.verifiesHostName)
        #expect(closed.meetsBrokenSCRAM == !KafkaLibrary.hasWorkingSCRAM)
        #expect(!"\(closed)".contains("not kept"))
        let blind = try KafkaSecurity(properties: [("enable.ssl.certificate.verification", "false")])
        #expect(!blind.verifiesCertificate && !blind.verifiesHostName)
        #expect(throws: KafkaError.self) { try KafkaSecurity(properties: [("security.protocol", "tls")]) }
    }
}
