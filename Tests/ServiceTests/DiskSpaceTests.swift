import Service
import Testing

@Suite struct DiskSpaceTests {
    // Free and total in MiB.
    @Test(
        arguments: [
            (60_000, 100_000, FileSystem.Space.Verdict.ample),
            // 5 % of 2 TiB are 100 GiB.
            (104_858, 2_097_152, .ample),
            // 9 % of 100 GiB.
            (9_216, 102_400, .scarce),
            // 1 % of 100 GiB.
            (1_024, 102_400, .almostFull),
            // Half of 800 MiB.
            (400, 800, .almostFull),
            (0, 102_400, .almostFull),
        ] as [(Int64, Int64, FileSystem.Space.Verdict)])
    func `room is judged by share and by size`(free: Int64, total: Int64, verdict: FileSystem.Space.Verdict) {
        #expect(FileSystem.Space(freeBytes: free << 20, totalBytes: total << 20).verdict == verdict)
    }

    @Test func `a file system without blocks has no verdict, a path that is not there no room`() throws {
        #expect(FileSystem.space(at: "/proc")?.verdict == nil)
        #expect(FileSystem.space(at: "/no/such/path") == nil)
        let root = try #require(FileSystem.space(at: "/"))
        #expect(root.totalBytes > 0 && (0...100).contains(root.freePercent))
    }
}
