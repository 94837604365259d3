internal import Postgres
internal import Service

/// The private PostgreSQL of a run, with the settings of docker-compose.yml.
final class BenchDatabase {
    let server: PrivateServer
    let settings: [(String, String)]
    private var names = 0

    /// - Parameter composeFile: where PostgreSQL's settings stand.
    init(composeFile: String) throws {
        settings = try Self.settings(in: FileSystem.readText(composeFile))
        guard !settings.isEmpty else { throw BenchError("\(composeFile) names no setting of PostgreSQL") }
        server = try PrivateServer(
            listening: .loopback(port: nil), settings: settings + [("dynamic_shared_memory_type", "mmap")])
    }

    /// The lines `- name=value` after `- -c` of a compose file's command.
    static func settings(in compose: String) -> [(String, String)] {
        var found: [(String, String)] = []
        var follows = false
        for line in compose.split(separator: "\n") {
            let text = line.drop { $0 == " " }
            if text.hasPrefix("#") { continue }
            if follows, text.hasPrefix("- "), let sign = text.firstIndex(of: "=") {
                found.append(
                    (String(text[text.index(text.startIndex, offsetBy: 2)..<sign]), String(text[sign...].dropFirst())))
            }
            follows = text == "- -c"
        }
        return found
    }

    /// A new empty database.
    func create() throws -> String {
        names += 1
        let name = "bench_\(names)"
        try server.createDatabase(name)
        current = name
        return name
    }

    private(set) var current = "postgres"

    /// URI for the service and for raw COPY alike: TCP on the loopback address, no encryption.
    var url: String { server.loopbackURL(database: current) + "?sslmode=disable&gssencmode=disable" }

    /// Opens the current database.
    func connect(_ name: String) throws(PostgresError) -> Connection {
        try Connection.open(url, applicationName: name)
    }

    /// Drops the current database.
    func drop() throws {
        guard current != "postgres" else { return }
        let name = current
        current = "postgres"
        var connection = try connect("bench")
        try connection.execute("DROP DATABASE \(name) WITH (FORCE)")
    }

    /// Its version, as it says.
    func version() throws -> String {
        var connection = try connect("bench")
        return try connection.query("SHOW server_version").text(0, 0)
    }

    /// Ends and removes it.
    func remove() {
        server.remove()
    }
}
