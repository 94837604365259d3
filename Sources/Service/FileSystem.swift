internal import CPosix
internal import Glibc

/// The few things that the programs do with files. Paths are bytes of UTF-8; errors name the path.
public enum FileSystem {
    /// The whole content of a file, pipe or device; refused (EFBIG) when it is longer than `mostBytes`.
    public static func readFile(_ path: String, mostBytes: Int = 64 << 20) throws(SystemError) -> [UInt8] {
        let descriptor = try open(path, CPOSIX_OPEN_READ)
        defer { _ = close(descriptor) }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(descriptor, &piece, piece.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError.current("read", path)
            }
            if count == 0 { return content }
            guard content.count + count <= mostBytes else {
                throw SystemError(code: EFBIG, operation: "read", subject: path)
            }
            content += piece[..<count]
        }
    }

    /// The whole content as text; bytes that are not UTF-8 become U+FFFD.
    public static func readText(_ path: String, mostBytes: Int = 64 << 20) throws(SystemError) -> String {
        String(decoding: try readFile(path, mostBytes: mostBytes), as: UTF8.self)
    }

    /// Writes a file, replacing or (`appending`) continuing what is there. A new one gets `mode` less the umask.
    public static func writeFile(
        _ path: String, _ content: [UInt8], appending: Bool = false, mode: UInt32 = 0o644
    ) throws(SystemError) {
        let descriptor = try open(path, appending ? CPOSIX_OPEN_APPEND : CPOSIX_OPEN_TRUNCATE, mode: mode)
        do throws(SystemError) {
            try write(content, to: descriptor, name: path)
        } catch {
            _ = close(descriptor)
            throw error
        }
        // A full disk may show only here.
        guard close(descriptor) == 0 else { throw SystemError.current("write", path) }
    }

    /// Writes a text; as above.
    public static func writeText(
        _ path: String, _ text: String, appending: Bool = false, mode: UInt32 = 0o644
    ) throws(SystemError) {
        try writeFile(path, Array(text.utf8), appending: appending, mode: mode)
    }

    /// Makes a directory and those above it that are missing. One that is there already is fine.
    public static func makeDirectory(_ path: String, mode: UInt32 = 0o755) throws(SystemError) {
        if unsafe mkdir(path, mode) == 0 || isDirectory(path) { return }
        let code = errno
        guard code == ENOENT, let parent = parentDirectory(of: path) else {
            throw SystemError(code: code, operation: "make the directory", subject: path)
        }
        try makeDirectory(parent, mode: mode)
        // Another process may have been quicker.
        guard unsafe mkdir(path, mode) == 0 || isDirectory(path) else {
            throw SystemError.current("make the directory", path)
        }
    }

    /// Makes an empty directory with a name of its own, readable by its owner only, in `TMPDIR` or /tmp.
    public static func makeTemporaryDirectory(prefix: String) throws(SystemError) -> String {
        let parent = HostProcess.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = (parent + "/" + prefix + "-XXXXXX").utf8CString.map { $0 }
        guard unsafe mkdtemp(&template) != nil else {
            throw SystemError.current("make a directory in", parent)
        }
        return String(decoding: template.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Removes a file, or a directory with all below it; follows no symbolic link. What is not there is fine.
    public static func removeTree(_ path: String) throws(SystemError) {
        guard unsafe cposix_remove_tree(path) == 0 || errno == ENOENT else {
            throw SystemError.current("remove", path)
        }
    }

    /// Gives a path and all below it to a user. Only root may.
    public static func changeOwner(ofTree path: String, to account: UserAccount) throws(SystemError) {
        let owner = cposix_account(user: account.user, group: account.group)
        guard unsafe cposix_change_owner_tree(path, owner) == 0 else {
            throw SystemError.current("change the owner of", path)
        }
    }

    /// Renames within a file system; replaces a file that is there in one step.
    public static func rename(_ path: String, to newPath: String) throws(SystemError) {
        guard unsafe Glibc.rename(path, newPath) == 0 else { throw SystemError.current("rename", path) }
    }

    /// Whether something is there, links followed.
    public static func fileExists(_ path: String) -> Bool { kind(of: path) != nil }

    /// Whether it is a directory, links followed.
    public static func isDirectory(_ path: String) -> Bool { kind(of: path) == 2 }

    /// Size of a file in bytes, nil when it is not there.
    public static func size(of path: String) -> Int64? {
        var size: Int64 = 0
        var kind: Int32 = 0
        return unsafe cposix_status(path, &size, &kind) == 0 ? size : nil
    }

    /// Whether it is a file that we may run.
    public static func isExecutable(_ path: String) -> Bool {
        unsafe kind(of: path) == 1 && access(path, X_OK) == 0
    }

    /// Names in a directory, sorted, without `.` and `..`.
    public static func entries(of directory: String) throws(SystemError) -> [String] {
        guard let stream = unsafe opendir(directory) else { throw SystemError.current("read", directory) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            // d_name is terminated and lies within the entry, which is valid until the next readdir.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe String(cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The path without links and dots; nil when it is not there.
    public static func resolved(_ path: String) -> String? {
        guard let text = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }

    /// The directory this process is in.
    public static var currentDirectory: String { resolved(".") ?? "/" }

    /// The first program of that name in `PATH`, nil when there is none.
    public static func findExecutable(_ name: String) -> String? {
        let path = HostProcess.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        for directory in path.split(separator: ":") where isExecutable("\(directory)/\(name)") {
            return "\(directory)/\(name)"
        }
        return nil
    }

    /// Opens close-on-exec in one of CPosix's manners.
    static func open(_ path: String, _ manner: Int, mode: UInt32 = 0o644) throws(SystemError) -> Int32 {
        let descriptor = unsafe cposix_open(path, Int32(manner), mode)
        guard descriptor >= 0 else { throw SystemError.current("open", path) }
        return descriptor
    }

    static func write(_ content: [UInt8], to descriptor: Int32, name: String) throws(SystemError) {
        var start = 0
        while start < content.count {
            let count = unsafe content.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress.map { unsafe $0 + start }, bytes.count - start)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError.current("write", name)
            }
            start += count
        }
    }

    private static func kind(of path: String) -> Int32? {
        var size: Int64 = 0
        var kind: Int32 = 0
        return unsafe cposix_status(path, &size, &kind) == 0 ? kind : nil
    }

    private static func parentDirectory(of path: String) -> String? {
        var trimmed = path[...]
        while trimmed.count > 1, trimmed.last == "/" { trimmed = trimmed.dropLast() }
        guard let slash = trimmed.lastIndex(of: "/"), slash > trimmed.startIndex else { return nil }
        return String(trimmed[..<slash])
    }
}
