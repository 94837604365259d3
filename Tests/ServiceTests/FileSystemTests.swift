import Glibc
import Service
import Testing

@Suite struct FileSystemTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "files")
        defer { #expect(throws: Never.self) { try FileSystem.removeTree(directory) } }
        try body(directory)
    }

    @Test func `what is written is read again`() throws {
        try withDirectory { directory in
            let path = directory + "/a/b/c.txt"
            try FileSystem.makeDirectory(directory + "/a/b/")
            try FileSystem.makeDirectory(directory + "/a/b")
            try FileSystem.writeText(path, "one\n")
            try FileSystem.writeText(path, "two\n", appending: true)
            #expect(try FileSystem.readText(path) == "one\ntwo\n")
            try FileSystem.writeText(path, "three")
            #expect(try FileSystem.readText(path) == "three")
            #expect(FileSystem.size(of: path) == 5)
            try FileSystem.rename(path, to: directory + "/d")
            #expect(try FileSystem.entries(of: directory) == ["a", "d"])
            #expect(!FileSystem.fileExists(path))
            #expect(FileSystem.isDirectory(directory + "/a") && !FileSystem.isDirectory(directory + "/d"))
        }
    }

    @Test func `a file larger than allowed is refused`() throws {
        try withDirectory { directory in
            try FileSystem.writeFile(directory + "/big", [UInt8](repeating: 1, count: 100_000))
            #expect(throws: SystemError(code: EFBIG, operation: "read", subject: directory + "/big")) {
                try FileSystem.readFile(directory + "/big", mostBytes: 99_999)
            }
            #expect(try FileSystem.readFile(directory + "/big", mostBytes: 100_000).count == 100_000)
        }
    }

    @Test func `removing a tree follows no link out of it`() throws {
        try withDirectory { directory in
            try FileSystem.makeDirectory(directory + "/tree/deep")
            try FileSystem.writeText(directory + "/kept", "x")
            #expect(symlink(directory + "/kept", directory + "/tree/deep/link") == 0)
            #expect(symlink(directory, directory + "/tree/up") == 0)
            try FileSystem.removeTree(directory + "/tree")
            #expect(try FileSystem.entries(of: directory) == ["kept"])
            try FileSystem.removeTree(directory + "/tree")
        }
    }

    @Test func `errors name what was tried on what`() {
        let error = #expect(throws: SystemError.self) { try FileSystem.readFile("/no/such/file") }
        #expect(error?.description == "cannot open /no/such/file: No such file or directory")
        #expect(throws: SystemError.self) { try FileSystem.makeDirectory("/proc/none/here") }
        #expect(throws: SystemError.self) { try FileSystem.entries(of: "/no/such/directory") }
    }

    @Test func `programs and paths are found`() throws {
        #expect(FileSystem.findExecutable("sh")?.hasSuffix("/sh") == true)
        #expect(FileSystem.findExecutable("no-such-program-here") == nil)
        #expect(!FileSystem.isExecutable("/etc/passwd") && !FileSystem.isExecutable("/"))
        #expect(FileSystem.resolved("/usr/../usr/./bin") != nil)
        #expect(FileSystem.currentDirectory.hasPrefix("/"))
        #expect(HostProcess.executablePath?.isEmpty == false)
        #expect(HostProcess.processorCount >= 1)
        #expect(HostProcess.environment["PATH"]?.isEmpty == false)
    }

    @Test(.enabled(if: HostProcess.isRoot))
    func `root may give a tree away`() throws {
        let nobody = try #require(UserAccount.named("nobody"))
        try withDirectory { directory in
            try FileSystem.makeDirectory(directory + "/t/u")
            try FileSystem.writeText(directory + "/t/u/f", "x")
            try FileSystem.changeOwner(ofTree: directory + "/t", to: nobody)
            var status = stat()
            #expect(stat(directory + "/t/u/f", &status) == 0)
            #expect(status.st_uid == nobody.user && status.st_gid == nobody.group)
        }
    }
}
