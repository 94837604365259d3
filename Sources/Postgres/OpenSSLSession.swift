internal import CLibPQ
internal import Glibc
internal import Service

/// The little of OpenSSL that is needed to see a server's certificate.
///
/// Its functions are looked up in the OpenSSL that libpq has loaded (`PQsslStruct` hands its session over for exactly
/// this: libpq's manual, 34.2) instead of linked, so that a libpq built on another TLS library, or on none, costs a
/// fact in `check` and not the program.
enum OpenSSLSession {
    // Signatures from OpenSSL 3.0's openssl/ssl.h and openssl/x509.h (read 2026-11-21); opaque types as raw pointers.
    private typealias PeerCertificate = @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer?
    private typealias Encode =
        @convention(c) (
            UnsafeMutableRawPointer, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?
        ) -> Int32
    private typealias Free = @convention(c) (UnsafeMutableRawPointer) -> Void

    private static let mostBytes: Int32 = 1 << 20

    /// The certificate that the server of this connection has shown; nil without TLS.
    static func serverCertificate(of handle: OpaquePointer) -> Certificate? {
        // RTLD_DEFAULT is NULL: everything that is loaded.
        guard let session = unsafe PQsslStruct(handle, "OpenSSL"),
            let peerFunction = unsafe dlsym(nil, "SSL_get1_peer_certificate"),
            let encodeFunction = unsafe dlsym(nil, "i2d_X509"), let freeFunction = unsafe dlsym(nil, "X509_free")
        else { return nil }
        let peerCertificate = unsafe unsafeBitCast(peerFunction, to: PeerCertificate.self)
        let encode = unsafe unsafeBitCast(encodeFunction, to: Encode.self)
        let free = unsafe unsafeBitCast(freeFunction, to: Free.self)
        guard let certificate = unsafe peerCertificate(session) else { return nil }
        // SSL_get1_...: a reference of our own.
        defer { unsafe free(certificate) }
        // i2d_X509: with NULL only the length; else it writes, and moves the pointer.
        let length = unsafe encode(certificate, nil)
        guard length > 0, length <= mostBytes else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(length))
        let written = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var place = buffer.baseAddress
            return unsafe encode(certificate, &place)
        }
        return written == length ? Certificate(der: bytes) : nil
    }
}
