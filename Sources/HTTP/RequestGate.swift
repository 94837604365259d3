/// How a request says where its body ends and for whom it is.
package struct Framing: Equatable, Sendable {
    package var contentLengthCount = 0
    /// The Content-Length; nil when there is none, or it is not a plain number.
    package var contentLength: Int64?
    package var transferEncodingCount = 0
    package var isChunked = false
    package var hostCount = 1

    package init() {}
}

/// Judges a request by its headers, before a byte of its body is read.
///
/// libmicrohttpd 0.9.75 lets two lengths, a length beside a transfer encoding, and any method pass. Whoever stands
/// before us (a proxy) may read such a request otherwise than we do, and the rest of its body would be a request of
/// somebody else: so the connection ends with the refusal.
package enum RequestGate {
    /// Why a request is refused.
    package enum Refusal: Equatable, Sendable, CaseIterable {
        case ambiguousLength
        case malformedLength
        case severalHosts
        case unknownTransferEncoding
        case unknownMethod
        case bodyTooLarge

        /// The answer; it ends the connection.
        package var response: Response {
            let close = [Response.Header("Connection", "close")]
            return switch self {
            case .ambiguousLength: .text(400, "the length of the body is given twice", headers: close)
            case .malformedLength: .text(400, "Content-Length is not a number", headers: close)
            case .severalHosts: .text(400, "Host is given twice", headers: close)
            case .unknownTransferEncoding: .text(501, "Transfer-Encoding is not chunked", headers: close)
            case .unknownMethod: .text(501, "unknown method", headers: close)
            case .bodyTooLarge: .text(413, "the body is too large", headers: close)
            }
        }
    }

    /// The first thing that is wrong with a request, nil when it may go on.
    ///
    /// - Parameter method: nil when the server does not know it.
    package static func refusal(method: Method?, framing: Framing, bodyLimitBytes: Int64) -> Refusal? {
        let lengths = framing.contentLengthCount + framing.transferEncodingCount
        if lengths > 1 { return .ambiguousLength }
        if framing.contentLengthCount == 1 && framing.contentLength == nil { return .malformedLength }
        if framing.transferEncodingCount == 1 && !framing.isChunked { return .unknownTransferEncoding }
        if framing.hostCount > 1 { return .severalHosts }
        if method == nil { return .unknownMethod }
        if let length = framing.contentLength, length > bodyLimitBytes { return .bodyTooLarge }
        return nil
    }
}
