internal import Glibc

/// The terminal, or whatever stands in its place: results on standard output, errors on standard error.
public enum Console {
    /// Writes the text as it is. A reader that is gone (`| head`) is no error.
    public static func write(_ text: String) { send(text, to: 1) }

    /// Writes a line.
    public static func writeLine(_ line: String = "") { send(line + "\n", to: 1) }

    /// Writes a line to standard error: how a command says in one line what went wrong. Line feeds and other control
    /// characters within are escaped.
    public static func writeError(_ line: String) {
        send(String(decoding: TextEscape.plain(line), as: UTF8.self) + "\n", to: 2)
    }

    /// Whether standard output is a terminal, on which a table may be drawn again.
    public static var isTerminal: Bool { isatty(1) == 1 }

    /// Asks a yes-or-no question on standard error. No without a terminal to ask at, and for all but `y` and `yes`.
    public static func confirm(_ question: String) -> Bool {
        guard isatty(0) == 1 else { return false }
        send(question + " [y/N] ", to: 2)
        let answer = readLine()?.lowercased()
        return answer == "y" || answer == "yes"
    }

    private static func send(_ text: String, to descriptor: Int32) {
        do throws(SystemError) {
            try FileSystem.write(Array(text.utf8), to: descriptor, name: "standard output")
        } catch {
            // Nobody reads any more, and there is no other place to say so.
            return
        }
    }
}
