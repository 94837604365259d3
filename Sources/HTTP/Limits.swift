/// What a server grants its clients. Everything has an end, so that no client costs more than it may.
public struct Limits: Sendable, Equatable {
    /// From the connection's start, or the end of the answer before, to the end of the answer: a client who takes
    /// longer, by silence, by a byte a second or by not reading, is cut off.
    public var exchange: Duration
    /// Connections at a time. One more, and the one whose time would run out first makes room.
    public var connections: Int
    /// Bytes of a request's body. A longer one is refused at its headers, or dropped where they told no length.
    public var bodyBytes: Int64
    /// Memory of a connection, which bounds its request line and headers too: 1,024 to 131,072 bytes.
    public var connectionMemoryBytes: Int

    /// The defaults suit health checks: 512 connections of 16 KiB are 8 MiB at most.
    public init(
        exchange: Duration = .seconds(5),
        connections: Int = 512,
        bodyBytes: Int64 = 65_536,
        connectionMemoryBytes: Int = 16_384
    ) {
        precondition(exchange > .zero && exchange <= .seconds(3_600), "an exchange takes up to an hour")
        precondition((1...65_536).contains(connections), "1 to 65,536 connections")
        precondition(bodyBytes >= 0, "a body has no negative length")
        precondition((1_024...131_072).contains(connectionMemoryBytes), "1 to 128 KiB a connection")
        self.exchange = exchange
        self.connections = connections
        self.bodyBytes = bodyBytes
        self.connectionMemoryBytes = connectionMemoryBytes
    }
}
