import Glibc
import HTTP
import Service
import TestSupport
import Testing

/// Clients that mean harm, or are merely broken: each is cut off, and another client is answered meanwhile.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ServerAbuseTests {
    /// Beginnings of requests after which a byte a second follows, without an end.
    private static let slowBeginnings = [
        // In the request line; in a header; in a body; in a chunked body.
        "GET /", "GET /ok HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        "POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n",
        "POST /ok HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nea60\r\n",
    ]

    @Test func `a hundred clients with a byte a second are cut off by the deadline, and another is answered`() throws {
        let exchange = Limits().exchange
        let server = try startServer(exchange: exchange)
        let start = MonotonicTime.now()
        let clients = try (0..<100).map { index in
            let client = try RawClient(port: server.port)
            client.send(Self.slowBeginnings[index % Self.slowBeginnings.count])
            return client
        }
        try requireStatistics(server) { $0.open == 100 }
        // A poll set of their sockets is the clock: it ends each second's wait early when one of them is cut.
        var bytesSent = 0
        var poll = PollSet(capacity: clients.count)
        let bound = Deadline.after(hangBound)
        while clients.contains(where: { $0.end == nil }) && !bound.hasPassed() {
            expectAnswered(server)
            for client in clients where client.end == nil { bytesSent += client.send("a") }
            let nextByte = Deadline.after(.seconds(1))
            while !nextByte.hasPassed(), clients.contains(where: { $0.end == nil }) {
                for (index, client) in clients.enumerated() {
                    if client.end == nil { poll.set(index, client.descriptor, read: true) } else { poll.clear(index) }
                }
                poll.wait(until: nextByte)
                for client in clients { client.receive() }
            }
        }
        #expect(clients.allSatisfy { $0.end != nil && $0.received.isEmpty })
        // They were busy all the time: no pause of theirs was longer than a second.
        #expect(bytesSent >= 200)
        #expect(MonotonicTime.now() - start >= exchange / 2)
        try requireStatistics(server) { $0.cutByDeadline == 100 && $0.open == 0 }
        expectAnswered(server)
        #expect(server.stop(within: hangBound))
    }

    @Test func `an idle connection is cut off by the deadline, also after an answer`() throws {
        let server = try startServer(exchange: .seconds(1))
        let silent = try RawClient(port: server.port)
        let served = try RawClient(port: server.port)
        served.send("GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(silent.awaitEnd() && served.awaitEnd())
        #expect(silent.received.isEmpty)
        #expect(served.statuses == ["200"])
        try requireStatistics(server) { $0.cutByDeadline == 2 && $0.open == 0 }
        #expect(server.stop(within: hangBound))
    }

    @Test func `a client who asks in time keeps its connection longer than one exchange`() throws {
        let exchange = Duration.seconds(2)
        let server = try startServer(exchange: exchange)
        let client = try RawClient(port: server.port)
        var poll = PollSet(capacity: 1)
        let start = MonotonicTime.now()
        var asked = 0
        while MonotonicTime.now() - start < exchange * 1.5 {
            client.send("GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
            asked += 1
            try #require(client.awaitState { client.statuses.count == asked })
            // The pause between two questions ends early if the connection does.
            poll.set(0, client.descriptor, read: true)
            poll.wait(until: .after(exchange / 4))
        }
        #expect(server.statistics.accepted == 1 && server.statistics.cutByDeadline == 0)
        #expect(server.stop(within: hangBound))
    }

    @Test func `a client who does not read its answer is cut off by the deadline, and another is answered`() throws {
        let server = try startServer(exchange: .seconds(1))
        let client = try RawClient(port: server.port)
        client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        try requireStatistics(server) { $0.answered == 1 }
        expectAnswered(server)
        try requireStatistics(server) { $0.cutByDeadline == 1 && $0.open == 0 }
        #expect(client.awaitEnd())
        #expect(client.received.count < 32 << 20)
        #expect(server.stop(within: hangBound))
    }

    @Test func `a client who never stops asking and never reads is cut off by the deadline`() throws {
        let server = try startServer(exchange: .seconds(1))
        let client = try RawClient(port: server.port)
        let requests = Array(String(repeating: "GET /large HTTP/1.1\r\nHost: x\r\n\r\n", count: 1_000).utf8)
        client.send(requests[...])
        try requireStatistics(server) { $0.cutByDeadline == 1 && $0.open == 0 }
        expectAnswered(server)
        #expect(server.stop(within: hangBound))
    }

    @Test func `a body of 20 MB is refused at its headers`() throws {
        let server = try startServer()
        let client = try RawClient(port: server.port)
        let body = [UInt8](repeating: 0x61, count: 20_000_000)
        let head = Array("POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.count)\r\n\r\n".utf8)
        #expect(pour(head + body, into: client))
        #expect(client.awaitEnd())
        try requireStatistics(server) { $0.refused == 1 && $0.answered == 0 && $0.open == 0 }
        expectAnswered(server)
        #expect(server.stop(within: hangBound))
    }

    @Test func `a body that waits for leave to come gets 413 instead`() throws {
        let server = try startServer()
        let client = try RawClient(port: server.port)
        client.send("POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\nExpect: 100-continue\r\n\r\n")
        #expect(client.awaitEnd())
        #expect(client.statuses == ["413"])
        #expect(server.stop(within: hangBound))
    }

    @Test func `a chunked body of 20 MB is dropped when it passes the limit`() throws {
        let server = try startServer()
        let client = try RawClient(port: server.port)
        let head = Array("POST /ok HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: 0x61, count: 65_536) + Array("\r\n".utf8)
        var message = head
        for _ in 0..<305 { message += chunk }
        #expect(pour(message, into: client))
        #expect(client.awaitEnd())
        try requireStatistics(server) { $0.droppedBodies == 1 && $0.answered == 0 && $0.open == 0 }
        expectAnswered(server)
        #expect(server.stop(within: hangBound))
    }

    /// The request, and how the status of its answer begins.
    private static let refused: [(name: String, request: String, status: String)] = [
        ("two lengths", "POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400"),
        (
            "two different lengths",
            "POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "400"
        ),
        (
            "length and encoding",
            "POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"
        ),
        ("a list of lengths", "POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc", "400"),
        ("a signed length", "POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", "400"),
        ("a negative length", "POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\nabc", "400"),
        (
            "a length beyond 64 bits",
            "POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551617\r\n\r\nabc", "4"
        ),
        ("an unknown encoding", "POST /ok HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nabc", "501"),
        (
            "an encoding in disguise", "POST /ok HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "501"
        ),
        ("an unknown method", "BREW /ok HTTP/1.1\r\nHost: x\r\n\r\n", "501"),
        ("a method in lower case", "get /ok HTTP/1.1\r\nHost: x\r\n\r\n", "501"),
        ("two hosts", "GET /ok HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"),
        ("no host", "GET /ok HTTP/1.1\r\n\r\n", "400"),
    ]

    @Test(arguments: refused.indices) func `a request that can be read in two ways ends its connection`(
        index: Int
    ) throws {
        let (name, request, status) = Self.refused[index]
        let server = try startServer()
        let client = try RawClient(port: server.port)
        // What follows would be somebody else's request, had we misread this one's length.
        client.send(request + "GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.awaitEnd(), "\(name)")
        // Where libmicrohttpd refuses by itself, 0.9.75 sends the head of its answer twice.
        #expect(!client.statuses.isEmpty, "\(name)")
        #expect(client.statuses.allSatisfy { $0.hasPrefix(status) }, "\(name): \(client.statuses)")
        try requireStatistics(server) { $0.answered == 0 && $0.open == 0 }
        expectAnswered(server)
        #expect(server.stop(within: hangBound))
    }

    private static let garbage: [(name: String, bytes: [UInt8])] = [
        ("zeros", [UInt8](repeating: 0, count: 5_000)),
        ("a TLS greeting", [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
        ("line ends", Array(String(repeating: "\r\n", count: 50_000).utf8)),
        ("no version", Array("GET /ok\r\n\r\n".utf8)),
        ("a wrong version", Array("GET /ok HTTP/9.9\r\nHost: x\r\n\r\n".utf8)),
        ("a long request line", Array(("GET /" + String(repeating: "a", count: 1_000_000)).utf8)),
        ("a long header", Array(("GET /ok HTTP/1.1\r\nHost: " + String(repeating: "a", count: 1_000_000)).utf8)),
        (
            "many headers",
            Array(("GET /ok HTTP/1.1\r\nHost: x\r\n" + String(repeating: "A: b\r\n", count: 100_000)).utf8)
        ),
        ("a header without a colon", Array("GET /ok HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n".utf8)),
        ("a zero in a header", Array("GET /ok HTTP/1.1\r\nHost: x\r\nA: \0b\r\n\r\n".utf8)),
        ("a broken chunk", Array("POST /ok HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".utf8)),
        (
            "a huge chunk",
            Array("POST /ok HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc".utf8)
        ),
        ("pipelined garbage", Array("GET /ok HTTP/1.1\r\nHost: x\r\n\r\n\u{1}\u{2}\u{3} \u{4}\r\n\r\n".utf8)),
    ]

    @Test(arguments: garbage.indices) func `garbage ends its connection and nothing else`(index: Int) throws {
        let (name, bytes) = Self.garbage[index]
        let server = try startServer(exchange: .seconds(1))
        let client = try RawClient(port: server.port)
        #expect(pour(bytes, into: client), "\(name)")
        expectAnswered(server)
        #expect(client.awaitEnd(), "\(name)")
        try requireStatistics(server) { $0.open == 0 }
        expectAnswered(server)
        #expect(server.stop(within: hangBound))
    }

    @Test func `more connections than allowed push the oldest out, and another is answered`() throws {
        let server = try startServer(connections: 8)
        var clients: [RawClient] = []
        for _ in 0..<300 { clients.append(try RawClient(port: server.port)) }
        try requireStatistics(server) { $0.accepted == 300 && $0.open == 8 && $0.cutForRoom == 292 }
        for client in clients[..<292] { #expect(client.awaitEnd()) }
        #expect(clients[292...].allSatisfy { $0.end == nil })
        expectAnswered(server)
        #expect(server.stop(within: hangBound))
    }

    @Test(arguments: [11, 12, 13] as [UInt64]) func `random and bit-flipped requests never end the server`(
        seed: UInt64
    ) throws {
        var random = SeededNumbers(seed: seed)
        // Its end is lost on libmicrohttpd when it comes together with bytes; the deadline then ends the connection.
        let server = try startServer(exchange: .milliseconds(500))
        let valid = (Self.refused.map(\.request) + ["GET /ok HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n"]).map {
            Array($0.utf8)
        }
        for _ in 0..<300 {
            var bytes = valid[Int(random.next() % UInt64(valid.count))]
            for _ in 0..<(random.next() % 4) {
                bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
            }
            if random.next() % 4 == 0 { bytes = (0..<200).map { _ in UInt8(truncatingIfNeeded: random.next()) } }
            bytes.removeLast(Int(random.next() % UInt64(bytes.count)))
            let client = try RawClient(port: server.port)
            client.send(bytes[...])
            client.finishSending()
        }
        try requireStatistics(server) { $0.accepted == 300 && $0.open == 0 }
        expectAnswered(server)
        #expect(server.stop(within: hangBound))
    }
}
