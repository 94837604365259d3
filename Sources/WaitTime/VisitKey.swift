/// A visit's id as 128 bits, so that a sector's state has a fixed size per visit. The same text gives the same key on
/// every machine; two of a billion visits collide with a probability below 10⁻²⁰.
public struct VisitKey: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    /// The key of the bytes of `visitId`.
    public init(_ bytes: some Sequence<UInt8>) {
        // FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/, read 2026-11-21) from two starts, then the finalizer of
        // splitmix64: products are meant to wrap.
        var first: UInt64 = 0xcbf2_9ce4_8422_2325
        var second: UInt64 = 0x9e37_79b9_7f4a_7c15
        for byte in bytes {
            first = (first ^ UInt64(byte)) &* 0x100_0000_01b3
            second = (second ^ UInt64(byte)) &* 0xff51_afd7_ed55_8ccd
        }
        high = Self.mixed(first)
        low = Self.mixed(second ^ first)
    }

    /// The key of a `visitId`.
    public init(_ text: String) {
        self.init(text.utf8)
    }

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    private static func mixed(_ bits: UInt64) -> UInt64 {
        // Products are meant to wrap.
        var value = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
