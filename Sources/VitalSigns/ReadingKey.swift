/// A key of `silver.vital_reading`: patient and instant.
public struct ReadingKey: BitwiseCopyable, Sendable {
    /// First eight bytes of the patient's UUID, big-endian.
    public var patientHigh: UInt64
    /// Last eight bytes of the patient's UUID, big-endian.
    public var patientLow: UInt64
    /// Event time in milliseconds since 1970-01-01Z.
    public var time: Int64

    /// The key of patient (`high`, `low`) at `time`.
    public init(patientHigh: UInt64, patientLow: UInt64, time: Int64) {
        self.patientHigh = patientHigh
        self.patientLow = patientLow
        self.time = time
    }

    /// The key of a reading.
    init(_ reading: Reading) {
        self.init(patientHigh: reading.patientHigh, patientLow: reading.patientLow, time: reading.time)
    }
}
