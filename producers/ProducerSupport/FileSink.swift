internal import CZlib
internal import Glibc
package import Service  // its initialiser throws a SystemError

/// A file as the sink of messages: one a line, gzip if the name ends in `.gz`.
package struct FileSink: ~Copyable, MessageSink {
    private let path: String
    private let file: gzFile
    private var pause = PollSet(capacity: 1)
    private var taken = 0
    private var cause: String?
    /// Messages that the system has taken.
    package private(set) var delivered = 0

    /// Makes the file, or empties the one that is there; `-` is standard output.
    package init(path: String) throws(SystemError) {
        // "T": as it is, without compression (zlib.h); "1": quick rather than small; "e" closes the file in child
        // processes.
        let opened = path == "-" ? gzdopen(dup(1), "wbT") : gzopen(path, path.hasSuffix(".gz") ? "wb1e" : "wbTe")
        guard let opened else { throw SystemError.current("write", path) }
        gzbuffer(opened, 1 << 17)
        file = opened
        self.path = path
    }

    deinit {
        gzclose(file)
    }

    package var failed: Int { cause == nil ? 0 : taken - delivered }

    package var obstacle: String? { cause }

    package mutating func offer(key: UnsafeRawBufferPointer?, payload: UnsafeRawBufferPointer) -> SinkAnswer {
        if let cause { return .refused(cause) }
        let isWritten = gzwrite(file, payload.baseAddress, UInt32(payload.count)) == Int32(payload.count)
        guard isWritten, gzputc(file, 10) == 10 else {
            noteFailure()
            return .refused(cause ?? "")
        }
        taken += 1
        return .taken
    }

    /// Waits, and lets a reader see what was written before.
    package mutating func poll(timeoutMilliseconds: Int32) {
        guard timeoutMilliseconds > 0 else { return }
        write(Z_SYNC_FLUSH)
        _ = pause.wait(timeoutMilliseconds: timeoutMilliseconds)
    }

    /// Ends the file; nothing waits afterwards, since what could not be written never will be.
    package mutating func flush(withinMilliseconds: Int32) -> Int {
        write(Z_FINISH)
        return 0
    }

    private mutating func write(_ mode: Int32) {
        guard cause == nil, delivered < taken else { return }
        if gzflush(file, mode) == Z_OK { delivered = taken } else { noteFailure() }
    }

    private mutating func noteFailure() {
        var code: Int32 = Z_OK
        let text = gzerror(file, &code).map { String(cString: $0) } ?? "zlib error \(code)"
        cause = "cannot write \(path): \(text)"
    }
}
