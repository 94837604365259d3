import Glibc
import Service
import Testing

@Suite struct ChildProcessTests {
    private func shell(_ script: String) -> ChildCommand {
        var command = ChildCommand("/bin/sh", ["-c", script])
        command.output = .pipe
        return command
    }

    @Test(arguments: [("exit 0", ChildStatus.exited(0)), ("exit 7", .exited(7)), ("kill -9 $$", .killed(signal: 9))])
    func `the end of a process is told`(script: String, status: ChildStatus) throws {
        let child = try ChildProcess(shell(script))
        #expect(child.wait(within: .seconds(30)) == status)
        #expect(child.exitStatus == status)
        #expect(!child.signal(SIGTERM), "nobody is there any more")
    }

    @Test func `a running process is waited for at most so long, then stopped`() throws {
        let child = try ChildProcess(shell("echo ready; exec cat /dev/zero >/dev/null"))
        #expect(child.waitForLine(containing: "ready", within: .seconds(30)) == "ready")
        #expect(child.wait(within: .milliseconds(5)) == nil)
        #expect(child.stop(within: .seconds(30)) == .killed(signal: SIGTERM))
    }

    @Test func `a process that does not listen is killed`() throws {
        let child = try ChildProcess(shell("trap '' TERM; echo ready; while :; do read x; done"))
        #expect(child.waitForLine(containing: "ready", within: .seconds(30)) != nil)
        // Its standard input is empty, so the loop turns and turns until it is killed.
        #expect(child.stop(within: .milliseconds(50)) == .killed(signal: SIGKILL))
    }

    @Test func `lines are found one after the other, also the last without a line feed`() throws {
        let child = try ChildProcess(shell("echo one; echo two; echo two more; printf three"))
        #expect(child.waitForLine(containing: "two", within: .seconds(30)) == "two")
        #expect(child.waitForLine(containing: "two", within: .seconds(30)) == "two more")
        #expect(child.waitForLine(containing: "one", within: .seconds(30)) == nil, "it stands before; the output ends")
        #expect(child.output?.lines == ["one", "two", "two more", "three"])
        #expect(child.output?.hasEnded == true)
    }

    @Test func `output is bounded and never blocks the child`() throws {
        let child = try ChildProcess(shell("i=0; while [ $i -lt 20000 ]; do echo line $i of many; i=$((i+1)); done"))
        #expect(child.wait(within: .seconds(60)) == .exited(0))
        #expect(child.output?.waitForEnd(within: .seconds(30)) == true)
        let text = child.output?.text ?? ""
        #expect(text.utf8.count <= ChildOutput.mostBytes)
        #expect(text.hasSuffix("line 19999 of many\n"))
    }

    @Test func `input, directory and environment are the child's own`() throws {
        var command = shell("read x; echo \"$x $(pwd) $WORD ${HOME-unset}\"")
        command.input = .pipe
        command.workingDirectory = "/usr"
        command.environment = ["WORD": "here", "PATH": "/usr/bin:/bin"]
        let child = try ChildProcess(command)
        try child.write("hello\n")
        child.closeInput()
        #expect(child.waitForLine(containing: "hello", within: .seconds(30)) == "hello /usr here unset")
        #expect(child.wait(within: .seconds(30)) == .exited(0))
    }

    @Test func `both outputs go where they are told`() throws {
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "child")
        defer { #expect(throws: Never.self) { try FileSystem.removeTree(directory) } }
        var command = shell("echo out; echo err >&2")
        command.error = .sameAsOutput
        let mixed = try ChildProcess(command)
        #expect(mixed.output?.waitForEnd(within: .seconds(30)) == true)
        #expect(mixed.output?.lines == ["out", "err"])
        command.error = .pipe
        let parted = try ChildProcess(command)
        #expect(parted.errorOutput?.waitForEnd(within: .seconds(30)) == true)
        #expect(parted.errorOutput?.lines == ["err"])
        command.output = .null
        command.error = .file(directory + "/err", appending: true)
        for _ in 0..<2 { #expect(try ChildProcess(command).wait(within: .seconds(30)) == .exited(0)) }
        #expect(try FileSystem.readText(directory + "/err") == "err\nerr\n")
    }

    @Test func `a child has only its three descriptors, no blocked signal, and the usual SIGPIPE`() throws {
        let event = try WakeEvent()
        let (status, text) = try ChildProcess.run(
            "/bin/sh", ["-c", "ls /proc/self/fd | wc -l; grep -E 'SigBlk|SigIgn' /proc/self/status"],
            within: .seconds(30))
        #expect(status == .exited(0))
        let lines = text.split(separator: "\n")
        // The three, and the directory that ls itself reads.
        #expect(lines.first == "4", "event \(event.descriptor) was not inherited")
        // Bits of signals 1 to 31. The 32nd is glibc's own, which posix_spawn leaves ignored behind itself.
        let masks = lines.dropFirst().compactMap { UInt64($0.suffix(16), radix: 16) }
        #expect(masks.map { $0 & 0x7FFF_FFFF } == [0, 0], "\(text)")
    }

    @Test func `what cannot be started says why`() {
        #expect(throws: SystemError(code: ENOENT, operation: "run", subject: "/no/such/program")) {
            try ChildProcess(ChildCommand("/no/such/program"))
        }
        #expect(throws: SystemError(code: ENOENT, operation: "run", subject: "no-such-program-here")) {
            try ChildProcess(ChildCommand("no-such-program-here"))
        }
        var command = ChildCommand("/bin/true")
        command.workingDirectory = "/no/such/directory"
        let error = #expect(throws: SystemError.self) { try ChildProcess(command) }
        #expect(error?.description == "cannot enter /no/such/directory to run /bin/true: No such file or directory")
        #expect(throws: SystemError.self) { try ChildProcess(ChildCommand("/bin/echo", ["a\0b"])) }
    }

    @Test(.enabled(if: HostProcess.isRoot))
    func `root may start a process as another user, without root's groups`() throws {
        let nobody = try #require(UserAccount.named("nobody"))
        let (status, text) = try ChildProcess.run("/usr/bin/id", ["-u"], account: nobody, within: .seconds(30))
        #expect(status == .exited(0))
        #expect(text == "\(nobody.user)\n")
        let groups = try ChildProcess.run("/usr/bin/id", ["-G"], account: nobody, within: .seconds(30)).output
        #expect(!groups.split(whereSeparator: { $0 == " " || $0 == "\n" }).contains("0"))
        #expect(UserAccount.named("no-such-user-here") == nil)
    }

    @Test func `a process group is killed as a whole`() throws {
        var command = shell("cat /dev/zero >/dev/null & echo started; wait")
        command.ownProcessGroup = true
        let child = try ChildProcess(command)
        #expect(child.waitForLine(containing: "started", within: .seconds(30)) != nil)
        #expect(child.signal(SIGKILL, wholeGroup: true))
        #expect(child.wait(within: .seconds(30)) == .killed(signal: SIGKILL))
        // The pipe ends only when the grandchild is gone too.
        #expect(child.output?.waitForEnd(within: .seconds(30)) == true)
    }

    @Test func `dropping the last reference kills the process`() throws {
        var child: ChildProcess? = try ChildProcess(shell("echo ready; exec cat /dev/zero >/dev/null"))
        let output = try #require(child?.output)
        #expect(output.waitForLine(containing: "ready", within: .seconds(30)) != nil)
        let pid = try #require(child?.pid)
        child = nil
        #expect(output.waitForEnd(within: .seconds(30)))
        // Reaped by its helper thread; until then it is a zombie that still answers.
        let gone = Locked(false)
        while kill(pid, 0) == 0 { _ = gone.wait(until: .after(.milliseconds(1)), while: { !$0 }) }
        #expect(errno == ESRCH)
    }

    @Test func `a child dies with the thread that started it`() throws {
        let started = Locked<ChildProcess?>(nil)
        let thread = try ServiceThread(name: "parent") {
            var command = ChildCommand("/bin/sh", ["-c", "exec cat /dev/zero >/dev/null"])
            command.diesWithParent = true
            do throws(SystemError) {
                let child = try ChildProcess(command)
                started.withLock { $0 = child }
            } catch {
                Issue.record("\(error)")
            }
        }
        #expect(thread.join(within: .seconds(30)))
        let child = try #require(started.withLock { $0 })
        #expect(child.wait(within: .seconds(30)) == .killed(signal: SIGKILL))
    }
}
