internal import Glibc

extension FileSystem {
    /// The room on a disk, in bytes.
    public struct Space: Sendable {
        /// What users other than root may still take.
        public let freeBytes: Int64
        /// All of it.
        public let totalBytes: Int64

        /// So many bytes of so many.
        public init(freeBytes: Int64, totalBytes: Int64) {
            self.freeBytes = freeBytes
            self.totalBytes = totalBytes
        }
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

extension FileSystem.Space {
    /// Whether a database can go on writing there for a while.
    public enum Verdict: Hashable, Sendable {
        /// Enough.
        case ample
        /// Somebody should make room soon.
        case scarce
        /// It may be full any minute.
        case almostFull
    }

    /// Free share in whole percent, rounded down.
    public var freePercent: Int64 { totalBytes > 0 ? Int64(Double(freeBytes) / Double(totalBytes) * 100) : 0 }

    /// Scarce below 10 % and 50 GiB, almost full below 2 % and 5 GiB, or below 512 MiB whatever the share: a large disk
    /// has room at 5 %, a small one has not. Nil where the size is not told (a file system without blocks).
    public var verdict: Verdict? {
        guard totalBytes > 0 else { return nil }
        let gibibyte: Int64 = 1 << 30
        if freeBytes < gibibyte / 2 || (freePercent < 2 && freeBytes < 5 * gibibyte) { return .almostFull }
        return freePercent < 10 && freeBytes < 50 * gibibyte ? .scarce : .ample
    }
}
