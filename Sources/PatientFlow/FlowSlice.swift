public import VitalSigns  // `RejectReason` is part of a rejection

/// What became of the messages of one slice of `patient-flow`; every message is in exactly one of the two lists.
public struct FlowSlice: Sendable, Equatable {
    /// A message that is an event.
    public struct Accepted: Sendable, Equatable {
        /// Position of the message in the slice.
        public var messageIndex: Int
        /// The event.
        public var event: FlowEvent

        /// An accepted message; made by `FlowDecoder`.
        public init(messageIndex: Int, event: FlowEvent) {
            self.messageIndex = messageIndex
            self.event = event
        }
    }

    /// A message that cannot be used.
    public struct Rejected: Sendable, Equatable {
        /// Position of the message in the slice.
        public var messageIndex: Int
        /// The first reason that applies.
        public var reason: RejectReason
        /// ASCII text of at most 1,024 bytes that names every bad field, never a value of one.
        public var detail: String

        /// A rejected message; made by `FlowDecoder`.
        public init(messageIndex: Int, reason: RejectReason, detail: String) {
            self.messageIndex = messageIndex
            self.reason = reason
            self.detail = detail
        }
    }

    /// Events, in the order of their messages.
    public var accepted: [Accepted] = []
    /// Rejections, in the order of their messages.
    public var rejected: [Rejected] = []
    /// Fields of accepted messages that the format does not know; they are ignored.
    public var unknownFields: Int64 = 0
    /// Accepted messages whose Kafka key is not the facilityId (a missing key too).
    public var keyMismatches: Int64 = 0

    /// Of no messages.
    public init() {}
}
