internal import Postgres
internal import Service

/// How the way to the server is protected, for how long, and as whom it is gone.
extension CheckDatabase {
    func checkEncryption(_ connection: borrowing Connection, _ report: CheckReport) {
        let host = connection.host
        let isLocal = host.hasPrefix("/") || ["localhost", "127.0.0.1", "::1"].contains(host)
        guard let encryption = connection.encryption else {
            let text = "none: readings and password can be read and changed on the way"
            if isLocal {
                report.add(.info, "tls", text + ", which is within this machine")
            } else {
                report.add(.warning, "tls", text, remedy: "set sslmode=verify-full and sslrootcert in DATABASE_URL")
            }
            return
        }
        let authority = Connection.keyword("sslrootcert", in: databaseURL)
        switch Connection.keyword("sslmode", in: databaseURL) ?? "prefer" {
        case "verify-full":
            let whom = authority ?? "the authorities of ~/.postgresql/root.crt"
            report.add(.fine, "tls", "\(encryption); certificate and host name are judged by \(whom)")
        case "verify-ca":
            report.add(
                isLocal ? .info : .warning, "tls",
                "\(encryption), but whoever has any certificate of that authority can pose as the server",
                remedy: "set sslmode=verify-full in DATABASE_URL")
        case let mode:
            report.add(
                isLocal ? .info : .warning, "tls", "\(encryption), but sslmode=\(mode) lets anybody pose as the server",
                remedy: "set sslmode=verify-full and sslrootcert in DATABASE_URL")
        }
        if let certificate = connection.serverCertificate {
            CheckCertificate.judge(certificate, "that of \(host)", renewal: "renew it at the server", report)
        }
        if let own = Connection.keyword("sslcert", in: databaseURL) {
            CheckCertificate.judge(
                file: own, isAuthority: false, "that of this client (\(own))",
                renewal: "renew it, and let sslcert of DATABASE_URL name the new one", report)
        }
        if let authority {
            CheckCertificate.judge(
                file: authority, isAuthority: true, "that of the server's authority (\(authority))",
                renewal: "renew it, and let sslrootcert of DATABASE_URL name the new one", report)
        }
    }

    func checkRole(_ connection: inout Connection, _ report: CheckReport) throws(PostgresError) {
        let said = try connection.query(Self.role)
        let name = said.text(0, 0)
        if said.boolean(0, 1) {
            report.add(
                .warning, "role", "\(name) is a superuser: whoever gets its password gets the whole server",
                remedy: "CREATE ROLE vitals LOGIN IN ROLE vitalstream_service, and let serve connect as that one")
        } else if said.boolean(0, 2) {
            report.add(
                .info, "role",
                "\(name) is a member of vitalstream_owner, which may drop every table; with MIGRATE=off a member of "
                    + "vitalstream_service is enough")
        } else if said.boolean(0, 3) {
            report.add(.fine, "role", "\(name), a member of vitalstream_service")
        } else {
            report.add(.info, "role", "\(name), a member of none of the product's roles")
        }
    }

    /// The current role, whether it is a superuser, and of which of the product's roles it is a member.
    private static let role = """
        SELECT current_user, rolsuper,
            EXISTS (SELECT FROM pg_roles AS g WHERE g.rolname = 'vitalstream_owner'
                AND pg_has_role(me.oid, g.oid, 'MEMBER')),
            EXISTS (SELECT FROM pg_roles AS g WHERE g.rolname = 'vitalstream_service'
                AND pg_has_role(me.oid, g.oid, 'MEMBER'))
        FROM pg_roles AS me WHERE me.rolname = current_user
        """
}
