/// The identifiers of all simulated patients, as text, made once: 36 bytes each.
///
/// Random UUIDs (RFC 9562, version 4) of the seed, so that two seeds never share a patient.
struct PatientDirectory: ~Copyable {
    static let textLength = 36
    private let storage: UnsafeMutablePointer<UInt8>

    init(seed: UInt64, count: Int) {
        storage = .allocate(capacity: max(1, count) * Self.textLength)
        for patient in 0..<count {
            // Another stream than the patient's values, so that an identifier tells nothing about them.
            var random = SeededRandom(seed: seed ^ 0x5EED_0F1D_5EED_0F1D, stream: UInt64(patient))
            let high = random.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
            let low = random.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
            Self.write(high, low, to: storage + patient * Self.textLength)
        }
    }

    deinit {
        storage.deallocate()
    }

    /// The canonical text of a patient's UUID, `textLength` bytes, lower case; lives as long as the directory.
    func text(of patient: Int) -> UnsafePointer<UInt8> {
        UnsafePointer(storage + patient * Self.textLength)
    }

    private static func write(_ high: UInt64, _ low: UInt64, to text: UnsafeMutablePointer<UInt8>) {
        var place = 0
        for digit in 0..<32 {
            if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                text[place] = UInt8(ascii: "-")
                place += 1
            }
            let word = digit < 16 ? high : low
            let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (digit % 16))) & 15
            text[place] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
            place += 1
        }
    }
}
