public import Service  // The diagnosis itself.

/// From what librdkafka says about a connection, or about settings it refuses, to a cause and a remedy. Pure.
///
/// The texts are those that librdkafka 2.0.2 and 2.8.0 (OpenSSL 3.0 and 3.5) wrote to a log when each fault was made on
/// purpose; Tests/KafkaTests/KafkaDiagnosisTests.swift holds them.
public enum KafkaDiagnosis {
    /// - Parameters:
    ///   - text: a line of librdkafka's log, or the text of a `KafkaError`.
    ///   - security: what the client is told to do; a cause and a remedy name settings, never their secrets.
    /// - Returns: nil when the text is about nothing that is known here.
    public static func explain(_ text: String, _ security: KafkaSecurity) -> ConnectionDiagnosis? {
        let line = ConnectionLine(text)
        return certificate(line, security) ?? login(line, security) ?? encryption(line, security)
            ?? network(line) ?? settings(line, security)
    }

    // MARK: - Certificates

    private static func certificate(_ line: ConnectionLine, _ security: KafkaSecurity) -> ConnectionDiagnosis? {
        if let verdict = line.rest(after: CertificateVerdict.mark) {
            return ConnectionDiagnosis(
                .certificate, "certificate of \(line.peer)\(verdict)", remedy: remedy(forVerdict: verdict, security))
        }
        if line.has("certificate verify failed") || line.has("certificate could not be verified") {
            return ConnectionDiagnosis(
                .certificate,
                "certificate of \(line.peer) is not accepted: another authority, another host name, or expired",
                remedy: "name its authority in KAFKA_CONFIG_SSL_CA_LOCATION, or renew it", isVague: true)
        }
        guard let alert = line.alert, line.has("SSL") else { return nil }
        switch alert {
        case 42, 43, 44, 45, 46, 48, 49, 116: return refusedCertificate(line.peer, alert, security)
        // handshake_failure, protocol_version, insufficient_security (RFC 8446, 6.2).
        case 40, 70, 71:
            return ConnectionDiagnosis(
                .encryption, "\(line.peer) and this client share no version of TLS, or no cipher (alert \(alert))",
                remedy: "see the broker's ssl.enabled.protocols and ssl.cipher.suites")
        default:
            return ConnectionDiagnosis(
                .encryption, "\(line.peer) breaks TLS off (alert \(alert))", remedy: "see the broker's log",
                isVague: true)
        }
    }

    private static func remedy(forVerdict verdict: String, _ security: KafkaSecurity) -> String {
        if verdict.contains("expired") { return "renew it, or set this machine's clock right" }
        if verdict.contains("not valid before") { return "set the clocks right, or wait until then" }
        if verdict.contains("another host") {
            return "call the broker by a name in its certificate, in KAFKA_BOOTSTRAP_SERVERS and in its own "
                + "advertised.listeners, or give it one for this name"
        }
        if verdict.contains("trusted") {
            let now = security.authorityLocation ?? "the system's authorities"
            return "KAFKA_CONFIG_SSL_CA_LOCATION has to name the file of its authority (now: \(now))"
        }
        return "give the broker another certificate"
    }

    /// The broker does not like ours, or misses it. Its reason stands in its own log only.
    private static func refusedCertificate(
        _ peer: String, _ alert: Int, _ security: KafkaSecurity
    ) -> ConnectionDiagnosis {
        guard security.hasCertificate else {
            return ConnectionDiagnosis(
                .certificate, "certificate of this client is missing: \(peer) asks for one",
                remedy: "name it in KAFKA_CONFIG_SSL_CERTIFICATE_LOCATION, its key in KAFKA_CONFIG_SSL_KEY_LOCATION")
        }
        let which = security.certificateLocation ?? "given to it"
        let reason =
            switch alert {
            case 45: "it has expired"
            case 44: "it was revoked"
            case 48: "its authority is not known there"
            // Java says 42 or 46 for each of these.
            default: "its authority is not known there, or it has expired"
            }
        return ConnectionDiagnosis(
            .certificate, "certificate of this client (\(which)) is refused by \(peer): \(reason)",
            remedy: "use one that is signed by an authority of the broker's ssl.truststore, and still holds",
            isVague: alert != 44 && alert != 45 && alert != 48)
    }

    // MARK: - Logging in

    private static func login(_ line: ConnectionLine, _ security: KafkaSecurity) -> ConnectionDiagnosis? {
        if line.has("broker might require SASL authentication") {
            return ConnectionDiagnosis(
                .authentication, "authentication failed: \(line.peer) wants a login, and none is set",
                remedy: "set KAFKA_CONFIG_SECURITY_PROTOCOL=sasl_ssl, KAFKA_CONFIG_SASL_MECHANISM, "
                    + "KAFKA_CONFIG_SASL_USERNAME and KAFKA_CONFIG_SASL_PASSWORD_FILE")
        }
        if let offered = line.rest(after: "broker's supported mechanisms:") {
            let names = offered.split(whereSeparator: { $0 == "," || $0 == " " })
            if names.isEmpty {
                return ConnectionDiagnosis(
                    .authentication, "authentication failed: \(line.peer) takes no login at this port",
                    remedy: "use the port of its SASL listener, or KAFKA_CONFIG_SECURITY_PROTOCOL="
                        + (security.usesTLS ? "ssl" : "plaintext"))
            }
            return ConnectionDiagnosis(
                .authentication,
                "authentication failed: \(line.peer) does not take \(security.mechanism), only "
                    + names.joined(separator: ", "),
                remedy: "set KAFKA_CONFIG_SASL_MECHANISM to one of them")
        }
        guard line.has("SASL authentication error") || line.has("SASL handshake failed") else { return nil }
        if security.meetsBrokenSCRAM {
            return ConnectionDiagnosis(
                .authentication,
                "authentication failed: \(line.peer) refuses \(security.mechanism); librdkafka "
                    + "\(security.libraryVersion) cannot do SCRAM with Kafka 4 even with the right password",
                remedy: "use librdkafka 2.6.1 or later (the container image has it), or PLAIN over TLS")
        }
        let said = line.rest(after: "SASL authentication error: ") ?? String(line.body)
        let reason = said.replacing("Authentication failed: ", with: "")
        return ConnectionDiagnosis(
            .authentication, "authentication failed at \(line.peer): \(reason)",
            remedy: "correct KAFKA_CONFIG_SASL_USERNAME and KAFKA_CONFIG_SASL_PASSWORD_FILE")
    }

    // MARK: - Two sides that speak differently

    private static func encryption(_ line: ConnectionLine, _ security: KafkaSecurity) -> ConnectionDiagnosis? {
        // A TLS record that was read as a length: alert (21) or handshake (22), version 3.x.
        let isTLSRecord = line.responseSize.map { [0x15, 0x16].contains($0 >> 24) && $0 >> 16 & 0xFF == 3 } ?? false
        if line.has("connecting to a SSL listener?") || isTLSRecord {
            return ConnectionDiagnosis(
                .encryption, "\(line.peer) hangs up: most likely plaintext is spoken to a TLS port",
                remedy: "set KAFKA_CONFIG_SECURITY_PROTOCOL=\(security.usesSASL ? "sasl_ssl" : "ssl"), or use the "
                    + "broker's plaintext port")
        }
        let isPlainPeer =
            line.has("connecting to a PLAINTEXT") || line.has("unexpected eof while reading")
            || line.has("wrong version number") || line.has("packet length too long")
            || (line.state == "SSL_HANDSHAKE" && line.has("Disconnected"))
        if isPlainPeer {
            return ConnectionDiagnosis(
                .encryption,
                "\(line.peer) breaks the TLS handshake off: most likely TLS is spoken to a port without it",
                remedy: "use the broker's TLS port, or set KAFKA_CONFIG_SECURITY_PROTOCOL="
                    + (security.usesSASL ? "sasl_plaintext" : "plaintext"))
        }
        if let size = line.responseSize {
            // "HTTP" read as a length.
            let who = size == 0x4854_5450 ? "an HTTP server or a proxy" : "something else than Kafka"
            return ConnectionDiagnosis(
                .server, "\(line.peer) is \(who)", remedy: "correct KAFKA_BOOTSTRAP_SERVERS")
        }
        return nil
    }

    // MARK: - The way there

    private static func network(_ line: ConnectionLine) -> ConnectionDiagnosis? {
        if let reason = line.rest(after: "Failed to resolve "), let colon = reason.firstRange(of: "': ") {
            return ConnectionDiagnosis(
                .network, "the name of \(line.peer) cannot be resolved: \(reason[colon.upperBound...])",
                remedy: "correct KAFKA_BOOTSTRAP_SERVERS, or the broker's advertised.listeners")
        }
        if line.has("Connect to "), let reason = line.rest(after: " failed: ") {
            return ConnectionDiagnosis(
                .network, "\(line.peer) does not answer: \(reason)",
                remedy: "start the broker, or correct KAFKA_BOOTSTRAP_SERVERS")
        }
        if line.has("Connection setup timed out") || line.has("timed out in state") {
            return ConnectionDiagnosis(
                .network, "\(line.peer) does not answer in time",
                remedy: "see whether a firewall drops the packets, or the broker is overloaded")
        }
        if line.has("Disconnected") || line.has("Receive failed: Connection reset by peer") {
            return ConnectionDiagnosis(
                .network, "\(line.peer) hangs up", remedy: "see the broker's log", isVague: true)
        }
        return nil
    }

    // MARK: - Settings that make no client

    private static func settings(_ line: ConnectionLine, _ security: KafkaSecurity) -> ConnectionDiagnosis? {
        let files = [
            ("ssl.ca.location failed", "SSL_CA_LOCATION", security.authorityLocation),
            ("ssl.certificate.location failed", "SSL_CERTIFICATE_LOCATION", security.certificateLocation),
            ("ssl.key.location failed", "SSL_KEY_LOCATION", nil),
            ("ssl.keystore.location failed", "SSL_KEYSTORE_LOCATION", nil),
        ]
        for (mark, setting, path) in files where line.has(mark) {
            let name = "KAFKA_CONFIG_\(setting)"
            if line.has("key values mismatch") {
                return ConnectionDiagnosis(
                    .certificate, "certificate and private key of this client do not belong together",
                    remedy: "let \(name) name the key of KAFKA_CONFIG_SSL_CERTIFICATE_LOCATION")
            }
            let file = path.map { " \($0)" } ?? ""
            return ConnectionDiagnosis(
                .certificate, "certificate or key file\(file) cannot be used: \(line.openSSLReason)",
                remedy: "let \(name) name a PEM file that this program may read"
                    + (setting == "SSL_KEY_LOCATION" ? "; KAFKA_CONFIG_SSL_KEY_PASSWORD_FILE has its password" : ""))
        }
        if line.has("Unsupported SASL mechanism") {
            return ConnectionDiagnosis(
                .settings, "authentication cannot begin: librdkafka knows no mechanism \(security.mechanism)",
                remedy: "set KAFKA_CONFIG_SASL_MECHANISM to PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
        }
        if line.has("sasl.username and sasl.password must be set") {
            return ConnectionDiagnosis(
                .settings, "authentication cannot begin: user or password is missing",
                remedy: "set KAFKA_CONFIG_SASL_USERNAME and KAFKA_CONFIG_SASL_PASSWORD_FILE")
        }
        if line.has("sasl.kerberos") || line.has("No provider for SASL mechanism GSSAPI") {
            return ConnectionDiagnosis(
                .settings, "authentication cannot begin: no mechanism is set, and Kerberos, the default, is not set up",
                remedy: "set KAFKA_CONFIG_SASL_MECHANISM, for instance to PLAIN")
        }
        return nil
    }
}
