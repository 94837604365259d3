/// The id of an event: 16 bytes, ordered bytewise, as PostgreSQL orders `uuid`.
public struct EventID: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// Bytes 0 to 7, big-endian.
    public let high: UInt64
    /// Bytes 8 to 15, big-endian.
    public let low: UInt64

    /// An id of its bytes.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Whether the bytes come before the other's.
    public static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

/// The id of a patient: 16 bytes.
public struct PatientID: Hashable, Sendable, BitwiseCopyable {
    /// Bytes 0 to 7, big-endian.
    public let high: UInt64
    /// Bytes 8 to 15, big-endian.
    public let low: UInt64

    /// An id of its bytes.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// A visit: its id is unique only within its facility.
public struct VisitID: Hashable, Comparable, Sendable {
    /// Where it is.
    public let facility: FlowName
    /// Which one there.
    public let visit: FlowName

    /// A visit of a facility.
    public init(facility: FlowName, visit: FlowName) {
        self.facility = facility
        self.visit = visit
    }

    /// By facility, then by visit.
    public static func < (left: Self, right: Self) -> Bool {
        (left.facility, left.visit) < (right.facility, right.visit)
    }
}

/// A place in the log: positions of one topic are compared by partition first, then by offset.
public struct LogPosition: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// Kafka partition.
    public let partition: Int32
    /// Kafka offset.
    public let offset: Int64

    /// A position.
    public init(partition: Int32, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }

    /// Whether it stands before the other.
    public static func < (left: Self, right: Self) -> Bool {
        (left.partition, left.offset) < (right.partition, right.offset)
    }
}
