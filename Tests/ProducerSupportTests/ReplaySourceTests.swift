import CZlib
import ProducerSupport
import Service
import Testing

@Suite struct ReplaySourceTests {
    private func withFile<Result>(
        _ content: String, packed: Bool = false, cutTo length: Int? = nil, _ body: (String) throws -> Result
    ) throws -> Result {
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "replay")
        let path = "\(directory)/messages.ndjson"
        let file = try #require(gzopen(path, packed ? "wb" : "wbT"))
        let bytes = Array(content.utf8)
        #expect(gzwrite(file, bytes, UInt32(bytes.count)) == Int32(bytes.count))
        gzclose(file)
        if let length { try FileSystem.writeFile(path, Array(try FileSystem.readFile(path).prefix(length))) }
        let result = Swift.Result { try body(path) }
        try FileSystem.removeTree(directory)
        return try result.get()
    }

    private func lines(_ path: String) throws -> [String] {
        var reader = try LineReader(path: path)
        var lines: [String] = []
        while let line = try reader.next() { lines.append(String(decoding: line, as: UTF8.self)) }
        return lines
    }

    private func all<Source: MessageSource & ~Copyable>(
        _ source: inout Source
    ) throws -> [(key: String?, payload: String)] {
        var messages: [(String?, String)] = []
        while try source.advance(wallClockMilliseconds: 0) == .message {
            source.withMessage { key, payload in
                messages.append(
                    (key.map { String(decoding: $0, as: UTF8.self) }, String(decoding: payload, as: UTF8.self)))
            }
            source.countSent()
        }
        return messages
    }

    @Test(arguments: [true, false])
    func `lines are read as they stand, plain or packed`(packed: Bool) throws {
        // Blank lines pass, a carriage return goes, and the last line needs no end.
        let text = "{\"a\":1}\n\n  \t\n{\"b\": 2 }\r\nnot json\n{\"c\":3}"
        try withFile(text, packed: packed) { path in
            let read = try lines(path)
            #expect(read == ["{\"a\":1}", "{\"b\": 2 }", "not json", "{\"c\":3}"])
        }
    }

    @Test func `lines longer than the buffer are read whole`() throws {
        let long = String(repeating: "x", count: 1_000_003)
        try withFile("a\n\(long)\nb\n", packed: true) { path in
            let read = try lines(path)
            #expect(read == ["a", long, "b"])
        }
    }

    @Test func `a packed file that breaks off is an error, after its whole lines`() throws {
        var random = SystemRandomNumberGenerator()
        // Incompressible, so that half of the file holds about half of the lines.
        let text = (0..<20_000).map { _ in "\(random.next())" }.joined(separator: "\n")
        let whole = try withFile(text, packed: true) { path in try FileSystem.readFile(path).count }
        try withFile(text, packed: true, cutTo: whole / 2) { path in
            var reader = try LineReader(path: path)
            var count = 0
            #expect(throws: ReplayError.self) { while try reader.next() != nil { count += 1 } }
            #expect((5_000...15_000).contains(count))
        }
    }

    @Test func `a file that is not there is an error`() {
        #expect(throws: ReplayError.notReadable(path: "/nonexistent/file")) {
            _ = try StreamedReplay(path: "/nonexistent/file", repeats: 1)
        }
    }

    @Test func `an empty file is an error, and not read for ever`() throws {
        try withFile("\n \n") { path in
            var source = try StreamedReplay(path: path, repeats: 3)
            #expect(throws: ReplayError.noLines(path: path)) { _ = try source.advance(wallClockMilliseconds: 0) }
            #expect(throws: ReplayError.noLines(path: path)) {
                _ = try ShuffledReplay(path: path, repeats: 3, seed: 1)
            }
        }
    }

    @Test func `the file is sent as often as wanted, keys from its lines, empty where there is none`() throws {
        try withFile("{\"patientId\":\"p1\"}\n{\"patientId\":\"p2\",\"heartRate\":\n") { path in
            var source = try StreamedReplay(path: path, repeats: 2)
            let messages = try all(&source)
            #expect(messages.map(\.key) == ["p1", "", "p1", ""])
            #expect(messages[0].payload == "{\"patientId\":\"p1\"}")
            #expect(messages[1].payload == "{\"patientId\":\"p2\",\"heartRate\":")
            #expect(source.counts.messages == 4 && source.counts.withoutKey == 2)
        }
    }

    @Test func `the same seed shuffles a file alike, and every line comes as often as wanted`() throws {
        let text = (0..<300).map { "{\"patientId\":\"p\($0)\"}" }.joined(separator: "\n")
        try withFile(text, packed: true) { path in
            func shuffled(_ seed: UInt64) throws -> [String] {
                var source = try ShuffledReplay(path: path, repeats: 2, seed: seed)
                let messages = try all(&source)
                #expect(messages.allSatisfy { $0.payload == "{\"patientId\":\"\($0.key ?? "")\"}" })
                return messages.map(\.payload)
            }
            let first = try shuffled(1)
            #expect(try shuffled(1) == first)
            #expect(try shuffled(2) != first)
            let once = try lines(path)
            #expect(first.sorted() == (once + once).sorted())
        }
    }
}
