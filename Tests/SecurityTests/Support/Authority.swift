import Service
import TestSupport

/// A certificate and its key, in files.
struct KeyPair {
    let certificate: String
    let key: String
    /// Both, as Kafka wants them.
    let both: String
}

/// An authority of our own that signs certificates, by the program openssl. One thread at a time.
struct Authority {
    private let directory: String
    private let name: String

    /// Where its own certificate is.
    var file: String { "\(directory)/\(name).pem" }

    init(_ name: String, in directory: String) throws {
        self.directory = directory
        self.name = name
        try Self.makeKey("\(directory)/\(name).key")
        try Self.openssl([
            "req", "-x509", "-new", "-key", "\(directory)/\(name).key", "-days", "90", "-subj", "/CN=\(name)",
            "-out", file,
        ])
    }

    /// Signs a certificate.
    /// - Parameters:
    ///   - days: how long it holds from now on; negative: it has expired.
    ///   - names: as openssl wants them, such as `DNS:db.test,IP:127.0.0.1`.
    func sign(_ subject: String, days: Int = 90, names: String = "DNS:nobody.test") throws -> KeyPair {
        let place = "\(directory)/\(name)-\(subject)"
        try Self.makeKey(place + ".key")
        try Self.openssl(["req", "-new", "-key", place + ".key", "-subj", "/CN=\(subject)", "-out", place + ".csr"])
        try FileSystem.writeText(place + ".ext", "basicConstraints=CA:FALSE\nsubjectAltName=\(names)\n")
        try Self.openssl([
            "x509", "-req", "-in", place + ".csr", "-CA", file, "-CAkey", "\(directory)/\(name).key",
            "-CAcreateserial", "-days", "\(days)", "-extfile", place + ".ext", "-out", place + ".pem",
        ])
        let both = try FileSystem.readText(place + ".key") + FileSystem.readText(place + ".pem")
        try FileSystem.writeText(place + "-both.pem", both)
        return KeyPair(certificate: place + ".pem", key: place + ".key", both: place + "-both.pem")
    }

    private static func makeKey(_ path: String) throws {
        try openssl(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path])
    }

    private static func openssl(_ arguments: [String]) throws {
        let run = try ChildProcess.run("openssl", arguments, within: .seconds(30))
        guard run.status?.isSuccess == true else { throw TestFailure("openssl \(arguments[0]): \(run.output)") }
    }
}
