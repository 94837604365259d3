internal import Kafka
internal import Service

/// How the way to the brokers is protected, and for how long.
extension CheckBroker {
    func checkSecurity(_ security: KafkaSecurity, _ report: CheckReport) {
        checkLibrary(security, report)
        checkEncryption(security, report)
        checkLogin(security, report)
        if security.usesTLS, let own = security.certificateLocation {
            CheckCertificate.judge(
                file: own, isAuthority: false, "that of this client (\(own))",
                renewal: "renew it, and let KAFKA_CONFIG_SSL_CERTIFICATE_LOCATION name the new one", report)
        }
        if security.usesTLS, let authority = security.authorityLocation {
            CheckCertificate.judge(
                file: authority, isAuthority: true, "that of the broker's authority (\(authority))",
                renewal: "renew it, and let KAFKA_CONFIG_SSL_CA_LOCATION name the new one", report)
        }
    }

    private func checkLibrary(_ security: KafkaSecurity, _ report: CheckReport) {
        if security.meetsBrokenSCRAM {
            report.add(
                .warning, "librdkafka",
                "\(security.libraryVersion): its \(security.mechanism) login fails on Kafka 4 "
                    + "(\"invalid credentials\")",
                remedy: "use librdkafka 2.6.1 or later (the container image has it), or PLAIN over TLS")
        } else {
            let scram = security.hasWorkingSCRAM ? "SCRAM works with Kafka 4" : "SCRAM does not work with Kafka 4"
            report.add(.fine, "librdkafka", "\(security.libraryVersion): TLS, PLAIN; \(scram)")
        }
    }

    private func checkEncryption(_ security: KafkaSecurity, _ report: CheckReport) {
        guard security.usesTLS else {
            let text = "\(security.protocolName): what the broker sends can be read and changed on the way"
            if isLocal {
                report.add(.info, "tls", text + ", which is within this machine")
            } else {
                report.add(
                    .warning, "tls", text,
                    remedy: "set KAFKA_CONFIG_SECURITY_PROTOCOL=\(security.usesSASL ? "sasl_ssl" : "ssl"), and use the "
                        + "broker's TLS port")
            }
            return
        }
        let authority = security.authorityLocation ?? "the system's authorities"
        if !security.verifiesCertificate {
            report.add(
                .warning, "tls",
                "\(security.protocolName), but anybody can pose as the broker: no certificate is judged",
                remedy: "leave KAFKA_CONFIG_ENABLE_SSL_CERTIFICATE_VERIFICATION out")
        } else if !security.verifiesHostName {
            report.add(
                .warning, "tls",
                "\(security.protocolName), but whoever has any certificate of \(authority) can pose as the broker",
                remedy: "leave KAFKA_CONFIG_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM out, or set it to https")
        } else {
            report.add(.fine, "tls", "\(security.protocolName); certificate and host name are judged by \(authority)")
        }
    }

    private func checkLogin(_ security: KafkaSecurity, _ report: CheckReport) {
        guard security.usesSASL else {
            let own = security.usesTLS && security.hasCertificate
            report.add(own ? .fine : .info, "login", own ? "by this client's certificate" : "none; no user is named")
            return
        }
        if security.mechanism == "PLAIN", !security.usesTLS, !isLocal {
            report.add(
                .warning, "login", "PLAIN without TLS: the password can be read on the way",
                remedy: "set KAFKA_CONFIG_SECURITY_PROTOCOL=sasl_ssl")
        } else {
            report.add(.fine, "login", security.mechanism)
        }
    }

    /// Those that brokers have shown, and that were found good.
    func checkCertificates(_ certificates: [String: Certificate], _ report: CheckReport) {
        // Brokers are known by the name of the setting and by the one that they advertise.
        var seen: Set<Certificate> = []
        for (broker, certificate) in certificates.sorted(by: { $0.key < $1.key }) {
            guard seen.insert(certificate).inserted else { continue }
            CheckCertificate.judge(
                certificate, "that of \(Self.address(broker))", renewal: "renew it at the broker", report)
        }
    }

    /// `b1:9093` of `ssl://b1:9093/bootstrap`.
    private static func address(_ broker: String) -> Substring {
        let start = broker.firstRange(of: "://")?.upperBound ?? broker.startIndex
        return broker[start...].prefix { $0 != "/" }
    }
}
