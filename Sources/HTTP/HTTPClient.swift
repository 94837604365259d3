internal import Service

/// Asks one thing of a server and waits for the whole answer: for health checks and the demo, not for load.
public enum HTTPClient {
    /// An answer, complete.
    public struct Answer: Sendable, Equatable {
        /// The status code.
        public let status: Int
        /// The headers in their order, names in lower case.
        public let headers: [Response.Header]
        /// The body.
        public let body: [UInt8]

        /// The value of the first header of that name, given in lower case.
        public func header(_ name: String) -> String? {
            headers.first { $0.name == name }?.value
        }
    }

    /// Sends a GET request over a connection of its own and reads the answer.
    ///
    /// - Parameters:
    ///   - path: an absolute path without control characters or blanks.
    ///   - timeout: for all of it together (a name that needs a resolver may take longer).
    ///   - limitBytes: the longest answer taken, headers included.
    public static func get(
        host: String, port: UInt16, path: String, timeout: Duration = .seconds(5), limitBytes: Int = 1_048_576
    ) throws(HTTPError) -> Answer {
        precondition(path.utf8.first == UInt8(ascii: "/"), "a path begins with /")
        precondition(path.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }, "a path has no blanks or control characters")
        let deadline = Deadline.after(timeout)
        let address = Socket.addressText(host, port)
        let socket = try Socket.connected(host: host, port: port, by: deadline)
        // HTTP/1.0: the server may not answer in chunks, and closes when it is done.
        let request = Array("GET \(path) HTTP/1.0\r\nHost: \(address)\r\nAccept: */*\r\n\r\n".utf8)
        let bytes = try exchange(request, over: socket, by: deadline, address: address, limitBytes: limitBytes)
        guard let answer = AnswerParser.parse(bytes) else { throw .malformedAnswer(address: address) }
        return answer
    }

    private static func exchange(
        _ request: [UInt8], over socket: borrowing Socket, by deadline: Deadline, address: String, limitBytes: Int
    ) throws(HTTPError) -> [UInt8] {
        var poll = PollSet(capacity: 1)
        var answer: [UInt8] = []
        var rest = request[...]
        while true {
            poll.set(0, socket.descriptor, read: true, write: !rest.isEmpty)
            guard poll.wait(until: deadline) > 0 else { throw .deadlineExceeded(address: address) }
            do throws(SystemError) {
                if !rest.isEmpty && poll.isWritable(0) { rest = rest.dropFirst(try socket.send(rest)) }
                if poll.isReadable(0) {
                    let count = try socket.receive(into: &answer, limit: 65_536)
                    if count == 0 { return answer }
                }
            } catch {
                throw .connectionBroken(error)
            }
            if answer.count > limitBytes { throw .answerTooLong(address: address, limitBytes: limitBytes) }
        }
    }
}
