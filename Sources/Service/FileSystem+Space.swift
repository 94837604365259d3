internal import Glibc

extension FileSystem {
    /// The room on a disk, in bytes.
    public struct Space: Sendable {
        /// What users other than root may still take.
        public let freeBytes: Int64
        /// All of it.
        public let totalBytes: Int64
    }

    /// The room on the disk that holds a path; nil when the path is not there or may not be entered.
    public static func space(at path: String) -> Space? {
        var state = statvfs()
        // The function, which has the structure's name.
        guard unsafe statvfs(path, &state) == 0 else { return nil }
        let unit = Int64(clamping: state.f_frsize)
        return Space(
            freeBytes: Int64(clamping: state.f_bavail) * unit, totalBytes: Int64(clamping: state.f_blocks) * unit)
    }
}
