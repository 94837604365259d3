internal import CZlib

/// A file that cannot be replayed.
package enum ReplayError: Error, Equatable {
    /// It cannot be opened.
    case notReadable(path: String)
    /// It breaks off or is damaged; zlib's own words.
    case damaged(path: String, detail: String)
    /// A line is longer than any message may be.
    case lineTooLong(path: String, line: Int)
    /// More than a shuffled replay can hold.
    case tooLargeToShuffle(path: String)
    /// Not one line.
    case noLines(path: String)

    /// One line that says what to do.
    package var message: String {
        switch self {
        case .notReadable(let path): "cannot read \(path): name an NDJSON file, plain or gzip, in --file"
        case .damaged(let path, let detail): "\(path) is damaged (\(detail)): fetch it again"
        case .lineTooLong(let path, let line):
            "line \(line) of \(path) is longer than \(LineReader.lineLimit) bytes: is it one JSON object per line?"
        case .tooLargeToShuffle(let path): "\(path) is too large to shuffle: replay it without --shuffle"
        case .noLines(let path): "there is no message in \(path)"
        }
    }
}

/// Reads the lines of a file, plain or gzip, without holding more of it than a line. Blank lines are passed over.
package struct LineReader: ~Copyable {
    /// Longest line, bytes.
    package static let lineLimit = 64 << 20

    private let path: String
    private let file: gzFile
    private var buffer: UnsafeMutablePointer<UInt8>
    private var capacity = 1 << 18
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    private var lineNumber = 0
    /// Why nothing can be read beyond `end`.
    private var damage: String?

    package init(path: String) throws(ReplayError) {
        // gzopen reads plain files too (zlib.h); "e" closes the file in child processes.
        guard let file = gzopen(path, "rbe") else { throw .notReadable(path: path) }
        gzbuffer(file, 1 << 17)
        self.path = path
        self.file = file
        buffer = .allocate(capacity: capacity)
    }

    deinit {
        gzclose(file)
        buffer.deallocate()
    }

    /// The next line that is not blank, without its line feed, valid until the next call; nil at the end.
    package mutating func next() throws(ReplayError) -> UnsafeRawBufferPointer? {
        while let line = try nextLine() {
            let isBlank = line.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            if !isBlank { return line }
        }
        return nil
    }

    private mutating func nextLine() throws(ReplayError) -> UnsafeRawBufferPointer? {
        var searched = start
        while true {
            if let feed = lineFeed(from: searched) {
                let line = lend(start..<feed)
                start = feed + 1
                return line
            }
            if isAtEnd {
                // Half a line before the damage is no line.
                if let damage { throw .damaged(path: path, detail: damage) }
                guard start < end else { return nil }
                let line = lend(start..<end)
                start = end
                return line
            }
            let pending = end - start
            try fill()
            searched = start + pending
        }
    }

    private func lineFeed(from place: Int) -> Int? {
        UnsafeBufferPointer(start: buffer + place, count: end - place).firstIndex(of: UInt8(ascii: "\n"))
            .map { place + $0 }
    }

    /// The bytes of a line, less the carriage return of files from elsewhere.
    private mutating func lend(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        lineNumber += 1
        var count = range.count
        if count > 0, buffer[range.lowerBound + count - 1] == UInt8(ascii: "\r") { count -= 1 }
        return UnsafeRawBufferPointer(start: buffer + range.lowerBound, count: count)
    }

    /// Moves the unfinished line to the front, makes room, and reads on.
    private mutating func fill() throws(ReplayError) {
        if start > 0 {
            buffer.update(from: buffer + start, count: end - start)
            end -= start
            start = 0
        }
        if end == capacity { try grow() }
        let count = gzread(file, buffer + end, UInt32(min(capacity - end, 1 << 30)))
        var code: Int32 = Z_OK
        let text = gzerror(file, &code)
        end += Int(max(0, count))
        isAtEnd = count <= 0
        // A file that breaks off gives what it has together with an error code: its whole lines are good.
        if code != Z_OK && code != Z_STREAM_END {
            damage = text.map { String(cString: $0) } ?? "zlib error \(code)"
            isAtEnd = true
        }
    }

    private mutating func grow() throws(ReplayError) {
        guard capacity < Self.lineLimit else { throw .lineTooLong(path: path, line: lineNumber + 1) }
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * 2)
        larger.update(from: buffer, count: end)
        buffer.deallocate()
        buffer = larger
        capacity *= 2
    }
}
