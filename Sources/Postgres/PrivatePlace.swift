internal import Glibc
internal import Service

/// Where a private server keeps its things, reachable for whoever runs it.
struct PrivatePlace {
    let directory: String
    let socketDirectory: String
    /// What to remove in the end.
    let createdPaths: [String]
    /// Whether a private server was here before; then a failing start must not remove it.
    let hadServer: Bool

    /// The directory asked for, or a temporary one when it is not given or the account cannot work in it.
    static func make(wanted: String?, for account: UserAccount?) throws(PrivateServerError) -> PrivatePlace {
        if let wanted, FileSystem.fileExists(wanted) { try checkIsOurs(wanted) }
        do throws(SystemError) {
            if let wanted, let place = try existing(wanted, for: account) { return place }
            let directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-postgres")
            if let account { try FileSystem.changeOwner(ofTree: directory, to: account) }
            return PrivatePlace(
                directory: directory, socketDirectory: directory, createdPaths: [directory], hadServer: false)
        } catch { throw .system(error.description) }
    }

    /// Removes what is there; what cannot be removed stays, since this runs at the very end.
    static func remove(_ paths: [String]) {
        for path in paths {
            do throws(SystemError) { try FileSystem.removeTree(path) } catch { continue }
        }
    }

    /// All in the directory will belong to the server's user, so nothing else may be in it.
    private static func checkIsOurs(_ directory: String) throws(PrivateServerError) {
        do throws(SystemError) {
            if try FileSystem.entries(of: directory).isEmpty { return }
        } catch { throw .system(error.description) }
        guard FileSystem.fileExists(directory + "/data/PG_VERSION") else {
            throw .system("\(directory) is not empty and holds no private PostgreSQL: name another directory")
        }
    }

    private static func existing(_ wanted: String, for account: UserAccount?) throws(SystemError) -> PrivatePlace? {
        let wasThere = FileSystem.fileExists(wanted)
        try FileSystem.makeDirectory(wanted, mode: 0o700)
        guard let directory = FileSystem.resolved(wanted) else { return nil }
        let hadServer = FileSystem.fileExists(directory + "/data/PG_VERSION")
        // A directory that the caller made stays, emptied.
        let created = wasThere ? ["data", "server.log"].map { directory + "/" + $0 } : [directory]
        if let account {
            try FileSystem.changeOwner(ofTree: directory, to: account)
            var probe = ChildCommand("/bin/sh", ["-c", ": > .probe && rm .probe"])
            probe.account = account
            probe.workingDirectory = directory
            probe.output = .null
            probe.error = .null
            do throws(SystemError) {
                guard try ChildProcess(probe).wait(within: .seconds(10))?.isSuccess == true else {
                    throw SystemError(code: EACCES, operation: "use", subject: directory)
                }
            } catch {
                // A parent directory shuts the account out (for example under /root).
                if !wasThere { try FileSystem.removeTree(directory) }
                return nil
            }
        }
        // sockaddr_un holds 107 characters; the socket is called .s.PGSQL. and up to five digits, then .lock.
        if directory.utf8.count <= 80 {
            return PrivatePlace(
                directory: directory, socketDirectory: directory, createdPaths: created, hadServer: hadServer)
        }
        let socketDirectory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-socket")
        if let account { try FileSystem.changeOwner(ofTree: socketDirectory, to: account) }
        return PrivatePlace(
            directory: directory, socketDirectory: socketDirectory, createdPaths: created + [socketDirectory],
            hadServer: hadServer)
    }
}

/// Free TCP ports of 127.0.0.1.
enum LoopbackPort {
    /// A port that was free a moment ago.
    static func free() throws(PrivateServerError) -> UInt16 {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw .system(SystemError.current("make a socket").description) }
        defer { _ = close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // netinet/in.h: a sockaddr_in is what bind and getsockname take as sockaddr for AF_INET.
        let failed = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                unsafe bind(descriptor, general, length) != 0 || getsockname(descriptor, general, &length) != 0
            }
        }
        if failed { throw .system(SystemError.current("find a free port").description) }
        return UInt16(bigEndian: address.sin_port)
    }
}
