/// How a client protects its connections, as librdkafka understands its properties. Holds no secret.
public struct KafkaSecurity: Equatable, Sendable {
    /// `plaintext`, `ssl`, `sasl_plaintext` or `sasl_ssl`.
    public var protocolName = "plaintext"
    /// `PLAIN`, `SCRAM-SHA-512` ...; counts only with `usesSASL`. librdkafka's default is `GSSAPI`.
    public var mechanism = "GSSAPI"
    /// File or directory of the authorities that may sign a broker's certificate; nil: those of the system.
    public var authorityLocation: String?
    /// File of the client's own certificate; nil: none, or not in a file.
    public var certificateLocation: String?
    /// Whether the client has a certificate at all.
    public var hasCertificate = false
    /// Whether a broker's certificate is judged.
    public var verifiesCertificate = true
    /// Whether it must also be for the name by which the broker is called.
    public var verifiesHostName = true
    /// librdkafka's version.
    public var libraryVersion = KafkaLibrary.version
    /// Whether that version's SCRAM works with Kafka 4.
    public var hasWorkingSCRAM = KafkaLibrary.hasWorkingSCRAM

    /// A client without any protection.
    public init() {}

    /// What these properties come to, aliases and librdkafka's defaults included.
    /// - Throws: for an unknown property or a bad value, as making the client would.
    public init(properties: [(String, String)]) throws(KafkaError) {
        let configuration = try ClientConfiguration(properties: properties)
        self.init(configuration)
    }

    init(_ configuration: borrowing ClientConfiguration) {
        func value(_ name: String) -> String? {
            configuration.value(of: name).flatMap { $0.isEmpty ? nil : $0 }
        }
        protocolName = value("security.protocol") ?? protocolName
        mechanism = value("sasl.mechanisms") ?? mechanism
        authorityLocation = value("ssl.ca.location")
        certificateLocation = value("ssl.certificate.location")
        let places = ["ssl.certificate.location", "ssl.certificate.pem", "ssl.keystore.location"]
        hasCertificate = places.contains { value($0) != nil }
        verifiesCertificate = value("enable.ssl.certificate.verification") != "false"
        verifiesHostName = verifiesCertificate && value("ssl.endpoint.identification.algorithm") == "https"
    }

    /// Whether connections are encrypted.
    public var usesTLS: Bool { protocolName.hasSuffix("ssl") }

    /// Whether the client logs in with a name, or a ticket.
    public var usesSASL: Bool { protocolName.hasPrefix("sasl") }

    /// Whether SCRAM is to be used with a librdkafka whose SCRAM fails on Kafka 4 (DESIGN.md, "What bites").
    public var meetsBrokenSCRAM: Bool { usesSASL && mechanism.hasPrefix("SCRAM") && !hasWorkingSCRAM }
}
