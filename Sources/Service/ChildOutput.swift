internal import Glibc

/// What a child process writes into a pipe: collected by a thread of its own, so that the child never blocks on us.
///
/// The last 256 KiB are kept. Any thread may ask.
public final class ChildOutput: Sendable {
    /// Bytes kept; older lines are forgotten.
    public static let mostBytes = 256 * 1_024

    fileprivate struct State {
        var lines: [String] = []
        var bytes = 0
        /// Lines before this one were searched by `waitForLine`.
        var searched = 0
        var unfinished: [UInt8] = []
        var hasEnded = false
    }

    private let state = Locked(State())

    /// Starts the reader; takes the descriptor over unless it throws.
    func collect(from descriptor: Int32) throws(SystemError) {
        let state = self.state
        _ = try ServiceThread(name: "child-output") {
            var buffer = [UInt8](repeating: 0, count: 16_384)
            while true {
                let count = unsafe read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                state.withLock { $0.append(buffer[..<count]) }
                state.signal()
            }
            _ = close(descriptor)
            state.withLock { $0.finish() }
            state.signal()
        }
    }

    /// The lines so far, without their line feeds; an unfinished one is left out until the output ends.
    public var lines: [String] { state.withLock { $0.lines } }

    /// The text so far, its unfinished line included.
    public var text: String {
        state.withLock { state in
            let end = String(decoding: state.unfinished, as: UTF8.self)
            return state.lines.map { $0 + "\n" }.joined() + end
        }
    }

    /// Whether every writer has closed its end.
    public var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// Waits until every writer has closed its end. False when `limit` came first.
    public func waitForEnd(within limit: Duration) -> Bool {
        state.wait(until: .after(limit), while: { !$0.hasEnded })
    }

    /// Waits for a line that contains `text`, beginning after the last line found so. Nil when `limit` or the end of
    /// the output came first.
    public func waitForLine(containing text: String, within limit: Duration) -> String? {
        var found: String?
        _ = state.wait(until: .after(limit)) { state in
            while state.searched < state.lines.count {
                let line = state.lines[state.searched]
                state.searched += 1
                if line.contains(text) {
                    found = line
                    return false
                }
            }
            return !state.hasEnded
        }
        return found
    }
}

extension ChildOutput.State {
    fileprivate mutating func append(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                take()
            } else {
                unfinished.append(byte)
                if unfinished.count >= ChildOutput.mostBytes / 4 { take() }
            }
        }
        guard self.bytes > ChildOutput.mostBytes else { return }
        var drop = 0
        while self.bytes > ChildOutput.mostBytes, drop < lines.count {
            self.bytes -= lines[drop].utf8.count + 1
            drop += 1
        }
        lines.removeFirst(drop)
        searched = max(0, searched - drop)
    }

    fileprivate mutating func finish() {
        if !unfinished.isEmpty { take() }
        hasEnded = true
    }

    private mutating func take() {
        let line = String(decoding: unfinished, as: UTF8.self)
        unfinished.removeAll(keepingCapacity: true)
        lines.append(line)
        bytes += line.utf8.count + 1
    }
}
