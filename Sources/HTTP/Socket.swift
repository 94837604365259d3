internal import CMicroHTTPD
internal import Glibc
package import Service  // Deadlines come in.

/// A TCP socket, closed with its owner. Non-blocking; waits only where a deadline says how long.
package struct Socket: ~Copyable {
    /// The descriptor, valid as long as this value is.
    package let descriptor: Int32

    private init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Gives the descriptor away unclosed.
    consuming func release() -> Int32 {
        let descriptor = descriptor
        discard self
        return descriptor
    }

    /// Listens on an address; `port` 0 takes any that is free.
    ///
    /// - Returns: the socket, and in `boundPort` its real port.
    static func listening(host: String, port: UInt16, boundPort: inout UInt16) throws(HTTPError) -> Socket {
        var error: Int32 = 0
        // As long as the kernel allows: it shortens a longer queue to net.core.somaxconn.
        let descriptor = unsafe vs_socket_listen(host, port, SOMAXCONN, &boundPort, &error)
        if descriptor == -2 { throw .unknownHost(host, reason: resolverText(error)) }
        guard descriptor >= 0 else {
            throw .cannotListen(
                SystemError(code: error, operation: "listen on", subject: addressText(host, port)))
        }
        return Socket(descriptor: descriptor)
    }

    /// Connects to an address. A name that needs a resolver may take longer than the deadline; numbers do not.
    package static func connected(host: String, port: UInt16, by deadline: Deadline) throws(HTTPError) -> Socket {
        var error: Int32 = 0
        let descriptor = unsafe vs_socket_connect(
            host, port, UInt32(deadline.remainingMilliseconds()), &error)
        if descriptor == -2 { throw .unknownHost(host, reason: resolverText(error)) }
        guard descriptor >= 0 else {
            throw .cannotConnect(
                SystemError(code: error, operation: "connect to", subject: addressText(host, port)))
        }
        return Socket(descriptor: descriptor)
    }

    /// Sends what the kernel takes at once.
    ///
    /// - Returns: how many bytes, 0 when it takes none now.
    package func send(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
        }
        if count >= 0 { return count }
        if errno == EAGAIN || errno == EINTR { return 0 }
        throw SystemError.current("send")
    }

    /// Reads what is there into the end of `bytes`, at most `limit` bytes.
    ///
    /// - Returns: how many bytes, 0 at the end of the stream, nil when nothing is there now.
    package func receive(into bytes: inout [UInt8], limit: Int) throws(SystemError) -> Int? {
        var count = -1
        let chunk = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, initializedCount in
            count = unsafe recv(descriptor, buffer.baseAddress, limit, 0)
            initializedCount = max(0, count)
        }
        if count < 0 {
            if errno == EAGAIN || errno == EINTR { return nil }
            throw SystemError.current("receive")
        }
        bytes += chunk
        return count
    }

    /// `127.0.0.1:8080`, `[::1]:8080`
    static func addressText(_ host: String, _ port: UInt16) -> String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private static func resolverText(_ code: Int32) -> String {
        unsafe String(cString: vs_socket_resolver_text(code))
    }
}
