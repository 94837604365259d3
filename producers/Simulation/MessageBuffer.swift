/// Bytes of one message, written by hand into memory that is kept from message to message.
///
/// Grows to the largest message and never shrinks; appending allocates only while it grows.
struct MessageBuffer: ~Copyable {
    private var storage: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = max(64, capacity)
        storage = .allocate(capacity: self.capacity)
    }

    deinit {
        storage.deallocate()
    }

    /// The bytes written so far; valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage, count: count) }

    mutating func removeAll() {
        count = 0
    }

    /// Forgets all bytes from `length` on.
    mutating func truncate(to length: Int) {
        precondition(length <= count, "a buffer is not cut longer")
        count = length
    }

    mutating func append(_ text: StaticString) {
        append(text.utf8Start, text.utf8CodeUnitCount)
    }

    mutating func append(_ bytes: UnsafePointer<UInt8>, _ length: Int) {
        reserve(length)
        (storage + count).update(from: bytes, count: length)
        count += length
    }

    mutating func append(byte: UInt8) {
        reserve(1)
        storage[count] = byte
        count += 1
    }

    mutating func append(repeating byte: UInt8, count length: Int) {
        reserve(length)
        (storage + count).update(repeating: byte, count: length)
        count += length
    }

    /// A whole number in decimal digits.
    mutating func append(decimal value: Int) {
        reserve(20)
        if value < 0 { append(byte: UInt8(ascii: "-")) }
        var rest = value.magnitude
        var digits = 1
        var power: UInt = 10
        while digits < 19, rest >= power {
            digits += 1
            power *= 10
        }
        var place = count + digits
        count = place
        repeat {
            place -= 1
            storage[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
    }

    /// A number of hundredths as a decimal fraction with no more digits than it needs: 3670 is `36.7`, 8000 is `80`.
    mutating func append(hundredths value: Int) {
        append(decimal: value / 100)
        let fraction = value % 100
        if fraction == 0 { return }
        append(byte: UInt8(ascii: "."))
        append(byte: UInt8(ascii: "0") + UInt8(fraction / 10))
        if fraction % 10 != 0 { append(byte: UInt8(ascii: "0") + UInt8(fraction % 10)) }
    }

    private mutating func reserve(_ length: Int) {
        if count + length > capacity { grow(by: length) }
    }

    private mutating func grow(by length: Int) {
        let larger = max(capacity * 2, count + length)
        let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        fresh.update(from: storage, count: count)
        storage.deallocate()
        storage = fresh
        capacity = larger
    }
}
