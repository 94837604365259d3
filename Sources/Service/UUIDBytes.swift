internal import CPosix

/// A 128-bit number as PostgreSQL's `uuid` holds it: two halves, big-endian in bytes.
public struct UUIDBytes: Hashable, Sendable, Comparable, BitwiseCopyable {
    /// The first eight bytes, the first of them highest.
    public let high: UInt64
    /// The last eight bytes.
    public let low: UInt64

    /// The number with these halves.
    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 122 random bits of the kernel in the form of a version 4 UUID. Traps when the kernel gives none.
    public static func random() -> UUIDBytes {
        var halves: (UInt64, UInt64) = (0, 0)
        let failed = unsafe withUnsafeMutableBytes(of: &halves) { buffer in
            guard let start = buffer.baseAddress else { return Int32(-1) }
            return unsafe cposix_random(start, buffer.count)
        }
        precondition(failed == 0, "the kernel gives no random bytes")
        let high = halves.0 & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = halves.1 & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return UUIDBytes(high: high, low: low)
    }

    /// Reads the canonical form, 8-4-4-4-12 hexadecimal digits of either case; nil for anything else.
    public init?(text: String) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var digits = 0
        var position = 0
        for byte in text.utf8 {
            defer { position += 1 }
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard position < 36, let digit = Hexadecimal.value(of: byte) else { return nil }
            if digits < 16 { high = high << 4 | UInt64(digit) } else { low = low << 4 | UInt64(digit) }
            digits += 1
        }
        guard position == 36 else { return nil }
        self.init(high: high, low: low)
    }

    /// The canonical form in lower case.
    public var text: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(36)
        for index in 0..<16 {
            if index == 4 || index == 6 || index == 8 || index == 10 { bytes.append(UInt8(ascii: "-")) }
            let half = index < 8 ? high : low
            let byte = UInt8(truncatingIfNeeded: half >> UInt64((7 - index % 8) * 8))
            bytes.append(Hexadecimal.digit(byte >> 4))
            bytes.append(Hexadecimal.digit(byte & 15))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The order of the bytes, which is PostgreSQL's.
    @inlinable
    public static func < (left: UUIDBytes, right: UUIDBytes) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }
}

/// Hexadecimal digits.
enum Hexadecimal {
    /// The value of an ASCII digit, nil when it is none.
    static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The lower-case digit of a value below 16.
    static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
