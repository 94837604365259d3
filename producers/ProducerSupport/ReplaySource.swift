internal import Simulation

/// Counts of a replay.
package struct ReplayCounts: Sendable, Equatable {
    /// Messages sent.
    package var messages = 0
    /// Of these, sent with an empty key, since the field that is the key was not found in the line.
    package var withoutKey = 0
    /// Bytes of all payloads.
    package var payloadBytes = 0

    /// Nothing sent.
    package init() {}
}

/// A file's lines in their order, the whole file as often as wanted, in the memory of one line.
package struct StreamedReplay: ~Copyable, MessageSource {
    private let path: String
    private let keyField: StaticString
    private var reader: LineReader
    private var repeatsLeft: Int
    private var line = UnsafeRawBufferPointer(start: nil, count: 0)
    private var isEmpty = true
    /// What was sent so far.
    package private(set) var counts = ReplayCounts()

    /// Opens the file; `repeats` is 1 or more, `keyField` the field whose value is a line's key.
    package init(path: String, repeats: Int, keyField: StaticString = "patientId") throws(ReplayError) {
        self.path = path
        self.keyField = keyField
        reader = try LineReader(path: path)
        repeatsLeft = repeats - 1
    }

    package mutating func advance(wallClockMilliseconds: Int64) throws(ReplayError) -> SourceStep {
        while true {
            if let next = try reader.next() {
                line = next
                isEmpty = false
                return .message
            }
            // A pipe is empty the second time; a file without lines would be opened for ever.
            if isEmpty { throw .noLines(path: path) }
            guard repeatsLeft > 0 else { return .end }
            repeatsLeft -= 1
            isEmpty = true
            reader = try LineReader(path: path)
        }
    }

    package func withMessage<Result>(
        _ body: (_ key: UnsafeRawBufferPointer?, _ payload: UnsafeRawBufferPointer) -> Result
    ) -> Result {
        lend(line, keyField, to: body)
    }

    package mutating func countSent() {
        counts.add(line, keyField)
    }
}

/// A file's lines, all repeats mixed, from memory.
package struct ShuffledReplay: ~Copyable, MessageSource {
    /// Most bytes of a file, unpacked.
    package static let byteLimit = 4 << 30

    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    private let keyField: StaticString
    private let order: ReplayOrder
    private var place = -1
    /// What was sent so far.
    package private(set) var counts = ReplayCounts()

    /// Reads the whole file and makes the order.
    package init(
        path: String, repeats: Int, seed: UInt64, keyField: StaticString = "patientId"
    ) throws(ReplayError) {
        var reader = try LineReader(path: path)
        while let line = try reader.next() {
            guard bytes.count + line.count <= Self.byteLimit else { throw .tooLargeToShuffle(path: path) }
            bytes.append(contentsOf: line)
            ends.append(bytes.count)
        }
        guard !ends.isEmpty else { throw .noLines(path: path) }
        guard let order = ReplayOrder(lineCount: ends.count, repeats: repeats, seed: seed) else {
            throw .tooLargeToShuffle(path: path)
        }
        self.order = order
        self.keyField = keyField
    }

    package mutating func advance(wallClockMilliseconds: Int64) throws(ReplayError) -> SourceStep {
        place += 1
        return place < order.count ? .message : .end
    }

    package func withMessage<Result>(
        _ body: (_ key: UnsafeRawBufferPointer?, _ payload: UnsafeRawBufferPointer) -> Result
    ) -> Result {
        withLine { lend($0, keyField, to: body) }
    }

    package mutating func countSent() {
        let range = presentRange
        var counts = counts
        bytes.withUnsafeBytes { counts.add(UnsafeRawBufferPointer(rebasing: $0[range]), keyField) }
        self.counts = counts
    }

    private var presentRange: Range<Int> {
        let line = order[place]
        return (line == 0 ? 0 : ends[line - 1])..<ends[line]
    }

    private func withLine<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let range = presentRange
        return bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}

extension ReplayCounts {
    fileprivate mutating func add(_ line: UnsafeRawBufferPointer, _ keyField: StaticString) {
        messages += 1
        payloadBytes += line.count
        if ReplayKey.range(in: line, field: keyField) == nil { withoutKey += 1 }
    }
}

/// Lends a line with its key, which is empty, not absent, where no such field is found.
private func lend<Result>(
    _ line: UnsafeRawBufferPointer, _ keyField: StaticString,
    to body: (_ key: UnsafeRawBufferPointer?, _ payload: UnsafeRawBufferPointer) -> Result
) -> Result {
    let key = ReplayKey.range(in: line, field: keyField).map { UnsafeRawBufferPointer(rebasing: line[$0]) }
    return body(key ?? UnsafeRawBufferPointer(start: nil, count: 0), line)
}
