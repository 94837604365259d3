internal import CLibPQ
public import Service  // Certificates and diagnoses are shown to whoever asks.

/// What protects a connection, and what its server's certificate says.
extension Connection {
    /// Version of TLS and cipher, such as `TLSv1.3 TLS_AES_256_GCM_SHA384`; nil when nothing is encrypted.
    public var encryption: String? {
        guard unsafe PQsslInUse(handle) == 1 else { return nil }
        // libpq-fe.h: the texts live as long as the connection.
        let version = unsafe PQsslAttribute(handle, "protocol").map { unsafe String(cString: $0) }
        let cipher = unsafe PQsslAttribute(handle, "cipher").map { unsafe String(cString: $0) }
        return [version, cipher].compactMap(\.self).joined(separator: " ")
    }

    /// The host as it is called by: a name, an address, or the directory of a socket (beginning with `/`).
    public var host: String { unsafe PQhost(handle).map { unsafe String(cString: $0) } ?? "" }

    /// The certificate that the server has shown; nil without TLS, or with a libpq that is not built on OpenSSL.
    public var serverCertificate: Certificate? { unsafe OpenSSLSession.serverCertificate(of: handle) }

    /// What libpq will use for these keywords: from the connection string, else from its own variables, service file
    /// and defaults. Nil when it has none, or the connection string is malformed.
    public static func keyword(_ name: String, in databaseURL: String) -> String? {
        let options: [(String, String)]
        do throws(PostgresError) {
            options = try self.options(databaseURL: databaseURL, applicationName: "", extra: [])
        } catch {
            return nil
        }
        // Only made to be asked: PQconnectStartParams connects, and nothing is waited for.
        var reason: UnsafeMutablePointer<CChar>?
        let given = options.last { $0.0 == "dbname" }?.1 ?? ""
        let isString = given.contains("=") || given.contains("://")
        let parsed = isString ? unsafe PQconninfoParse(given, &reason) : nil
        let defaults = unsafe PQconndefaults()
        defer {
            // libpq-fe.h: all three are ours to free, and each call takes NULL.
            unsafe PQfreemem(reason)
            unsafe PQconninfoFree(parsed)
            unsafe PQconninfoFree(defaults)
        }
        return unsafe value(of: name, in: parsed) ?? value(of: name, in: defaults)
    }

    /// Why a connection could not be made, in words for operators; nil when that is not known.
    ///
    /// libpq does not say why it refused a server's certificate. Then, and only then, the server is called once more to
    /// look at it: this blocks for up to `limit`.
    public static func explain(
        _ error: PostgresError, databaseURL: String, within limit: Duration = .seconds(3)
    ) -> ConnectionDiagnosis? {
        let diagnosis = PostgresDiagnosis.explain(error)
        guard PostgresDiagnosis.isUnexplainedCertificate(error),
            let certificate = showCertificate(databaseURL: databaseURL, within: limit)
        else { return diagnosis }
        return PostgresDiagnosis.explain(
            refused: certificate, of: ServerLine(error.message).peer,
            authorityFile: keyword("sslrootcert", in: databaseURL), at: WallClock.nowMilliseconds() / 1_000)
    }

    /// The certificate that a server shows to anybody, believed by nobody.
    ///
    /// Ends as soon as it is seen, within the handshake: before the start-up packet, so neither user nor password nor
    /// database is sent to a server that has not proved who it is.
    static func showCertificate(databaseURL: String, within limit: Duration) -> Certificate? {
        // Nothing there: no authority to judge by, and no certificate of ours to show. (Not empty: that is a default.)
        let nowhere = "/dev/null/none"
        let changes = [
            ("sslmode", "require"), ("sslrootcert", nowhere), ("sslcrl", nowhere), ("sslcert", nowhere),
            ("sslkey", nowhere), ("gssencmode", "disable"), ("password", ""), ("passfile", "/dev/null"),
        ]
        do throws(PostgresError) {
            var connection = try Connection(
                connecting: databaseURL, applicationName: "vitalstream certificate", extra: changes)
            let deadline = Deadline.after(limit)
            var wantsWrite = true
            // PQsslInUse is no sign: it says yes before the first byte of the handshake is sent.
            while true {
                if let certificate = connection.serverCertificate { return certificate }
                let rest = Int32(clamping: deadline.remaining().wholeMilliseconds)
                guard rest > 0 else { return nil }
                connection.blockingTimeoutMilliseconds = rest
                try connection.wait(read: !wantsWrite, write: wantsWrite)
                switch try connection.advanceConnecting() {
                case .wantsRead: wantsWrite = false
                case .wantsWrite: wantsWrite = true
                case .ready: return nil
                }
            }
        } catch {
            // The error that is being explained stands; this look at it was a try.
            return nil
        }
    }

    private static func value(of name: String, in list: UnsafeMutablePointer<PQconninfoOption>?) -> String? {
        guard var entry = unsafe list else { return nil }
        // libpq-fe.h: the list ends with an entry without keyword.
        while let keyword = unsafe entry.pointee.keyword {
            if unsafe String(cString: keyword) == name {
                return unsafe entry.pointee.val.map { unsafe String(cString: $0) }
            }
            unsafe entry += 1
        }
        return nil
    }
}
