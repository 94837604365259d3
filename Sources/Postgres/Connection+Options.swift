internal import CLibPQ
internal import Glibc

extension Connection {
    /// Keywords in the order libpq reads them: our defaults, the URL (which beats them), what must hold.
    ///
    /// A default is left out when libpq's own variable for it is set, which a keyword would beat.
    static func options(
        databaseURL: String, applicationName: String, extra: [(String, String)]
    ) -> [(String, String)] {
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
            for unsafepointer in unsafe keywords + values { unsafe free(UnsafeMutableRawPointer(mutating: pointer)) }
        }
        return unsafe body(keywords, values)
    }
}
