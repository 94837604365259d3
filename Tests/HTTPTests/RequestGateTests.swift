import HTTP
import Testing

struct RequestGateTests {
    private func framing(_ change: (inout Framing) -> Void = { _ in }) -> Framing {
        var framing = Framing()
        change(&framing)
        return framing
    }

    private func refusal(_ method: Method? = .get, _ change: (inout Framing) -> Void = { _ in }) -> RequestGate.Refusal?
    {
        RequestGate.refusal(method: method, framing: framing(change), bodyLimitBytes: 100)
    }

    @Test func `a plain request passes`() {
        #expect(refusal() == nil)
        #expect(refusal(.post) { ($0.contentLengthCount, $0.contentLength) = (1, 100) } == nil)
        #expect(refusal(.post) { ($0.transferEncodingCount, $0.isChunked) = (1, true) } == nil)
        // HTTP/1.0 needs no Host.
        #expect(refusal { $0.hostCount = 0 } == nil)
    }

    @Test func `what can be read in two ways is refused`() {
        #expect(refusal { ($0.contentLengthCount, $0.contentLength) = (2, 5) } == .ambiguousLength)
        #expect(
            refusal {
                ($0.contentLengthCount, $0.contentLength) = (1, 5)
                ($0.transferEncodingCount, $0.isChunked) = (1, true)
            } == .ambiguousLength)
        #expect(refusal { ($0.transferEncodingCount, $0.isChunked) = (2, true) } == .ambiguousLength)
        #expect(refusal { $0.contentLengthCount = 1 } == .malformedLength)
        #expect(refusal { $0.transferEncodingCount = 1 } == .unknownTransferEncoding)
        #expect(refusal { $0.hostCount = 2 } == .severalHosts)
    }

    @Test func `unknown methods and long bodies are refused`() {
        #expect(refusal(nil) == .unknownMethod)
        #expect(refusal(.post) { ($0.contentLengthCount, $0.contentLength) = (1, 101) } == .bodyTooLarge)
    }

    @Test(arguments: RequestGate.Refusal.allCases) func `every refusal ends its connection`(
        refusal: RequestGate.Refusal
    ) {
        #expect((400...599).contains(refusal.response.status))
        #expect(refusal.response.headers.contains(.init("Connection", "close")))
    }
}
