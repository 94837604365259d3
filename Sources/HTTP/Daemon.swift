internal import CMicroHTTPD
internal import Service

/// libmicrohttpd's server in its external mode: it does nothing but inside `turn` and its end.
///
/// One thread only. The order of the end is spelled out in `deinit`: the callbacks' target goes last.
@safe
struct Daemon: ~Copyable {
    private let server: OpaquePointer
    private let target: Unmanaged<ServerCore>

    /// Takes the listening socket over; on failure it is closed.
    init(listener: consuming Socket, core: ServerCore, limits: Limits) throws(HTTPError) {
        let target = unsafe Unmanaged.passRetained(core)
        var callbacks = unsafe vs_http_callbacks(
            context: target.toOpaque(), opened: connectionOpened, closed: connectionClosed,
            headers: headersArrived, body: bodyArrived, complete: requestArrived, finished: exchangeFinished)
        // A few more than the limit, so that libmicrohttpd goes on accepting while the surplus is being cut.
        let surplus = 64
        let server = unsafe vs_http_create(
            listener.descriptor, &callbacks, UInt32(limits.connections + surplus), limits.connectionMemoryBytes)
        guard let server = unsafe server else {
            let error = SystemError.current("start the HTTP server")
            unsafe target.release()
            throw .cannotStart(error)
        }
        _ = listener.release()
        unsafe self.server = server
        unsafe self.target = target
    }

    deinit {
        // Closes every connection and calls back for each, so the target must still be there.
        unsafe vs_http_destroy(server)
        unsafe target.release()
    }

    /// Readable when `turn` has work.
    var descriptor: Int32 { unsafe vs_http_descriptor(server) }

    /// The longest wait before the next turn in milliseconds; nil: until the descriptor is readable.
    var timeoutMilliseconds: Int32? {
        let milliseconds = unsafe vs_http_timeout_milliseconds(server)
        return milliseconds < 0 ? nil : milliseconds
    }

    /// Accepts, reads, answers and closes what it can without waiting.
    func turn() {
        let code = unsafe vs_http_turn(server)
        // daemon.c, MHD_run: refuses only a server of another mode, or one that was stopped.
        precondition(code == 0, "libmicrohttpd refused to run")
    }
}

// MARK: The callbacks: file-scope functions, since C calls them

private func core(_ context: UnsafeMutableRawPointer) -> ServerCore {
    unsafe Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
}

private func connectionOpened(_ context: UnsafeMutableRawPointer, _ socket: Int32) -> Int32 {
    unsafe core(context).opened(socket: socket)
}

private func connectionClosed(_ context: UnsafeMutableRawPointer, _ slot: Int32) {
    unsafe core(context).closed(slot: slot)
}

private func headersArrived(
    _ context: UnsafeMutableRawPointer, _ slot: Int32, _ connection: OpaquePointer, _ method: UnsafePointer<CChar>,
    _ path: UnsafePointer<CChar>
) -> Int32 {
    let framing = unsafe Framing(vs_http_read_framing(connection))
    // The strings live as long as the request (microhttpd.h, MHD_AccessHandlerCallback); String copies.
    let refusal = unsafe core(context).headersArrived(method: String(cString: method), framing: framing)
    guard let refusal else { return Int32(VS_HTTP_CONTINUE) }
    return unsafe send(refusal.response, to: connection)
}

private func bodyArrived(_ context: UnsafeMutableRawPointer, _ slot: Int32, _ length: Int) -> Int32 {
    let mayGoOn = unsafe core(context).bodyArrived(slot: slot, bytes: length)
    return Int32(mayGoOn ? VS_HTTP_CONTINUE : VS_HTTP_DROP)
}

private func requestArrived(
    _ context: UnsafeMutableRawPointer, _ slot: Int32, _ connection: OpaquePointer, _ method: UnsafePointer<CChar>,
    _ path: UnsafePointer<CChar>
) -> Int32 {
    let response = unsafe core(context).requestArrived(
        method: String(cString: method), path: String(cString: path))
    return unsafe send(response, to: connection)
}

private func exchangeFinished(_ context: UnsafeMutableRawPointer, _ slot: Int32) {
    unsafe core(context).exchangeFinished(slot: slot)
}

/// Sends an answer, or drops the connection when there is no memory for it.
private func send(_ response: Response, to connection: OpaquePointer) -> Int32 {
    let handle = unsafe response.body.withUnsafeBytes { bytes in
        unsafe vs_http_response_create(bytes.baseAddress, bytes.count)
    }
    guard let handle = unsafe handle else { return Int32(VS_HTTP_DROP) }
    var isComplete = unsafe vs_http_response_header(handle, "Content-Type", response.contentType) != 0
    isComplete = unsafe vs_http_response_header(handle, "Cache-Control", "no-store") != 0 && isComplete
    for header in response.headers {
        isComplete = unsafe vs_http_response_header(handle, header.name, header.value) != 0 && isComplete
    }
    guard isComplete else {
        unsafe vs_http_response_discard(handle)
        return Int32(VS_HTTP_DROP)
    }
    return unsafe vs_http_response_send(handle, connection, UInt32(response.status))
}

extension Framing {
    fileprivate init(_ framing: vs_http_framing) {
        self.init()
        contentLengthCount = Int(framing.content_length_count)
        transferEncodingCount = Int(framing.transfer_encoding_count)
        hostCount = Int(framing.host_count)
        isChunked = framing.transfer_encoding_is_chunked != 0
        if framing.content_length_count > 0 && framing.content_length_is_number != 0 {
            contentLength = Int64(clamping: framing.content_length)
        }
    }
}
