internal import CLibPQ
internal import Service

extension Connection {
    /// Asks the server to cancel what runs on this connection, from a thread of its own, since libpq's cancel blocks.
    ///
    /// A request, no more: the statement may end before it arrives. Its error (57014) comes through `step`.
    /// - Returns: false when nothing was asked: no connection, or no thread to be had.
    @discardableResult
    public func cancelInBackground() -> Bool {
        // libpq-fe.h: a PGcancel is a copy of its own, usable from any thread until PQfreeCancel, even after PQfinish.
        guard let request = unsafe PQgetCancel(handle) else { return false }
        let handOver = unsafe CancelRequest(pointer: request)
        do throws(SystemError) {
            _ = try ServiceThread(name: "cancel") { handOver.send() }
            return true
        } catch {
            return false
        }
    }
}

/// Owns libpq's cancel object.
// Sendable: made by one thread, used by exactly one other, freed when the last reference goes.
@safe private final class CancelRequest: @unchecked Sendable {
    private let pointer: OpaquePointer

    init(pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe PQfreeCancel(pointer)
    }

    func send() {
        var reason = [CChar](repeating: 0, count: 256)
        _ = unsafe PQcancel(pointer, &reason, Int32(reason.count))
    }
}
