public import Service  // The diagnosis itself.

/// From what libpq says about a connection that could not be made to a cause and a remedy. Pure.
///
/// The texts are libpq 15's with OpenSSL 3.0 and PostgreSQL 15's, from faults made on purpose; they stand in
/// Tests/PostgresTests/PostgresDiagnosisTests.swift.
public enum PostgresDiagnosis {
    /// Nil when the text is about nothing that is known here. Names of users and files are quoted, values never are.
    public static func explain(_ error: PostgresError) -> ConnectionDiagnosis? {
        guard error.kind == .connection || error.kind == .timedOut || error.kind == .protocolMisuse else { return nil }
        let line = ServerLine(error.message)
        return certificate(line) ?? files(line) ?? login(line) ?? encryption(line) ?? network(line) ?? server(line)
    }

    /// The same for a server's certificate that libpq refused without saying why, once it has been looked at.
    static func explain(
        refused certificate: Certificate, of peer: String, authorityFile: String?, at seconds: Int64
    ) -> ConnectionDiagnosis {
        if seconds > certificate.endsAt {
            return ConnectionDiagnosis(
                .certificate, "certificate of \(peer) expired on \(certificate.endText)",
                remedy: "renew it, or set this machine's clock right")
        }
        if seconds < certificate.startsAt {
            return ConnectionDiagnosis(
                .certificate, "certificate of \(peer) is not valid before \(certificate.startText)",
                remedy: "set the clocks right, or wait until then")
        }
        let issuer = certificate.isSelfIssued ? "itself" : "\"\(certificate.issuer)\""
        let now = authorityFile.map { " (now: \($0))" } ?? ""
        return ConnectionDiagnosis(
            .certificate, "certificate of \(peer) is signed by \(issuer), which is no authority that is trusted",
            remedy: "sslrootcert in DATABASE_URL has to name the file of its authority\(now)")
    }

    /// Whether only a look at the server's certificate can tell what is wrong with it.
    static func isUnexplainedCertificate(_ error: PostgresError) -> Bool {
        error.kind == .connection && error.message.contains("certificate verify failed")
    }

    private static func certificate(_ line: ServerLine) -> ConnectionDiagnosis? {
        let peer = line.peer
        if line.has("certificate verify failed") {
            return ConnectionDiagnosis(
                .certificate, "certificate of \(peer) is not accepted: another authority, or expired",
                remedy: "name its authority in sslrootcert of DATABASE_URL, or renew it", isVague: true)
        }
        if line.has("does not match host name") {
            let names = line.quoted
            let wanted = names.last ?? "this name"
            let given = names.count > 1 ? names[0] : "another host"
            let more = line.has("other name") ? " and others" : ""
            return ConnectionDiagnosis(
                .certificate, "certificate of \(peer) is for another host (\(given)\(more)), not for \(wanted)",
                remedy: "call the server in DATABASE_URL by a name in its certificate, or give it one for this name")
        }
        if line.has("server's certificate") || line.has("could not get server's host name") {
            return ConnectionDiagnosis(
                .certificate, "certificate of \(peer) cannot be judged: \(line.body)",
                remedy: "give the server another certificate")
        }
        if line.has("requires a valid client certificate") || line.has("alert certificate required") {
            return ConnectionDiagnosis(
                .certificate, "certificate of this client is missing: \(peer) asks for one",
                remedy: "name it in sslcert of DATABASE_URL, its key in sslkey")
        }
        if line.has("certificate authentication failed") {
            return ConnectionDiagnosis(
                .authentication,
                "authentication failed at \(peer): the client's certificate is not for user \(line.user)",
                remedy: "use a certificate whose common name is the user's, or see pg_ident.conf of the server")
        }
        guard line.has("alert") else { return nil }
        let reasons = [
            ("unknown ca", "its authority is not known there"), ("certificate expired", "it has expired"),
            ("certificate revoked", "it was revoked"), ("certificate unknown", "the server does not like it"),
            ("bad certificate", "the server does not like it"),
        ]
        guard let (_, reason) = reasons.first(where: { line.has("alert " + $0.0) }) else { return nil }
        return ConnectionDiagnosis(
            .certificate, "certificate of this client is refused by \(peer): \(reason)",
            remedy: "let sslcert of DATABASE_URL name one that is signed by an authority of the server's ssl_ca_file, "
                + "and still holds")
    }

    /// Files of our own that libpq cannot use.
    private static func files(_ line: ServerLine) -> ConnectionDiagnosis? {
        let file = line.quoted.first ?? ""
        if line.has("root certificate file") {
            return ConnectionDiagnosis(
                .certificate,
                "certificate file \(file) of the server's authority cannot be used"
                    + (line.has("does not exist") ? ": it does not exist" : ""),
                remedy: "let sslrootcert of DATABASE_URL name a PEM file that this program may read")
        }
        if line.has("key values mismatch") {
            return ConnectionDiagnosis(
                .certificate, "certificate and private key of this client do not belong together",
                remedy: "let sslkey of DATABASE_URL name the key of sslcert (now: \(file))")
        }
        if line.has("private key file") {
            let reason = line.has("group or world access") ? "others may read it" : "it is missing or cannot be read"
            return ConnectionDiagnosis(
                .certificate, "certificate's private key \(file) cannot be used: \(reason)",
                remedy: "let sslkey of DATABASE_URL name a PEM file that belongs to this program's user (mode 0600) or "
                    + "to root (0640)")
        }
        if line.has("could not read certificate file") {
            return ConnectionDiagnosis(
                .certificate, "certificate file \(file) of this client cannot be used",
                remedy: "let sslcert of DATABASE_URL name a PEM file that this program may read")
        }
        return nil
    }

    private static func login(_ line: ServerLine) -> ConnectionDiagnosis? {
        let peer = line.peer
        if line.has("no pg_hba.conf entry") || line.has("pg_hba.conf rejects") {
            let isOpen = line.has("no encryption") || line.has("SSL off")
            return ConnectionDiagnosis(
                .authentication,
                "authentication failed: \(peer) lets user \(line.user) not in \(isOpen ? "without TLS" : "from here")",
                remedy: isOpen
                    ? "set sslmode=verify-full in DATABASE_URL, or correct pg_hba.conf of the server"
                    : "correct the user in DATABASE_URL, or pg_hba.conf of the server")
        }
        if line.has("no password supplied") {
            return ConnectionDiagnosis(
                .authentication, "authentication failed: \(peer) wants a password, and none is set",
                remedy: "give DATABASE_URL one, best in the file that DATABASE_URL_FILE names, or PGPASSFILE")
        }
        if line.has("channel binding required") {
            return ConnectionDiagnosis(
                .authentication, "authentication failed: \(peer) offers no channel binding, which is required",
                remedy: "use scram-sha-256 over TLS at the server, or leave channel_binding out of DATABASE_URL")
        }
        let isAuthentication = line.has("authentication failed") || line.has("is not permitted to log in")
        guard isAuthentication || (line.has("role \"") && line.has("does not exist")) else { return nil }
        return ConnectionDiagnosis(
            .authentication, "authentication failed at \(peer): \(line.said)",
            remedy: "correct user and password in DATABASE_URL (or the file that DATABASE_URL_FILE names)")
    }

    private static func encryption(_ line: ServerLine) -> ConnectionDiagnosis? {
        if line.has("does not support SSL") {
            return ConnectionDiagnosis(
                .encryption, "\(line.peer) speaks no TLS, which sslmode demands",
                remedy: "set ssl=on at the server; sslmode=disable only where nobody can listen")
        }
        if line.has("invalid response to SSL negotiation") || line.has("expected authentication request") {
            return ConnectionDiagnosis(
                .server, "\(line.peer) does not speak PostgreSQL's protocol", remedy: "correct DATABASE_URL")
        }
        if line.has("unsupported protocol") || line.has("alert protocol version") || line.has("no protocols available")
            || line.has("alert handshake failure")
        {
            return ConnectionDiagnosis(
                .encryption, "\(line.peer) and this client share no version of TLS, or no cipher",
                remedy: "see ssl_min_protocol_version and ssl_ciphers of the server, "
                    + "ssl_*_protocol_version of the client")
        }
        return nil
    }

    private static func network(_ line: ServerLine) -> ConnectionDiagnosis? {
        let remedy = "start it, or correct DATABASE_URL (or libpq's PG* variables)"
        if line.has("could not translate host name") {
            // Withheld where it may be a piece of a password that was not percent-encoded.
            let name = line.quoted.first.map { " \($0)" } ?? ""
            let more = name.isEmpty ? "; an @ in a password is written %40" : ""
            return ConnectionDiagnosis(
                .network, "the name\(name) of the database's host cannot be resolved",
                remedy: "correct DATABASE_URL (or libpq's PG* variables)\(more)")
        }
        if line.has("timeout expired") {
            return ConnectionDiagnosis(
                .network, "\(line.peer) does not answer in time",
                remedy: "see whether it is PostgreSQL, is overloaded, or a firewall drops the packets")
        }
        for reason in ["Connection refused", "No such file or directory", "No route to host", "Network is unreachable"]
        where line.has(reason) {
            return ConnectionDiagnosis(.network, "\(line.peer) does not answer: \(reason)", remedy: remedy)
        }
        if line.has("server closed the connection unexpectedly") || line.has("Connection reset by peer") {
            return ConnectionDiagnosis(.network, "\(line.peer) hangs up", remedy: "see the server's log", isVague: true)
        }
        return nil
    }

    private static func server(_ line: ServerLine) -> ConnectionDiagnosis? {
        if line.has("database \""), line.has("does not exist") {
            return ConnectionDiagnosis(
                .server, "\(line.peer) has no such database: \(line.said)",
                remedy: "create it (createdb health_db), or correct DATABASE_URL")
        }
        if line.has("too many clients") || line.has("remaining connection slots") || line.has("too many connections") {
            return ConnectionDiagnosis(
                .server, "\(line.peer) has no connection left: \(line.said)",
                remedy: "raise max_connections, or end other sessions")
        }
        // "server is not in hot standby mode": whoever set that asked for a standby.
        let isStandby = line.has("read-only") || line.has("in recovery") || line.has("hot standby")
        if isStandby, !line.has(" is not ") {
            return ConnectionDiagnosis(
                .server, "\(line.peer) takes no writes: \(line.said)",
                remedy: "name the primary in DATABASE_URL, or all hosts with target_session_attrs=read-write")
        }
        if line.has("starting up") || line.has("shutting down") || line.has("not yet accepting connections") {
            return ConnectionDiagnosis(.server, "\(line.peer): \(line.said)", remedy: "wait", isVague: true)
        }
        return nil
    }
}

/// A line of libpq taken apart: `connection to server at "db", port 5432 failed: FATAL:  ...`.
struct ServerLine {
    /// `db:5432`, the path of a socket, or "the database".
    let peer: String
    /// What happened.
    let body: Substring

    init(_ text: String) {
        var peer = "the database"
        var body = text[...]
        if body.hasPrefix("connection to server"), let end = body.firstRange(of: " failed: ") {
            let head = Self.quoted(body[..<end.lowerBound])
            let port = body[..<end.lowerBound].firstRange(of: ", port ").map {
                body[$0.upperBound..<end.lowerBound].prefix { $0.isNumber }
            }
            // `server at "localhost" (127.0.0.1), port 5432`, `server on socket "/run/.s.PGSQL.5432"`.
            if let host = head.first { peer = host + (port.map { ":\($0)" } ?? "") }
            body = body[end.upperBound...]
        }
        self.peer = peer
        self.body = body
    }

    func has(_ part: String) -> Bool { body.contains(part) }

    /// The server's own words, without `FATAL:`.
    var said: Substring {
        guard let mark = body.firstRange(of: "FATAL:") else { return body }
        return body[mark.upperBound...].drop { $0 == " " }
    }

    /// What stands between quotation marks.
    var quoted: [String] { Self.quoted(body) }

    /// The user that the server names.
    var user: String {
        guard let mark = body.firstRange(of: "user \"") else { return "" }
        return String(body[mark.upperBound...].prefix { $0 != "\"" })
    }

    private static func quoted(_ text: Substring) -> [String] {
        text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }
}
