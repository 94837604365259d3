internal import CLibPQ
internal import Glibc

extension Connection {
    /// Keywords in the order libpq reads them: our defaults, the URL (which beats them), what must hold.
    ///
    /// A default is left out when libpq's own variable for it is set, which a keyword would beat.
    ///
    /// - Throws: `.protocolMisuse` (no use to try again) when libpq does not understand the URL; what it quotes of it
    ///   may be a password and is withheld.
    static func options(
        databaseURL: String, applicationName: String, extra: [(String, String)]
    ) throws(PostgresError) -> [(String, String)] {
        if databaseURL.contains("=") || databaseURL.contains("://") {
            var reason: UnsafeMutablePointer<CChar>?
            let parsed = unsafe PQconninfoParse(databaseURL, &reason)
            let text = if let reason = unsafe reason { unsafe String(cString: reason) } else { "" }
            // libpq-fe.h: both are ours to free, and both calls take NULL.
            unsafe PQfreemem(reason)
            unsafe PQconninfoFree(parsed)
            if unsafe parsed == nil {
                let why = withoutQuotes(firstLine(text, otherwise: "no reason given"))
                throw PostgresError(.protocolMisuse, "the database URL is neither a URI nor keywords of libpq: \(why)")
            }
        }
        var options: [(String, String)] = []
        let defaults: [(keyword: String, variable: String?, value: String)] = [
            ("target_session_attrs", "PGTARGETSESSIONATTRS", "read-write"),
            ("connect_timeout", "PGCONNECT_TIMEOUT", "5"),
            ("fallback_application_name", nil, applicationName),
            ("keepalives", nil, "1"),
            ("keepalives_idle", nil, "5"),
            ("keepalives_interval", nil, "2"),
            ("keepalives_count", nil, "3"),
            ("tcp_user_timeout", nil, "10000"),
        ]
        for entry in defaults {
            if let variable = entry.variable, unsafe getenv(variable) != nil { continue }
            options.append((entry.keyword, entry.value))
        }
        if !databaseURL.isEmpty { options.append(("dbname", databaseURL)) }
        options += extra
        // All texts are decoded as UTF-8 here, whatever the user's locale.
        options.append(("client_encoding", "UTF8"))
        return options
    }

    /// Lends NULL-terminated arrays of keywords and values; libpq copies what it keeps.
    static func withCStrings<Result>(
        _ options: [(String, String)],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        var keywords: [UnsafePointer<CChar>?] = unsafe []
        var values: [UnsafePointer<CChar>?] = unsafe []
        for (keyword, value) in options {
            unsafe keywords.append(UnsafePointer(strdup(keyword)))
            unsafe values.append(UnsafePointer(strdup(value)))
        }
        unsafe keywords.append(nil)
        unsafe values.append(nil)
        defer {
            for index in 0...options.count {
                unsafe free(UnsafeMutableRawPointer(mutating: keywords[index]))
                unsafe free(UnsafeMutableRawPointer(mutating: values[index]))
            }
        }
        return unsafe body(keywords, values)
    }
}
