/// One validated set of vital signs of one patient at one instant, as the row path carries it.
///
/// 64 bytes, trivially copyable, the same layout as `vs_reading` of `CSimdJSON`, which writes it. Values are
/// already rounded to `Float` (PostgreSQL's `real`); an absent value is 0 and its presence bit is clear.
public struct Reading: BitwiseCopyable, Sendable {
    /// First eight bytes of the patient's UUID, big-endian, so that comparing integers compares the UUID's bytes.
    public var patientHigh: UInt64
    /// Last eight bytes of the patient's UUID, big-endian.
    public var patientLow: UInt64
    /// Event time in milliseconds since 1970-01-01Z, 1 to 253,402,300,799,999.
    public var time: Int64
    /// Heart rate /min, temperature °C, oxygen saturation %, respiratory rate /min, systolic and diastolic mmHg.
    public var values: [6 of Float]
    /// Kafka offset of the message that this reading came from, or for a stored row of the greatest that changed it.
    public var offset: Int64
    /// `silver.origin.origin_id`, 0 when unknown.
    public var origin: Int32
    /// Kafka partition that belongs to `offset`.
    public var partition: UInt16
    /// Bits 0 to 5: the six values, 6: consciousness, 7: supplemental oxygen.
    public var presence: UInt8
    /// Bits 0 to 2: consciousness (0 none, 1 A, 2 C, 3 V, 4 P, 5 U); bit 3: supplemental oxygen given; the rest 0.
    public var categorical: UInt8

    /// An empty reading of nobody at no time; used to fill buffers.
    public init() {
        patientHigh = 0
        patientLow = 0
        time = 0
        values = [0, 0, 0, 0, 0, 0]
        offset = 0
        origin = 0
        partition = 0
        presence = 0
        categorical = 0
    }

    /// The six numeric vital signs, in the order of `values` and of the `suspect` bits.
    public static let numericCount = 6
    /// Presence bit of consciousness.
    public static let consciousnessBit: UInt8 = 1 << 6
    /// Presence bit of supplemental oxygen.
    public static let supplementalOxygenBit: UInt8 = 1 << 7
    /// The bits of `categorical` that hold consciousness.
    public static let consciousnessMask: UInt8 = 0b0000_0111
    /// The bit of `categorical` that says oxygen is given.
    public static let supplementalOxygenValue: UInt8 = 0b0000_1000
}
