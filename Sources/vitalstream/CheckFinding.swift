internal import API
internal import Service

/// One line of `check`: a verdict, what was found, what to do.
struct CheckFinding: Sendable {
    /// How bad it is.
    enum Verdict: String, Sendable {
        /// As it should be.
        case fine = "ok"
        /// Worth knowing; nothing to do.
        case info = "info"
        /// Works, but not as well as it could.
        case warning = "warn"
        /// Does not work.
        case failure = "FAIL"
    }

    let verdict: Verdict
    /// What was looked at, in a word: `broker`.
    let subject: String
    /// What was found, without a full stop.
    let text: String
    /// What to do; nil when there is nothing to do.
    let remedy: String?

    /// The whole line, control characters escaped.
    var line: String {
        let head = "\(pad(verdict.rawValue, 4))  \(pad(subject, 11))  \(text)"
        let line = remedy.map { "\(head) -> \($0)" } ?? head
        return String(decoding: TextEscape.plain(line), as: UTF8.self)
    }

    /// The members that `check --json` promises; docs/security.md lists them.
    func write(_ writer: inout JSONWriter, side: String) {
        writer.member("verdict", verdict == .failure ? "fail" : verdict.rawValue)
        writer.member("side", side)
        writer.member("check", subject)
        writer.member("text", text)
        writer.member("remedy", remedy ?? "")
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

/// The findings of one group of probes, which fill it on a thread of their own while `check` waits with a deadline.
final class CheckReport: Sendable {
    private struct State {
        var findings: [CheckFinding] = []
        var isDone = false
    }

    private let state = Locked(State())

    /// Notes a finding.
    func add(_ verdict: CheckFinding.Verdict, _ subject: String, _ text: String, remedy: String? = nil) {
        state.withLock {
            $0.findings.append(CheckFinding(verdict: verdict, subject: subject, text: text, remedy: remedy))
        }
    }

    /// Says that nothing more will come.
    func finish() {
        state.withLock { $0.isDone = true }
        state.signal()
    }

    /// What was found by the deadline, and whether that is all.
    func wait(until deadline: Deadline) -> (findings: [CheckFinding], isComplete: Bool) {
        let isComplete = state.wait(until: deadline) { !$0.isDone }
        return (state.withLock { $0.findings }, isComplete)
    }
}
