internal import CRdKafka
internal import Service

/// Says why OpenSSL refused a broker's certificate. librdkafka's own line is the same for a wrong authority, a wrong
/// name and an expired certificate (seen with 2.0.2 and 2.8.0), so the library's verification is listened to; the
/// verdict stays OpenSSL's.
enum CertificateVerdict {
    /// Stands in librdkafka's log line before our text (`rd_kafka_transport_ssl_cert_verify_cb`).
    static let mark = "verification callback failed: "

    /// The rest of the sentence "certificate of HOST ...".
    ///
    /// Numbers from OpenSSL 3.0, openssl/x509_vfy.h, X509_V_ERR_* (read 2026-11-21).
    static func text(x509Error: Int32, depth: Int32, certificate: Certificate?) -> String {
        let whose = depth > 0 ? ": that of its authority \"\(certificate?.subject ?? "?")\"" : ""
        switch x509Error {
        case 10: return whose + " expired on \(certificate?.endText ?? "a day gone by")"
        case 9: return whose + " is not valid before \(certificate?.startText ?? "a day to come")"
        case 18: return " is self-signed, and no authority that is trusted"
        case 2, 19, 20, 21, 27:
            return " is signed by \"\(certificate?.issuer ?? "?")\", which is no authority that is trusted"
        case 62, 64:
            let hosts = certificate?.hosts ?? []
            let names = hosts.isEmpty ? certificate?.subject ?? "" : hosts.joined(separator: ", ")
            return " is for another host (\(names.isEmpty ? "it names none" : names))"
        case 23: return whose + " was revoked"
        case 3, 11, 12: return " cannot be judged: the list of revoked certificates is missing or out of date"
        case 7: return whose + " is not signed by whom it says"
        case 24, 26, 79: return whose + " is not made for this use"
        case 66, 67, 68: return whose + " is too weak for this system's rules: its key or its digest"
        default: return whose + " is not accepted (OpenSSL's error \(x509Error))"
        }
    }
}

/// Judges nothing: hands OpenSSL's verdict back, and says in words what it is. Called from librdkafka's threads, once
/// for each certificate of a chain.
func listenToCertificate(
    _ client: OpaquePointer?, _ broker: UnsafePointer<CChar>?, _ brokerID: Int32,
    _ x509Error: UnsafeMutablePointer<Int32>?, _ depth: Int32, _ bytes: UnsafePointer<CChar>?, _ size: Int,
    _ reason: UnsafeMutablePointer<CChar>?, _ reasonSize: Int, _ opaque: UnsafeMutableRawPointer?
) -> Int32 {
    // Nobody to say what is wrong means no.
    guard let x509Error = unsafe x509Error else { return 0 }
    let code = unsafe x509Error.pointee
    // rdkafka.h, rd_kafka_conf_set_ssl_cert_verify_cb: buf is the certificate in DER, ours only during the call.
    let der = unsafe bytes.map { unsafe Array(UnsafeRawBufferPointer(start: $0, count: size)) } ?? []
    let certificate = Certificate(der: der)
    if code == 0 {
        if depth == 0, let opaque = unsafe opaque, let broker = unsafe broker, let certificate {
            let context = unsafe Unmanaged<ClientContext>.fromOpaque(opaque).takeUnretainedValue()
            unsafe context.note(certificate, ofBroker: String(cString: broker))
        }
        return 1
    }
    let text = CertificateVerdict.text(x509Error: code, depth: depth, certificate: certificate)
    guard let reason = unsafe reason, reasonSize > 0 else { return 0 }
    let shown = Array(text.utf8.prefix(reasonSize - 1)) + [0]
    for (place, byte) in shown.enumerated() { unsafe reason[place] = CChar(bitPattern: byte) }
    return 0
}
