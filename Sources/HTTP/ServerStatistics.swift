/// What a server has done since its start.
public struct ServerStatistics: Sendable, Equatable {
    /// Connections accepted.
    public internal(set) var accepted = 0
    /// Connections open now.
    public internal(set) var open = 0
    /// Requests answered by a route, 404 and 405 included.
    public internal(set) var answered = 0
    /// Requests refused for their headers.
    public internal(set) var refused = 0
    /// Connections dropped in the middle of a body that grew over the limit.
    public internal(set) var droppedBodies = 0
    /// Connections cut because their time was over.
    public internal(set) var cutByDeadline = 0
    /// Connections cut to make room for newer ones.
    public internal(set) var cutForRoom = 0
}
